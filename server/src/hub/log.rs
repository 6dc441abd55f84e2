//! The bounded log of one live stream's packets.
//!
//! A packet is appended once and read by every cursor; its payload is shared, never copied. The
//! log knows where a new reader may start (a key frame, or any audio where there is no video) and
//! which headers were in force there. What no reader needs is dropped: everything before the
//! newest start and the slowest reader, everything older than the queue length, and whatever
//! exceeds the stream's memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use srs_media::packet::{Packet, PacketKind, Track};
use srs_media::time::Timestamp;

use super::stats::MediaRate;

/// A packet as the log holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedPacket {
    /// The packet, its timestamp on the stream's timeline.
    pub packet: Packet,
    /// The publisher's own timestamp in milliseconds, its wraps undone.
    pub source: i64,
    /// The publisher's clock broke here: outputs that store media begin anew.
    pub discontinuity: bool,
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// Media or metadata.
    Packet(LoggedPacket),
    /// A publisher began (again).
    Published,
    /// The publisher left; another may follow.
    Unpublished,
}

/// Counts entries since the stream began; the position of a cursor.
pub type Sequence = u64;

/// Which header a packet is. The order is that in which a player gets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeaderKey {
    /// `onMetaData`.
    Metadata,
    /// The video sequence header of a track; 0 is the only one but for multitrack streams.
    Video(u8),
    /// Enhanced RTMP's metadata of a video track: its colours.
    VideoMetadata(u8),
    /// The audio sequence header of a track.
    Audio(u8),
    /// Enhanced RTMP's metadata of an audio track: the order of its channels.
    AudioMetadata(u8),
}

impl HeaderKey {
    /// The header that `packet` is, if it is one.
    pub fn of(packet: &Packet) -> Option<Self> {
        match (packet.kind, packet.track) {
            (PacketKind::Metadata, Track::Data) => Some(Self::Metadata),
            (PacketKind::Metadata, Track::Video) => Some(Self::VideoMetadata(packet.track_id())),
            (PacketKind::Metadata, Track::Audio) => Some(Self::AudioMetadata(packet.track_id())),
            (PacketKind::SequenceHeader, Track::Video) => Some(Self::Video(packet.track_id())),
            (PacketKind::SequenceHeader, Track::Audio) => Some(Self::Audio(packet.track_id())),
            _ => None,
        }
    }
}

/// What a decoder must have before the first packet, each with the sequence that it came at.
pub type Headers = BTreeMap<HeaderKey, (Sequence, LoggedPacket)>;

/// A place where a reader may start.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// The position.
    pub sequence: Sequence,
    /// What is in force there.
    pub headers: Arc<Headers>,
}

/// Limits of one log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLimits {
    /// A reader may lag this far behind before it must jump.
    pub queue_length: Duration,
    /// Whether the newest start is kept for readers to come.
    pub gop_cache: bool,
    /// The most bytes of media that are held.
    pub memory: usize,
}

/// The log. See the module's documentation.
#[derive(Debug)]
pub struct Log {
    limits: LogLimits,
    entries: VecDeque<Entry>,
    /// The sequence of `entries[0]`.
    first: Sequence,
    bytes: usize,
    headers: Arc<Headers>,
    starts: VecDeque<(Timestamp, Start)>,
    /// Where the present publisher's entries begin, if there is one.
    publication: Option<Sequence>,
    last_video: Option<Timestamp>,
    /// The newest entry that is no packet.
    last_change: Option<Sequence>,
    head: Timestamp,
    head_source: i64,
    rate: MediaRate,
}

impl Log {
    /// An empty log.
    pub fn new(limits: LogLimits) -> Self {
        Self {
            limits,
            entries: VecDeque::new(),
            first: 0,
            bytes: 0,
            headers: Arc::default(),
            starts: VecDeque::new(),
            publication: None,
            last_video: None,
            last_change: None,
            head: Timestamp::default(),
            head_source: 0,
            rate: MediaRate::default(),
        }
    }

