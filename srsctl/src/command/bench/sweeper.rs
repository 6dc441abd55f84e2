//! Players whose bytes are discarded in the kernel.
//!
//! A player that has seen its first key frame need not be read to be counted: `recv` with
//! `MSG_TRUNC` (tcp(7)) throws away what is in the receive buffer and says how much that was,
//! without copying it. The sockets are visited one after the other at a steady pace, often enough
//! that no buffer comes near its limit. Nobody waits for them in an epoll: a wake-up for each
//! packet would cost more than everything else, on the server's processor as well as on ours.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::histogram::Histogram;
use super::moment::Moment;
use super::window::{Arrivals, Window};

/// The players, and the round that is made among them.
#[derive(Debug)]
pub(super) struct Sweeper {
    players: Vec<Player>,
    window: Arc<Window>,
    /// Whether the server speaks RTMP, and may be told what was received.
    acknowledges: bool,
    /// Bytes that each gets in a second: as expected, and as found out.
    expected: f64,
    rate: f64,
    /// How often each is visited.
    interval: Duration,
    /// The one whose turn it is, when the round began, and what it has found so far.
    next: usize,
    began: Moment,
    found: u64,
    /// When the next slice of the round is due.
    due: Moment,
    /// How late slices were, in the window.
    late: Histogram,
    discarded: Vec<u8>,
    disconnected: usize,
    /// Of those that have left.
    gone: Totals,
}

#[derive(Debug)]
struct Player {
    socket: TcpStream,
    arrivals: Arrivals,
    /// All bytes of the connection, as acknowledgements count them.
    received: u64,
    acknowledged: Moment,
}

/// What the players have received in the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) bytes: u64,
    pub(super) starved: usize,
}

impl Sweeper {
    /// Nobody yet; `kbps` is the bit rate that they will have.
    pub(super) fn new(window: Arc<Window>, kbps: u32, acknowledges: bool) -> Self {
        let now = Moment::now();
        let expected = f64::from(kbps) * 125.0;
        Self {
            players: Vec::new(),
            window,
            acknowledges,
            expected,
            rate: expected,
            interval: interval(expected),
            next: 0,
            began: now,
            found: 0,
            due: now,
            late: Histogram::default(),
            // Never written to, and so never more than an address.
            discarded: vec![0; MOST_DISCARDED],
            disconnected: 0,
            gone: Totals::default(),
        }
    }

    /// A player more, which has received so many bytes already.
    pub(super) fn add(&mut self, socket: TcpStream, received: u64, now: Moment) {
        self.players.push(Player {
            socket,
            arrivals: Arrivals::new(now),
            received,
            acknowledged: now,
        });
    }

    /// When there is something to do; `None` while there is nobody.
    pub(super) fn due(&self) -> Option<Moment> {
        (!self.players.is_empty()).then_some(self.due)
    }

    /// Visits those whose turn it is. If that takes too long it stops, and is due at once.
    pub(super) fn run(&mut self, now: Moment) {
        if self.players.is_empty() || now < self.due {
            return;
        }
        if self.window.holds(now) {
            self.late.record(now.since(self.due));
        }
        for _ in 0..SLICE {
            if self.next >= self.players.len() && now >= self.began + self.interval {
                self.begin_round(now);
            }
            if self.turn(self.next) > now {
                // Not a timer for each of them.
                self.due = self.turn(self.next).max(now + LEAST_PAUSE);
                return;
            }
            self.visit(now);
        }
        // There are more; but others want the processor, too.
        self.due = now;
    }

    /// When the player of this index is to be visited, or the round is over.
    fn turn(&self, index: usize) -> Moment {
        let share = index as f64 / self.players.len().max(1) as f64;
        self.began + self.interval.mul_f64(share)
    }

    fn begin_round(&mut self, now: Moment) {
        let took = now.since(self.began).as_secs_f64();
        if took > 0.0 && self.next > 0 {
            let each = self.found as f64 / self.next as f64 / took;
            self.rate += (each - self.rate) * SMOOTHING;
        }
        self.interval = interval(self.rate.max(self.expected));
        // The schedule goes on from where it should be, unless it is hopeless.
        let planned = self.began + self.interval;
        self.began = if now.since(planned) > self.interval {
            now
        } else {
            planned
        };
        (self.next, self.found) = (0, 0);
    }

