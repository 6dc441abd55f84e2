//! The streams that are published: each message at its time, in one write.
//!
//! The sockets are none of the runtime's: at tens of thousands of messages a second a task for each
//! stream would cost more than its writes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use super::histogram::Histogram;
use super::moment::Moment;
use super::pattern::{Pattern, Timeline};
use super::sweeper::discard;
use super::window::Window;

/// All streams, and which is due next.
#[derive(Debug)]
pub(super) struct Publishers {
    pattern: Pattern,
    window: Arc<Window>,
    /// By their numbers; `None` where the server has disconnected one.
    streams: Vec<Option<Stream>>,
    /// When which has something to do.
    due: BinaryHeap<Reverse<(Moment, usize)>>,
    /// Where all phases are reckoned from.
    epoch: Moment,
    /// So many streams share a GOP's time evenly among their beginnings.
    phases: u32,
    late: Histogram,
    sent: Sent,
    message: Vec<u8>,
    discarded: Vec<u8>,
    failures: Vec<io::Error>,
}

/// What was published in the window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sent {
    /// Bytes that were to be sent, by the numbers of the streams.
    pub(super) due: Vec<u64>,
    /// Bytes that the server has taken, of all streams.
    pub(super) taken: u64,
}

#[derive(Debug)]
struct Stream {
    socket: TcpStream,
    message_stream_id: u32,
    begin: Moment,
    timeline: Timeline,
    /// What the server did not take at once.
    rest: Vec<u8>,
    /// When the server has taken everything, if it once did not: what waited for that is not late
    /// by our fault.
    free: Moment,
    written: u32,
}

impl Publishers {
    /// No stream yet, of `count` that are to come.
    pub(super) fn new(pattern: Pattern, count: usize, window: Arc<Window>) -> Self {
        Self {
            pattern,
            window,
            streams: (0..count).map(|_| None).collect(),
            due: BinaryHeap::new(),
            epoch: Moment::now(),
            phases: u32::try_from(count).unwrap_or(u32::MAX).max(1),
            late: Histogram::default(),
            sent: Sent {
                due: vec![0; count],
                taken: 0,
            },
            message: Vec::new(),
            discarded: vec![0; MOST_DISCARDED],
            failures: Vec::new(),
        }
    }

    /// Stream `number` may be published. It begins when it is its turn within a GOP: key frames of
    /// many streams at once are no more natural than they are kind.
    pub(super) fn add(
        &mut self,
        number: usize,
        socket: TcpStream,
        message_stream_id: u32,
        now: Moment,
    ) {
        let gop = self.pattern.shape().gop;
        let phase = gop / self.phases * u32::try_from(number).unwrap_or_default();
        let behind = now.since(self.epoch + phase).as_nanos() % gop.as_nanos().max(1);
        let wait = match self.phases {
            1 => Duration::ZERO,
            _ if now < self.epoch + phase => (self.epoch + phase).since(now),
            _ => gop - Duration::from_nanos(u64::try_from(behind).unwrap_or_default()),
        };
        let Some(place) = self.streams.get_mut(number) else {
            return;
        };
        let begin = now + wait;
        *place = Some(Stream {
            socket,
            message_stream_id,
            begin,
            timeline: Timeline::default(),
            rest: Vec::new(),
            free: begin,
            written: 0,
        });
        self.due.push(Reverse((begin, number)));
    }

    /// When there is something to do; `None` while nothing is published.
    pub(super) fn due(&self) -> Option<Moment> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }

    /// Sends what is due. If that is a lot it stops in between, and is due at once.
    pub(super) fn run(&mut self) {
        for _ in 0..SLICE {
            let now = Moment::now();
            match self.due.peek() {
                Some(Reverse((at, number))) if *at <= now => {
                    let number = *number;
                    self.due.pop();
                    self.serve(number, now);
                }
                _ => return,
            }
        }
    }

    fn serve(&mut self, number: usize, now: Moment) {
        match self.send(number, now) {
            Ok(next) => self.due.push(Reverse((next, number))),
            Err(error) => {
                self.failures.push(error);
                self.streams[number] = None;
            }
        }
    }

    /// Sends the next message of a stream, or the rest of the one before. Says when to go on.
    fn send(&mut self, number: usize, now: Moment) -> io::Result<Moment> {
        let stream = self.streams[number].as_mut();
        let stream = stream.ok_or(io::ErrorKind::NotConnected)?;
        let is_measured = self.window.holds(now);
        if stream.rest.is_empty() {
            let slot = stream.timeline.peek(&self.pattern);
            if is_measured {
                let due = stream.begin + slot.at;
                self.late.record(now.since(due.max(stream.free)));
            }
            stream.timeline.advance(slot);
            self.message.clear();
            let id = stream.message_stream_id;
            self.pattern.append(slot, id, now, &mut self.message);
            if is_measured {
                self.sent.due[number] += self.message.len() as u64;
            }
            let taken = write(&stream.socket, &self.message)?;
            self.sent.count(taken, is_measured);
            stream.rest.extend_from_slice(&self.message[taken..]);
        } else {
            let taken = write(&stream.socket, &stream.rest)?;
            self.sent.count(taken, is_measured);
            stream.rest.drain(..taken);
            stream.free = now;
        }
        stream.written += 1;
        if stream.written.is_multiple_of(BETWEEN_READS)
            && discard(&stream.socket, &mut self.discarded)?.is_none()
        {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(if stream.rest.is_empty() {
            stream.begin + stream.timeline.peek(&self.pattern).at
        } else {
            now + RETRY_AFTER
        })
    }

    /// Whether all streams that were added have begun.
    pub(super) fn have_begun(&self, now: Moment) -> bool {
        self.streams
            .iter()
            .flatten()
            .all(|stream| stream.begin < now)
    }

    /// How many are being published.
    pub(super) fn publishing(&self) -> usize {
        self.streams.iter().flatten().count()
    }

    /// Why streams have ended since it was asked for.
    pub(super) fn failures(&mut self) -> Vec<io::Error> {
        std::mem::take(&mut self.failures)
    }

    /// How late messages were, in the window.
    pub(super) fn late(&self) -> &Histogram {
        &self.late
    }

    /// What was published in the window.
    pub(super) fn sent(&self) -> &Sent {
        &self.sent
    }
}

