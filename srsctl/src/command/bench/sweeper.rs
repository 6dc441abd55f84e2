//! Players whose bytes are discarded in the kernel, as soon as they have come.
//!
//! A player that has seen its first key frame need not be read to be counted: `recv` with
//! `MSG_TRUNC` (tcp(7)) throws away what is in the receive buffer and says how much that was,
//! without copying it.
//!
//! It must be done promptly, though, as real players do: a reader that empties its receive buffer
//! lets its kernel acknowledge at once, one that does not read lets it wait for 40 ms. Meanwhile a
//! server with Nagle's algorithm (`TCP_NODELAY` is off) has its small writes merged. With players
//! that read now and then it would seem to need less than it does with real ones.
//!
//! An epoll of their own, edge triggered, collects the players for whom something has come. Nobody
//! waits in it: a wake-up for each packet would cost more than everything else, on the server's
//! processor as well as on ours. It is asked once in a [`TICK`] who is ready by now.

use std::io;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::histogram::Histogram;
use super::moment::Moment;
use super::window::{Arrivals, Window};

/// The players, and the epoll that tells who of them has received something.
pub(super) struct Sweeper {
    epoll: OwnedFd,
    /// By the numbers that the epoll tells; those that have left keep theirs.
    players: Vec<Option<Player>>,
    window: Arc<Window>,
    /// Whether the server speaks RTMP, and may be told what was received.
    acknowledges: bool,
    /// Room for what the epoll tells at once.
    ready: Vec<epoll::Event>,
    /// When the next slice of the players is due.
    due: Moment,
    /// How late slices were, in the window.
    late: Histogram,
    discarded: Vec<u8>,
    playing: usize,
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
    /// Nobody yet.
    ///
    /// # Errors
    /// The kernel has no epoll to give.
    pub(super) fn new(window: Arc<Window>, acknowledges: bool) -> io::Result<Self> {
        Ok(Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            players: Vec::new(),
            window,
            acknowledges,
            ready: Vec::with_capacity(SLICE),
            due: Moment::now(),
            late: Histogram::default(),
            // Never written to, and so never more than an address.
            discarded: vec![0; MOST_DISCARDED],
            playing: 0,
            gone: Totals::default(),
        })
    }

    /// A player more, which has received so many bytes already.
    ///
    /// # Errors
    /// The kernel does not watch so many.
    pub(super) fn add(&mut self, socket: TcpStream, received: u64, now: Moment) -> io::Result<()> {
        let number = epoll::EventData::new_u64(self.players.len() as u64);
        let events = epoll::EventFlags::IN | epoll::EventFlags::RDHUP | epoll::EventFlags::ET;
        // What is there already is an edge, too.
        epoll::add(&self.epoll, &socket, number, events)?;
        if self.playing == 0 {
            self.due = now;
        }
        self.players.push(Some(Player {
            socket,
            arrivals: Arrivals::new(now),
            received,
            acknowledged: now,
        }));
        self.playing += 1;
        Ok(())
    }

    /// When there is something to do; `None` while there is nobody.
    pub(super) fn due(&self) -> Option<Moment> {
        (self.playing > 0).then_some(self.due)
    }

    /// Discards what players have received. If they are many it stops, and is due at once.
    pub(super) fn run(&mut self, now: Moment) {
        if self.playing == 0 || now < self.due {
            return;
        }
        if self.window.holds(now) {
            self.late.record(now.since(self.due));
        }
        let mut ready = std::mem::take(&mut self.ready);
        ready.clear();
        let at_once = Timespec::default();
        // If it fails, which is not known to happen, it is asked again.
        let _ = epoll::wait(&self.epoll, spare_capacity(&mut ready), Some(&at_once));
        for event in &ready {
            self.visit(*event, now);
        }
        // There are more, perhaps; but others want the processor, too.
        let is_complete = ready.len() < ready.capacity();
        self.due = if is_complete { now + TICK } else { now };
        self.ready = ready;
    }

    /// Discards what one player has received.
    fn visit(&mut self, event: epoll::Event, now: Moment) {
        let epoll::Event { flags, data, .. } = event;
        let number = usize::try_from(data.u64()).ok();
        let Some(place) = number.and_then(|number| self.players.get_mut(number)) else {
            return;
        };
        let Some(player) = place else {
            return;
        };
        loop {
            match discard(&player.socket, &mut self.discarded) {
                Ok(Some(len)) => {
                    player.arrivals.take(len, now, &self.window);
                    player.received += len as u64;
                    // The end behind the last bytes is not told again.
                    if len == 0 || !flags.intersects(OVER) {
                        break;
                    }
                }
                Ok(None) | Err(_) => {
                    player.arrivals.take(0, now, &self.window);
                    self.gone.add(player.arrivals);
                    self.playing -= 1;
                    *place = None;
                    return;
                }
            }
        }
        if self.acknowledges && now.since(player.acknowledged) >= ACKNOWLEDGE_AFTER {
            player.acknowledged = now;
            acknowledge(&player.socket, player.received);
        }
    }

    /// How many play.
    pub(super) fn playing(&self) -> usize {
        self.playing
    }

    /// How many the server has disconnected.
    pub(super) fn disconnected(&self) -> usize {
        self.players.len() - self.playing
    }

    /// What all of them have received by `now`.
    pub(super) fn totals(&self, now: Moment) -> Totals {
        let mut totals = self.gone;
        for player in self.players.iter().flatten() {
            let mut arrivals = player.arrivals;
            // Who gets nothing is never ready, and was not looked at.
            arrivals.take(0, now, &self.window);
            totals.add(arrivals);
        }
        totals
    }

    /// How late they were visited, in the window.
    pub(super) fn late(&self) -> &Histogram {
        &self.late
    }
}