    /// Discards what the next player has received.
    fn visit(&mut self, now: Moment) {
        let Some(player) = self.players.get_mut(self.next) else {
            return;
        };
        match discard(&player.socket, &mut self.discarded) {
            Ok(Some(len)) => {
                player.arrivals.take(len, now, &self.window);
                player.received += len as u64;
                self.found += len as u64;
                if self.acknowledges && now.since(player.acknowledged) >= ACKNOWLEDGE_AFTER {
                    player.acknowledged = now;
                    acknowledge(&player.socket, player.received);
                }
                self.next += 1;
            }
            Ok(None) | Err(_) => {
                self.disconnected += 1;
                let player = self.players.swap_remove(self.next);
                self.gone.add(&player.arrivals);
            }
        }
    }

    /// How many play.
    pub(super) fn playing(&self) -> usize {
        self.players.len()
    }

    /// How many the server has disconnected.
    pub(super) fn disconnected(&self) -> usize {
        self.disconnected
    }

    /// What all of them have received.
    pub(super) fn totals(&self) -> Totals {
        let mut totals = self.gone;
        for player in &self.players {
            totals.add(&player.arrivals);
        }
        totals
    }

    /// How late they were visited, in the window.
    pub(super) fn late(&self) -> &Histogram {
        &self.late
    }
}

impl Totals {
    fn add(&mut self, arrivals: &Arrivals) {
        self.bytes += arrivals.bytes();
        self.starved += usize::from(arrivals.is_starved());
    }
}

/// Throws away what is in the receive buffer of a connection, and says how many bytes that were;
/// `None` at the end. `place` is for the kernel's eyes only: of TCP nothing is copied.
///
/// # Errors
/// The connection broke.
pub(super) fn discard(socket: &TcpStream, place: &mut [u8]) -> io::Result<Option<usize>> {
    match recv(socket, place, RecvFlags::TRUNC | RecvFlags::DONTWAIT) {
        Ok((_, 0)) => Ok(None),
        Ok((_, len)) => Ok(Some(len)),
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(Some(0)),
        Err(error) => Err(error.into()),
    }
}

/// Tells the server what was received.
///
/// No server is known to wait for it. But some look whether a player is still alive by a ping, and
/// a ping that is discarded has no answer; nginx-rtmp asks those from which nothing came for a
/// minute, and leaves them half a minute later.
fn acknowledge(socket: &TcpStream, received: u64) {
    // If there is no room for so little the server has not read for long: it does not matter then.
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    let _ = send(socket, &acknowledgement(received), flags);
}

/// The message (RTMP 1.0, 5.4.3), with a header of all fields.
fn acknowledgement(received: u64) -> [u8; 16] {
    let mut message = [2, 0, 0, 0, 0, 0, 4, 3, 0, 0, 0, 0, 0, 0, 0, 0];
    // The count is modulo 2^32.
    message[12..].copy_from_slice(&received.to_be_bytes()[4..]);
    message
}

/// How often a receive buffer must be emptied into which so many bytes come in a second.
fn interval(bytes_per_second: f64) -> Duration {
    let seconds = MOST_BUFFERED / bytes_per_second;
    Duration::try_from_secs_f64(seconds).map_or(LONGEST, |time| time.clamp(SHORTEST, LONGEST))
}