    /// The limits in force.
    pub fn limits(&self) -> &LogLimits {
        &self.limits
    }

    /// Changes the limits from the next append on.
    pub fn set_limits(&mut self, limits: LogLimits) {
        self.limits = limits;
    }

    /// Begins with a new publisher: nothing of the last one is a start, or a header, any more.
    pub fn publish(&mut self) {
        self.forget_publisher();
        self.publication = Some(self.end());
        self.last_change = Some(self.end());
        self.push(Entry::Published);
    }

    /// The publisher left. Readers may read on to here.
    pub fn unpublish(&mut self) {
        self.forget_publisher();
        self.last_change = Some(self.end());
        self.push(Entry::Unpublished);
    }

    fn forget_publisher(&mut self) {
        self.headers = Arc::default();
        self.publication = None;
        self.last_video = None;
    }

    /// Appends a packet. Returns whether it is a place to start: the time to call [`Self::evict`].
    pub fn append(&mut self, packet: LoggedPacket) -> bool {
        let sequence = self.end();
        let timestamp = packet.packet.timestamp;
        let header = HeaderKey::of(&packet.packet);
        if let Some(key) = header {
            self.keep_header(key, sequence, &packet);
        }
        self.head = self.head.max(timestamp);
        self.head_source = packet.source;
        self.rate.count(timestamp, packet.packet.payload.len());
        let starts = header.is_none() && self.is_start(&packet.packet);
        if starts {
            let start = Start {
                sequence,
                headers: Arc::clone(&self.headers),
            };
            self.bytes += self.start_cost(&start);
            self.starts.push_back((timestamp, start));
        }
        self.push(Entry::Packet(packet));
        starts
    }

    /// Remembers a header for readers to come, unless it is beyond what a real stream has: such a
    /// one passes by like any packet.
    fn keep_header(&mut self, key: HeaderKey, sequence: Sequence, packet: &LoggedPacket) {
        let known = self.headers.contains_key(&key);
        let fits = packet.packet.payload.len() <= MOST_HEADER_BYTES;
        if fits && (known || self.headers.len() < MOST_HEADERS) {
            // A start that still needs the old headers shares them; only then this copies.
            Arc::make_mut(&mut self.headers).insert(key, (sequence, packet.clone()));
        }
    }

    fn push(&mut self, entry: Entry) {
        self.bytes += cost(&entry);
        self.entries.push_back(entry);
        while self.bytes > self.limits.memory && !self.entries.is_empty() {
            self.drop_first();
        }
    }

    /// What a start costs to hold beside the entries: headers of its own, if they are not those of
    /// the start before it.
    fn start_cost(&self, start: &Start) -> usize {
        let shared = self
            .starts
            .back()
            .is_some_and(|(_, last)| Arc::ptr_eq(&last.headers, &start.headers));
        if shared {
            size_of::<Start>()
        } else {
            own_cost(start)
        }
    }

    fn is_start(&mut self, packet: &Packet) -> bool {
        match (packet.track, packet.kind) {
            (Track::Video, PacketKind::KeyFrame) => {
                self.last_video = Some(packet.timestamp);
                true
            }
            (Track::Video, PacketKind::Frame) => {
                self.last_video = Some(packet.timestamp);
                false
            }
            // Without video, or long after the last of it, audio alone is what one starts at.
            (Track::Audio, PacketKind::Frame | PacketKind::KeyFrame) => {
                let video_runs = self
                    .last_video
                    .is_some_and(|last| packet.timestamp.saturating_since(last) <= VIDEO_PAUSE);
                let recent = self.newest_start().is_some()
                    && self.starts.back().is_some_and(|(last, _)| {
                        packet.timestamp.saturating_since(*last) < AUDIO_START_INTERVAL
                    });
                !video_runs && !recent
            }
            _ => false,
        }
    }