impl Totals {
    fn add(&mut self, arrivals: Arrivals) {
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

/// How often the epoll is asked: soon enough for a prompt acknowledgement (none is delayed by less
/// than 40 ms), and for no receive buffer to fill. Oftener costs more and changes nothing.
const TICK: Duration = Duration::from_millis(2);
/// Visits without a look at what else is due: less than a millisecond.
const SLICE: usize = 128;
const ACKNOWLEDGE_AFTER: Duration = Duration::from_secs(30);
/// Bytes discarded at once; more than a receive buffer holds.
const MOST_DISCARDED: usize = 8 * 1024 * 1024;
/// What the epoll tells of a connection that the server has ended, or that broke.
const OVER: epoll::EventFlags = epoll::EventFlags::RDHUP
    .union(epoll::EventFlags::HUP)
    .union(epoll::EventFlags::ERR);

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

    /// A sweeper that has just begun, with so many players and the servers' ends of them.
    fn sweeper(count: usize) -> (Sweeper, Vec<TcpStream>) {
        let window = Arc::new(Window::new());
        window.open(Moment::from_nanos(0));
        let mut sweeper = Sweeper::new(window, true).unwrap();
        let mut servers = Vec::new();
        for _ in 0..count {
            let (ours, theirs) = pair();
            sweeper.add(ours, 5_000, sweeper.due).unwrap();
            servers.push(theirs);
        }
        (sweeper, servers)
    }

    /// Sends each of these players 100 bytes, and waits until they have come.
    fn send_to(sweeper: &Sweeper, servers: &[TcpStream]) {
        for mut server in servers {
            server.write_all(&[0; 100]).unwrap();
            let address = server.peer_addr().unwrap();
            let mut players = sweeper.players.iter().flatten();
            let is_it = |player: &&Player| player.socket.local_addr().unwrap() == address;
            let player = players.find(is_it).unwrap();
            assert_eq!(player.socket.peek(&mut [0]).unwrap(), 1);
        }
    }

    /// Visits all that are ready, at `after` from when it is due.
    fn sweep(sweeper: &mut Sweeper, after: Duration) {
        let now = sweeper.due + after;
        sweeper.run(now);
        while sweeper.due().is_some_and(|due| due == now) {
            sweeper.run(now);
        }
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
        let (mut sweeper, mut servers) = sweeper(3);
        send_to(&sweeper, &servers);
        // The end may come together with the bytes before it, or later.
        for (left, gone) in [(2, 1), (1, 2), (0, 3)] {
            drop(servers.remove(0));
            while sweeper.playing() > left {
                sweep(&mut sweeper, Duration::ZERO);
            }
            assert_eq!((sweeper.playing(), sweeper.disconnected()), (left, gone));
            let (bytes, starved) = (300, 0);
            assert_eq!(sweeper.totals(sweeper.due), Totals { bytes, starved });
        }
        assert_eq!(sweeper.due(), None);
    }

    #[test]
    fn who_gets_nothing_is_starved_although_never_looked_at() {
        let (mut sweeper, servers) = sweeper(3);
        let begin = sweeper.due;
        send_to(&sweeper, &servers[..1]);
        sweep(&mut sweeper, Duration::from_secs(1));
        let starved_at = |millis| {
            let now = begin + Duration::from_millis(millis);
            sweeper.totals(now).starved
        };
        assert_eq!([2_999, 3_000, 4_000].map(starved_at), [0, 2, 3]);
        sweeper.window.close(begin + Duration::from_millis(3_500));
        let late = begin + Duration::from_secs(10);
        assert_eq!(sweeper.totals(late).starved, 2, "not after the window");
    }

    #[test]
    fn what_came_before_a_player_was_added_and_each_time_after_it_is_discarded() {
        let (mut sweeper, _) = sweeper(0);
        let (ours, mut theirs) = pair();
        theirs.write_all(&[0; 100]).unwrap();
        assert_eq!(ours.peek(&mut [0]).unwrap(), 1);
        sweeper.add(ours, 0, sweeper.due).unwrap();
        let servers = [theirs];
        for bytes in [100, 200, 300] {
            sweep(&mut sweeper, Duration::ZERO);
            assert_eq!(sweeper.totals(sweeper.due).bytes, bytes);
            send_to(&sweeper, &servers);
        }
    }

    #[test]
    fn many_are_visited_in_slices_and_then_there_is_a_pause() {
        let slice = 8;
        let (mut sweeper, servers) = sweeper(slice * 2 + 1);
        sweeper.ready = Vec::with_capacity(slice);
        send_to(&sweeper, &servers);
        let now = sweeper.due().unwrap();
        for (slices, pause) in [(1, Duration::ZERO), (2, Duration::ZERO), (3, TICK)] {
            sweeper.run(now);
            let bytes = (slices * slice).min(servers.len()) * 100;
            assert_eq!(sweeper.totals(now).bytes, bytes as u64);
            assert_eq!(sweeper.due(), Some(now + pause));
        }
        send_to(&sweeper, &servers[..1]);
        sweeper.run(now);
        assert_eq!(sweeper.totals(now).bytes, servers.len() as u64 * 100);
    }

    #[test]
    fn a_player_is_acknowledged_for_now_and_then() {
        let (mut sweeper, mut servers) = sweeper(1);
        for seconds in [1, 29, 1] {
            send_to(&sweeper, &servers);
            sweep(&mut sweeper, Duration::from_secs(seconds));
        }
        drop(sweeper);
        let mut said = Vec::new();
        servers[0].read_to_end(&mut said).unwrap();

        let mut reader = ChunkReader::new(Limits::default());
        let message = reader
            .read(&mut BytesMut::from(&said[..]))
            .unwrap()
            .unwrap();
        let control = Control::decode(&message).unwrap();
        assert_eq!(control, Some(Control::Acknowledgement(5_200)));
        assert_eq!(said.len(), 16, "and no more often");
    }
}