impl Sent {
    fn count(&mut self, taken: usize, is_measured: bool) {
        if is_measured {
            self.taken += taken as u64;
        }
    }
}

/// Writes what the kernel takes, which may be nothing.
fn write(mut socket: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    match socket.write(bytes) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
        written => written,
    }
}

/// Messages without a look at what else is due: less than a millisecond.
const SLICE: usize = 64;
/// A socket that takes no more is asked again after so long.
const RETRY_AFTER: Duration = Duration::from_millis(5);
/// What the server says (acknowledgements, mostly) is thrown away once in so many writes.
const BETWEEN_READS: u32 = 64;
/// Bytes that are thrown away at once.
const MOST_DISCARDED: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use bytes::BytesMut;
    use srs_rtmp::MediaKind;
    use srs_rtmp::chunk::ChunkReader;
    use srs_rtmp::limits::Limits;
    use srs_rtmp::message::{Message, MessageType};

    use super::super::pattern::{CHUNK_SIZE, Shape};
    use super::super::stamp;
    use super::*;

    fn publishers(count: usize) -> Publishers {
        let pattern = Pattern::new(Shape {
            bitrate_kbps: 500,
            fps: 1_000,
            audio_fps: 43,
            gop: Duration::from_secs(2),
        });
        let window = Arc::new(Window::new());
        window.open(Moment::from_nanos(0));
        Publishers::new(pattern, count, window)
    }

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        ours.set_nonblocking(true).unwrap();
        (ours, listener.accept().unwrap().0)
    }

    fn messages(mut from: &TcpStream, count: usize) -> Vec<Message> {
        use std::io::Read as _;
        let mut reader = ChunkReader::new(Limits::default());
        reader.set_chunk_size(CHUNK_SIZE).unwrap();
        let (mut input, mut messages) = (BytesMut::new(), Vec::new());
        while messages.len() < count {
            let mut space = [0; 1_000];
            let read = from.read(&mut space).unwrap();
            input.extend_from_slice(&space[..read]);
            while let Some(message) = reader.read(&mut input).unwrap() {
                messages.push(message);
            }
        }
        messages
    }

    #[test]
    fn messages_go_out_in_order_with_the_time_of_their_writing() {
        let mut publishers = publishers(1);
        let (ours, theirs) = pair();
        let begin = Moment::now();
        publishers.add(0, ours, 3, begin);
        while publishers.due().unwrap() < begin + Duration::from_millis(50) {
            publishers.run();
        }
        let messages = messages(&theirs, 50);
        let mut last = (0, begin);
        for message in &messages {
            assert_eq!(message.message_stream_id, 3);
            let kind = match message.message_type {
                MessageType::Video => MediaKind::Video,
                _ => MediaKind::Audio,
            };
            let stamp = stamp::read(kind, &message.payload).unwrap();
            assert!(stamp >= last.1 && message.timestamp >= last.0);
            assert!(stamp >= begin + Duration::from_millis(message.timestamp.into()));
            last = (message.timestamp, stamp);
        }
        let sent = publishers.sent();
        assert_eq!(sent.due, [sent.taken]);
        assert!(publishers.late().count() >= 50);
    }

    #[test]
    fn what_the_server_does_not_take_comes_later_and_is_not_late_by_our_fault() {
        let mut publishers = publishers(1);
        let (ours, theirs) = pair();
        // A stream that began long ago: everything is due now.
        let now = Moment::now();
        publishers.add(0, ours, 1, now);
        publishers.streams[0].as_mut().unwrap().rest = vec![0; 50_000_000];
        publishers.run();
        assert!(
            publishers.due().unwrap() > now,
            "the socket is asked again later"
        );
        assert!(publishers.sent().taken < 50_000_000);
        assert_eq!(publishers.late().count(), 0);
        drop(theirs);
        while publishers.publishing() > 0 {
            publishers.run();
        }
        assert_eq!(publishers.failures().len(), 1);
        assert_eq!(publishers.due(), None);
    }

    #[test]
    fn streams_share_the_time_between_key_frames_evenly() {
        let mut publishers = publishers(4);
        let epoch = publishers.epoch;
        let mut servers = Vec::new();
        for number in 0..4 {
            let (ours, theirs) = pair();
            // All are there at once, in the middle of a GOP.
            publishers.add(number, ours, 1, epoch + Duration::from_millis(2_700));
            servers.push(theirs);
        }
        let mut begins: Vec<_> = publishers.streams.iter().flatten().collect();
        begins.sort_by_key(|stream| stream.begin);
        let begins = begins.iter().map(|s| s.begin.since(epoch).as_millis());
        assert_eq!(begins.collect::<Vec<_>>(), [3_000, 3_500, 4_000, 4_500]);
        assert!(!publishers.have_begun(epoch + Duration::from_millis(4_500)));
        assert!(publishers.have_begun(epoch + Duration::from_millis(4_501)));
    }
}