    /// Drops what nobody needs. `slowest` is the position of the reader that is furthest behind,
    /// if there are readers.
    pub fn evict(&mut self, slowest: Option<Sequence>) {
        let end = self.end();
        let newest_start = if self.limits.gop_cache {
            self.newest_start()
        } else {
            None
        };
        let start = newest_start.map_or(end, |start| start.sequence);
        let wanted = start.min(slowest.unwrap_or(end)).max(self.first);
        while self.first < wanted {
            self.drop_first();
        }
        // A reader further behind than the queue length has to jump anyway.
        while self.first < start && self.front_is_older_than_queue() {
            self.drop_first();
        }
    }

    /// Entries that are no packets are as old as the packet that follows.
    fn front_is_older_than_queue(&self) -> bool {
        self.lag(self.first) > self.limits.queue_length
    }

    fn drop_first(&mut self) {
        let Some(entry) = self.entries.pop_front() else {
            return;
        };
        self.bytes -= cost(&entry);
        self.first += 1;
        while let Some((_, gone)) = self
            .starts
            .pop_front_if(|(_, start)| start.sequence < self.first)
        {
            self.forget_start(&gone);
        }
    }

    /// Settles the account of a start: if the next one shares its headers, that pays for them now.
    fn forget_start(&mut self, gone: &Start) {
        let heir = self
            .starts
            .front()
            .is_some_and(|(_, next)| Arc::ptr_eq(&next.headers, &gone.headers));
        self.bytes -= if heir {
            size_of::<Start>()
        } else {
            own_cost(gone)
        };
    }

    /// The position behind the last entry.
    pub fn end(&self) -> Sequence {
        self.first + self.entries.len() as u64
    }

    /// The position of the oldest entry that is still held.
    pub fn first(&self) -> Sequence {
        self.first
    }

    /// The highest timestamp so far.
    pub fn head(&self) -> Timestamp {
        self.head
    }

    /// The publisher's timestamp of the newest packet.
    pub fn head_source(&self) -> i64 {
        self.head_source
    }

    /// Bytes held, with the overhead of each packet.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The headers in force at the end.
    pub fn headers(&self) -> &Arc<Headers> {
        &self.headers
    }

    /// The newest place to start in what the present publisher sent: where a new reader begins.
    pub fn newest_start(&self) -> Option<&Start> {
        let publication = self.publication?;
        self.newest_start_of_all()
            .filter(|start| start.sequence >= publication)
    }

    /// The newest place to start, even in what a publisher that has left had sent: where a reader
    /// goes on that was there already.
    pub fn newest_start_of_all(&self) -> Option<&Start> {
        self.starts.back().map(|(_, start)| start)
    }

    /// Whether something that readers wait for stands at `position` or behind it: a start, or that
    /// a publisher began or left.
    pub fn has_news_from(&self, position: Sequence) -> bool {
        let start = self.newest_start_of_all().map(|start| start.sequence);
        start.max(self.last_change) >= Some(position)
    }

    /// Whether there was video lately: a reader without a key frame awaits one.
    pub fn has_video(&self) -> bool {
        self.last_video
            .is_some_and(|last| self.head.saturating_since(last) <= VIDEO_PAUSE)
    }

    /// Bytes of media for a second of the stream, over the last seconds; zero before there were any.
    pub fn bytes_per_second(&self) -> u64 {
        self.rate.bytes_per_second()
    }

    /// Whether there is a publisher.
    pub fn is_published(&self) -> bool {
        self.publication.is_some()
    }

    /// How far the head is ahead of the entry at `position`; zero at the end.
    pub fn lag(&self, position: Sequence) -> Duration {
        self.entries_from(position)
            .take(LAG_LOOK)
            .find_map(|entry| match entry {
                Entry::Packet(next) => Some(self.head.saturating_since(next.packet.timestamp)),
                _ => None,
            })
            .unwrap_or_default()
    }

