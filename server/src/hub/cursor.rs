//! A position in a stream's log: what a subscriber reads next.
//!
//! A cursor never holds packets. It starts at the newest key frame, or at the end where there is
//! none yet; when it falls behind by more than the queue length, or its place is gone, it jumps
//! forward to the newest key frame, and counts what it left out. At every start the reader is told
//! whether there is a publisher, and is given the headers that it does not have yet.

use srs_media::packet::{PacketKind, Track};

use super::log::{Entry, HeaderKey, Headers, Log, Sequence, Start};

/// The position of one reader, and what it has been given so far.
#[derive(Debug, Default)]
pub struct Cursor {
    position: Sequence,
    started: bool,
    /// Video is left out until a key frame comes.
    awaits_key_frame: bool,
    /// The headers that the reader was given last.
    given: Vec<(HeaderKey, Sequence)>,
    jumps: u64,
    dropped: u64,
}

impl Cursor {
    /// The position of the entry that is read next.
    pub fn position(&self) -> Sequence {
        self.position
    }

    /// How often the cursor had to jump.
    pub fn jumps(&self) -> u64 {
        self.jumps
    }

    /// How many entries it left out by that.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether the reader has had everything, and gets all that comes next as it comes: nothing is
    /// left out for it until a publisher leaves.
    pub fn is_in_step(&self, log: &Log) -> bool {
        let awaits = self.awaits_key_frame && log.has_video();
        self.started && self.position == log.end() && !awaits
    }

    /// Goes on at `position`: everything before it has been read by other means.
    pub fn resume(&mut self, position: Sequence, log: &Log) {
        self.position = position;
        for (key, (sequence, _)) in log.headers().iter() {
            if *sequence < position {
                self.give(*key, *sequence);
            }
        }
    }

    /// Whether video is left out until the next key frame.
    pub fn awaits_key_frame(&self) -> bool {
        self.awaits_key_frame
    }

    /// Leaves video out until the next key frame, as after it was switched off for a while.
    pub fn await_key_frame(&mut self) {
        self.awaits_key_frame = true;
    }

    /// Reads what is there into `batch`, up to the bounds of a batch. Returns false if there is
    /// nothing new.
    pub fn read(&mut self, log: &Log, gop_cache: bool, batch: &mut Vec<Entry>) -> bool {
        let before = batch.len();
        if !self.started {
            self.start(log, gop_cache, batch);
        } else if self.position < log.first() || self.is_late(log) {
            self.jump(log, batch);
        }
        let mut bytes = 0;
        for entry in log.entries_from(self.position) {
            if batch.len() - before >= BATCH_ENTRIES || bytes >= BATCH_BYTES {
                break;
            }
            if self.wants(self.position, entry) {
                if let Entry::Packet(logged) = entry {
                    bytes += logged.packet.payload.len();
                }
                batch.push(entry.clone());
            }
            self.position += 1;
        }
        batch.len() > before
    }

    /// Whether the reader is further behind than the queue length, and there is a key frame ahead
    /// to jump to. Without one (a single long GOP) going on is better than showing nothing.
    fn is_late(&self, log: &Log) -> bool {
        log.newest_start_of_all()
            .is_some_and(|start| start.sequence > self.position)
            && log.lag(self.position) > log.limits().queue_length
    }

    fn start(&mut self, log: &Log, gop_cache: bool, batch: &mut Vec<Entry>) {
        self.started = true;
        batch.push(publish_state(log));
        let start = if gop_cache { log.newest_start() } else { None };
        match start {
            Some(start) => self.start_at(start, log, batch),
            None => self.start_at_end(log, batch),
        }
    }

    fn start_at(&mut self, start: &Start, log: &Log, batch: &mut Vec<Entry>) {
        self.position = start.sequence;
        self.awaits_key_frame = true;
        self.give_headers(&start.headers, log, batch);
    }

    fn start_at_end(&mut self, log: &Log, batch: &mut Vec<Entry>) {
        self.position = log.end();
        self.awaits_key_frame = true;
        self.give_headers(log.headers(), log, batch);
    }

    fn jump(&mut self, log: &Log, batch: &mut Vec<Entry>) {
        let before = self.position;
        // The jump may leave out that a publisher went or came.
        batch.push(publish_state(log));
        match log.newest_start_of_all() {
            Some(start) if start.sequence > before => {
                self.start_at(start, log, batch);
            }
            _ => self.start_at_end(log, batch),
        }
        self.jumps += 1;
        self.dropped += self.position.saturating_sub(before);
    }

    fn give_headers(&mut self, headers: &Headers, log: &Log, batch: &mut Vec<Entry>) {
        // Headers take the time of what follows them, so that no player sees time go back.
        let next = log
            .entries_from(self.position)
            .find_map(|entry| match entry {
                Entry::Packet(next) => Some((next.packet.timestamp, next.source)),
                _ => None,
            });
        let (timestamp, source) = next.unwrap_or_else(|| (log.head(), log.head_source()));
        for (key, (sequence, header)) in headers {
            if self.give(*key, *sequence) {
                let mut header = header.clone();
                header.packet.timestamp = timestamp;
                header.source = source;
                batch.push(Entry::Packet(header));
            }
        }
    }

    /// Whether the reader gets this entry; keeps account of headers and of the awaited key frame.
    fn wants(&mut self, sequence: Sequence, entry: &Entry) -> bool {
        let Entry::Packet(logged) = entry else {
            // Whoever publishes next may begin between two key frames.
            self.awaits_key_frame |= *entry == Entry::Published;
            return true;
        };
        if let Some(key) = HeaderKey::of(&logged.packet) {
            return self.give(key, sequence);
        }
        if self.awaits_key_frame && logged.packet.track == Track::Video {
            self.awaits_key_frame = logged.packet.kind != PacketKind::KeyFrame;
            return !self.awaits_key_frame;
        }
        true
    }

    /// Notes that the reader is given a header; false if it has this very one.
    fn give(&mut self, key: HeaderKey, sequence: Sequence) -> bool {
        match self.given.iter_mut().find(|(given, _)| *given == key) {
            Some((_, given)) => std::mem::replace(given, sequence) != sequence,
            None => {
                self.given.push((key, sequence));
                true
            }
        }
    }
}

fn publish_state(log: &Log) -> Entry {
    if log.is_published() {
        Entry::Published
    } else {
        Entry::Unpublished
    }
}

/// A batch ends after so many entries: a second of video and audio.
const BATCH_ENTRIES: usize = 128;
/// A batch ends after so many bytes: what a socket's buffer takes at once.
const BATCH_BYTES: usize = 256 * 1024;