/// Bytes that may wait in a receive buffer. The smallest usual one has room for 64 KiB.
const MOST_BUFFERED: f64 = 32.0 * 1024.0;
const SHORTEST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_millis(250);
/// How much the latest round says of the bit rate: a server may send in larger pieces than a round.
const SMOOTHING: f64 = 0.2;
/// Visits without a look at what else is due: less than a tenth of a millisecond.
const SLICE: usize = 32;
/// Between two slices, if there is no hurry.
const LEAST_PAUSE: Duration = Duration::from_millis(2);
const ACKNOWLEDGE_AFTER: Duration = Duration::from_secs(30);
/// Bytes discarded at once; more than a receive buffer holds.
const MOST_DISCARDED: usize = 8 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use bytes::BytesMut;
    use srs_rtmp::chunk::ChunkReader;
    use srs_rtmp::limits::Limits;
    use srs_rtmp::message::control::Control;

    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let theirs = listener.accept().unwrap().0;
        (ours, theirs)
    }

    fn sweeper(kbps: u32) -> Sweeper {
        let window = Arc::new(Window::new());
        window.open(Moment::from_nanos(0));
        Sweeper::new(window, kbps, true)
    }

    /// Visits everybody once, at `after` from the beginning.
    fn sweep(sweeper: &mut Sweeper, after: Duration) {
        let now = sweeper.began + after;
        for _ in 0..sweeper.players.len() {
            sweeper.visit(now);
        }
        sweeper.next = 0;
    }

    #[test]
    fn what_is_discarded_is_counted_and_not_copied() {
        let (ours, mut theirs) = pair();
        let mut place = vec![7; 1_000_000];
        assert_eq!(discard(&ours, &mut place).unwrap(), Some(0));
        theirs.write_all(&[1; 30_000]).unwrap();
        let mut discarded = 0;
        while discarded < 30_000 {
            discarded += discard(&ours, &mut place).unwrap().unwrap();
        }
        assert_eq!(discarded, 30_000);
        assert!(
            place.iter().all(|byte| *byte == 7),
            "nothing was written there"
        );

        // What comes later is still there for whoever reads.
        theirs.write_all(b"end").unwrap();
        drop(theirs);
        let mut rest = String::new();
        (&ours).read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "end");
        assert_eq!(discard(&ours, &mut place).unwrap(), None);
    }

    #[test]
    fn players_are_counted_until_they_are_disconnected() {
        let mut sweeper = sweeper(500);
        let mut servers = Vec::new();
        for _ in 0..3 {
            let (ours, theirs) = pair();
            sweeper.add(ours, 0, sweeper.began);
            servers.push(theirs);
        }
        for server in &mut servers {
            server.write_all(&[0; 100]).unwrap();
        }
        drop(servers.remove(1));
        // Once for the bytes, once for the end behind them.
        for round in 1..=2 {
            sweep(&mut sweeper, Duration::from_millis(round));
        }
        assert_eq!((sweeper.playing(), sweeper.disconnected()), (2, 1));
        let (bytes, starved) = (300, 0);
        assert_eq!(sweeper.totals(), Totals { bytes, starved });
        sweep(&mut sweeper, Duration::from_secs(4));
        assert_eq!(sweeper.totals().starved, 2);
    }

    #[test]
    fn a_player_is_acknowledged_for_now_and_then() {
        let mut sweeper = sweeper(500);
        let (ours, mut theirs) = pair();
        sweeper.add(ours, 5_000, sweeper.began);
        theirs.write_all(&[0; 100]).unwrap();
        sweep(&mut sweeper, Duration::from_secs(1));
        sweep(&mut sweeper, Duration::from_secs(30));
        drop(sweeper);
        let mut said = Vec::new();
        theirs.read_to_end(&mut said).unwrap();

        let mut reader = ChunkReader::new(Limits::default());
        let message = reader
            .read(&mut BytesMut::from(&said[..]))
            .unwrap()
            .unwrap();
        let control = Control::decode(&message).unwrap();
        assert_eq!(control, Some(Control::Acknowledgement(5_100)));
        assert_eq!(said.len(), 16, "and no more often");
    }

    #[test]
    fn buffers_are_emptied_long_before_they_are_full() {
        let cases = [
            (0.0, 250),
            (62_500.0, 250),
            (250_000.0, 131),
            (1_250_000.0, 26),
            (10_000_000.0, 20),
        ];
        for (bytes_per_second, millis) in cases {
            assert_eq!(interval(bytes_per_second).as_millis(), millis);
        }
    }

    #[test]
    fn visits_are_spread_over_the_interval_whatever_the_number_of_players() {
        for count in [1, 7, 90] {
            let mut sweeper = sweeper(500);
            let pairs: Vec<_> = (0..count).map(|_| pair()).collect();
            let mut servers = Vec::new();
            for (ours, theirs) in pairs {
                sweeper.add(ours, 0, sweeper.began);
                servers.push(theirs);
            }
            let (start, mut slices, mut rounds) = (sweeper.began, 0, 0);
            let mut now = start;
            while now < start + Duration::from_secs(1) {
                let before = (sweeper.next, sweeper.began);
                sweeper.run(now);
                rounds += usize::from(sweeper.began != before.1);
                let visited = (sweeper.next + count - before.0) % count;
                assert!(
                    visited <= 2 + count * 40 / 250,
                    "{visited} of {count} at once"
                );
                now = now.max(sweeper.due().unwrap());
                slices += 1;
            }
            assert!((3..=4).contains(&rounds), "{rounds} rounds of {count}");
            assert!(slices <= 510, "{slices} slices");
        }
    }
}