    /// The entries from `position` on. Entries that are gone are left out.
    pub fn entries_from(&self, position: Sequence) -> impl Iterator<Item = &Entry> {
        let skip = usize::try_from(position.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.entries.range(skip.min(self.entries.len())..)
    }
}

/// What an entry costs to hold: its payload, and its place in the log.
fn cost(entry: &Entry) -> usize {
    let payload = match entry {
        Entry::Packet(logged) => logged.packet.payload.len(),
        Entry::Published | Entry::Unpublished => 0,
    };
    payload + size_of::<Entry>()
}

/// Entries that are no packets may stand before the next packet; nobody needs to count thousands.
const LAG_LOOK: usize = 64;

/// What a start costs with headers of its own.
fn own_cost(start: &Start) -> usize {
    let header = |(_, header): &(Sequence, LoggedPacket)| {
        header.packet.payload.len() + size_of::<(HeaderKey, Sequence, LoggedPacket)>()
    };
    size_of::<Start>() + start.headers.values().map(header).sum::<usize>()
}

/// A stream has metadata and a header or two; with many tracks some more.
const MOST_HEADERS: usize = 16;
/// Longer than any sequence header, and than metadata with an index of key frames.
const MOST_HEADER_BYTES: usize = 256 * 1024;
/// After so long without video a stream counts as audio only: encoders that switch their camera
/// off go on so for hours, while slides may be some seconds apart.
const VIDEO_PAUSE: Duration = Duration::from_secs(10);
/// The distance of starts in a stream without video.
const AUDIO_START_INTERVAL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const LIMITS: LogLimits = LogLimits {
        queue_length: Duration::from_secs(10),
        gop_cache: true,
        memory: 1 << 20,
    };

    fn video(millis: u64, key: bool) -> LoggedPacket {
        let body: &'static [u8] = if key {
            &[0x17, 1, 0, 0, 0, 9]
        } else {
            &[0x27, 1, 0, 0, 0, 9]
        };
        logged(Packet::video(
            Timestamp::from_millis(millis),
            Bytes::from_static(body),
        ))
    }

    fn audio(millis: u64) -> LoggedPacket {
        let body = Bytes::from_static(&[0xAF, 1, 9]);
        logged(Packet::audio(Timestamp::from_millis(millis), body))
    }

    fn video_header(millis: u64) -> LoggedPacket {
        let body = Bytes::from_static(&[0x17, 0, 0, 0, 0, 1]);
        logged(Packet::video(Timestamp::from_millis(millis), body))
    }

    fn logged(packet: Packet) -> LoggedPacket {
        let source = i64::try_from(packet.timestamp.as_millis()).expect("small");
        LoggedPacket {
            packet,
            source,
            discontinuity: false,
        }
    }

    /// A log whose entry 0 is that somebody publishes.
    fn published(limits: LogLimits) -> Log {
        let mut log = Log::new(limits);
        log.publish();
        log
    }

    /// Appends as a stream does: evicts at each start.
    fn append(log: &mut Log, packet: LoggedPacket, slowest: Option<Sequence>) {
        if log.append(packet) {
            log.evict(slowest);
        }
    }

    #[test]
    fn a_new_reader_starts_at_the_newest_key_frame_with_its_headers() {
        let mut log = published(LIMITS);
        append(&mut log, video_header(0), None);
        append(&mut log, video(0, true), None);
        append(&mut log, video(40, false), None);
        append(&mut log, video(80, true), None);
        append(&mut log, audio(85), None);
        let start = log.newest_start().expect("a key frame came");
        assert_eq!(
            start.headers.get(&HeaderKey::Video(0)).map(|(at, _)| *at),
            Some(1)
        );
        assert_eq!(log.entries_from(start.sequence).count(), 2);
        assert_eq!(log.first(), start.sequence, "nothing before it is kept");
    }

    #[test]
    fn what_the_slowest_reader_needs_is_kept_until_the_queue_length() {
        let mut log = published(LIMITS);
        for second in 0..5 {
            append(&mut log, video(second * 1_000, true), Some(1));
        }
        assert_eq!(log.first(), 1);
        for second in 5..30 {
            append(&mut log, video(second * 1_000, true), Some(1));
        }
        assert_eq!(log.first(), 20, "entries older than 10 s are gone");
    }

    #[test]
    fn a_group_of_pictures_longer_than_the_queue_stays_whole() {
        let mut log = published(LIMITS);
        append(&mut log, video(0, true), None);
        for second in 1..60 {
            append(&mut log, video(second * 1_000, false), None);
            log.evict(None);
        }
        assert_eq!(log.first(), 1, "the key frame");
    }

    #[test]
    fn a_publisher_that_begins_does_not_push_on_those_who_wait_for_it() {
        let mut log = published(LIMITS);
        append(&mut log, audio(0), Some(0));
        append(&mut log, video(20, true), Some(0));
        assert_eq!(
            log.first(),
            0,
            "the reader at the beginning has read nothing of it yet"
        );
    }

    #[test]
    fn memory_is_bounded_whatever_the_encoder_does() {
        let mut log = Log::new(LogLimits {
            memory: 10_000,
            ..LIMITS
        });
        append(&mut log, video(0, true), Some(0));
        for millis in 0..100_000 {
            append(&mut log, video(millis, false), Some(0));
            assert!(log.bytes() <= 10_000);
        }
        assert_eq!(log.newest_start(), None, "the key frame did not fit");
    }

    #[test]
    fn memory_is_bounded_whoever_comes_and_goes() {
        let mut log = Log::new(LogLimits {
            memory: 10_000,
            ..LIMITS
        });
        for _ in 0..10_000 {
            log.publish();
            log.unpublish();
            log.evict(Some(0));
        }
        assert!(log.entries_from(0).count() <= 10_000 / size_of::<Entry>());
    }

    #[test]
    fn audio_alone_is_cached_too() {
        let mut log = published(LIMITS);
        for millis in (0..10_000).step_by(23) {
            append(&mut log, audio(millis), None);
        }
        let start = log.newest_start().expect("audio starts anywhere").sequence;
        let cached = log.entries_from(start).count();
        assert!(
            (1..=44).contains(&cached),
            "{cached} packets, about a second at most"
        );
    }

    #[test]
    fn audio_between_video_frames_is_no_start() {
        let mut log = published(LIMITS);
        append(&mut log, video(0, true), None);
        for millis in (0..9_900).step_by(23) {
            append(&mut log, audio(millis), None);
        }
        assert_eq!(log.newest_start().map(|start| start.sequence), Some(1));
    }

    #[test]
    fn key_frames_and_changes_of_the_publisher_are_news() {
        let mut log = published(LIMITS);
        assert!(log.has_news_from(0) && !log.has_news_from(1));
        append(&mut log, video(0, true), None);
        append(&mut log, video(40, false), None);
        assert!(log.has_news_from(1) && !log.has_news_from(2));
        log.unpublish();
        assert!(log.has_news_from(3) && !log.has_news_from(4));
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut log = published(LIMITS);
        assert_eq!(log.bytes_per_second(), 0);
        for frame in 0..=100 {
            append(&mut log, video(frame * 40, frame == 0), None);
        }
        assert_eq!(log.bytes_per_second(), 25 * 6);
    }

    #[test]
    fn without_a_gop_cache_nothing_is_kept_for_readers_to_come() {
        let mut log = Log::new(LogLimits {
            gop_cache: false,
            ..LIMITS
        });
        append(&mut log, video(0, true), None);
        append(&mut log, video(40, true), None);
        assert_eq!(log.first(), log.end());
    }

    #[test]
    fn nothing_of_the_last_publisher_is_left_for_new_readers() {
        let mut log = published(LIMITS);
        append(&mut log, video_header(0), None);
        append(&mut log, video(0, true), None);
        log.unpublish();
        assert_eq!(log.newest_start(), None);
        assert_eq!(**log.headers(), Headers::default());
        assert_eq!(
            log.entries_from(3).count(),
            1,
            "a reader reads on to the end"
        );
    }
}
