//! What arrives of a stream, in figures.
//!
//! Frames and bytes per second are counted as they arrive, by the clock of the caller; key frame
//! intervals, skew and everything else about timestamps are media time.

use std::time::{Duration, Instant};

use srs_media::codec::{AudioConfig, Resolution, VideoConfig};
use srs_media::{Metadata, Packet, PacketKind, Timestamp, Track, audio, video};

use crate::output::kbps;

/// The figures of one play, from its start.
#[derive(Clone, Debug)]
pub(crate) struct Stats {
    start: Instant,
    window: Instant,
    metadata: Option<Metadata>,
    pub(super) video: Video,
    pub(super) audio: Audio,
    pub(super) arrival: Arrival,
    /// How far sound was ahead of the picture: least and most, in milliseconds.
    pub(super) skew: Option<Range<i64>>,
}

/// The least and the most of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range<T> {
    pub(super) least: T,
    pub(super) most: T,
}

/// The picture.
#[derive(Clone, Debug, Default)]
pub(crate) struct Video {
    pub(super) track: TrackStats,
    /// What the last sequence header says.
    pub(super) config: Option<VideoConfig>,
    pub(super) resolution: Option<Resolution>,
    last_key_frame: Option<Timestamp>,
    /// Between the last two key frames.
    key_frame_interval: Option<Duration>,
    pub(super) key_frame_intervals: Option<Range<Duration>>,
}

/// The sound.
#[derive(Clone, Debug, Default)]
pub(crate) struct Audio {
    pub(super) track: TrackStats,
    /// What the last sequence header says.
    pub(super) config: Option<AudioConfig>,
}

/// What the two tracks have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrackStats {
    /// The codec by the last frame or header.
    pub(super) codec: Option<String>,
    pub(super) frames: u64,
    pub(super) bytes: u64,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    /// How often a timestamp was before the one before it.
    pub(super) backward: u64,
    window: Window,
}

/// What has come since the last row.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    frames: u64,
    bytes: u64,
}

/// When packets came.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Arrival {
    /// From the start.
    pub(super) first_packet: Option<Duration>,
    /// From the start.
    pub(super) first_key_frame: Option<Duration>,
    last: Option<Instant>,
    /// The longest time without a packet since the last row.
    gap: Duration,
    /// And of all, with the time from the start at which it ended.
    pub(super) largest_gap: Option<(Duration, Duration)>,
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// Since the start.
    pub(super) elapsed: Duration,
    pub(super) video: Option<TrackRow>,
    pub(super) resolution: Option<Resolution>,
    pub(super) key_frame_interval: Option<Duration>,
    pub(super) audio: Option<TrackRow>,
    /// How far sound is ahead of the picture, in milliseconds.
    pub(super) skew: Option<i64>,
    /// The longest time without a packet, the one that still lasts included.
    pub(super) gap: Duration,
}

/// One track in a line of the table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TrackRow {
    pub(super) codec: String,
    pub(super) frames_per_second: f64,
    pub(super) kbps: f64,
    pub(super) timestamp: Timestamp,
}

impl Stats {
    /// The figures of a play that begins at `start`.
    pub(crate) fn new(start: Instant) -> Self {
        Self {
            start,
            window: start,
            metadata: None,
            video: Video::default(),
            audio: Audio::default(),
            arrival: Arrival::default(),
            skew: None,
        }
    }

    /// Takes a packet that came at `now`.
    pub(crate) fn take(&mut self, packet: &Packet, now: Instant) {
        let is_key_frame = packet.is_key_frame();
        match packet.track {
            Track::Video => self.video.take(packet, self.metadata.as_ref()),
            Track::Audio => self.audio.take(packet),
            Track::Data => {
                if packet.kind == PacketKind::Metadata {
                    self.metadata = Metadata::decode(&packet.payload).ok();
                }
                return;
            }
        }
        if self.arrival.first_packet.is_none() {
            // The time before would make the first row look thin.
            self.window = now;
        }
        self.arrival.take(is_key_frame, now, self.start);
        if let Some(skew) = self.skew_now() {
            self.skew = Some(Range::include(self.skew, skew));
        }
    }

    /// The figures since the last row.
    pub(crate) fn row(&mut self, now: Instant) -> Row {
        let span = now.saturating_duration_since(std::mem::replace(&mut self.window, now));
        Row {
            elapsed: now.saturating_duration_since(self.start),
            video: self.video.track.row(span),
            resolution: self.video.resolution,
            key_frame_interval: self.video.key_frame_interval,
            audio: self.audio.track.row(span),
            skew: self.skew_now(),
            gap: self.arrival.gap(now),
        }
    }

    /// Whether there was sound or a picture.
    pub(crate) fn has_media(&self) -> bool {
        self.video.track.frames + self.audio.track.frames > 0
    }

    fn skew_now(&self) -> Option<i64> {
        let millis = |track: &TrackStats| i64::try_from(track.last?.as_millis()).ok();
        Some(millis(&self.audio.track)? - millis(&self.video.track)?)
    }
}

impl Video {
    fn take(&mut self, packet: &Packet, metadata: Option<&Metadata>) {
        let codec = video::TagHeader::parse(&packet.payload)
            .ok()
            .and_then(|header| header.codec);
        self.track
            .take(packet, codec.map(|codec| codec.to_string()));
        match packet.kind {
            PacketKind::SequenceHeader => {
                self.config = VideoConfig::parse(&packet.payload).ok();
                let said = self.config.as_ref().and_then(VideoConfig::resolution);
                self.resolution = said.or_else(|| metadata?.resolution());
            }
            PacketKind::KeyFrame => {
                if let Some(last) = self.last_key_frame {
                    let interval = packet.timestamp.saturating_since(last);
                    self.key_frame_interval = Some(interval);
                    let all = Range::include(self.key_frame_intervals, interval);
                    self.key_frame_intervals = Some(all);
                }
                self.last_key_frame = Some(packet.timestamp);
                // Codecs without a sequence header.
                self.resolution = self.resolution.or_else(|| metadata?.resolution());
            }
            _ => {}
        }
    }
}

impl Audio {
    fn take(&mut self, packet: &Packet) {
        let codec = audio::TagHeader::parse(&packet.payload)
            .ok()
            .map(|header| header.codec);
        self.track
            .take(packet, codec.map(|codec| codec.to_string()));
        if packet.is_sequence_header() {
            self.config = AudioConfig::parse(&packet.payload).ok();
        }
    }
}

impl TrackStats {
    fn take(&mut self, packet: &Packet, codec: Option<String>) {
        let bytes = packet.payload.len() as u64;
        self.bytes += bytes;
        self.window.bytes += bytes;
        if codec.is_some() {
            self.codec = codec;
        }
        if !matches!(packet.kind, PacketKind::Frame | PacketKind::KeyFrame) {
            return;
        }
        self.frames += 1;
        self.window.frames += 1;
        self.first.get_or_insert(packet.timestamp);
        if self.last.is_some_and(|last| packet.timestamp < last) {
            self.backward += 1;
        }
        self.last = Some(packet.timestamp);
    }

    /// `None` if the track has no frames at all.
    fn row(&mut self, span: Duration) -> Option<TrackRow> {
        let window = std::mem::take(&mut self.window);
        Some(TrackRow {
            codec: self.codec.clone().unwrap_or_default(),
            frames_per_second: per_second(window.frames, span),
            kbps: kbps(window.bytes, span),
            timestamp: self.last?,
        })
    }

    /// The media time between the first and the last frame.
    pub(super) fn duration(&self) -> Duration {
        match (self.first, self.last) {
            (Some(first), Some(last)) => last.saturating_since(first),
            _ => Duration::ZERO,
        }
    }

    /// Frames per second of media time, on average; zero if there are fewer than two.
    pub(super) fn frame_rate(&self) -> f64 {
        per_second(self.frames.saturating_sub(1), self.duration())
    }
}

impl Arrival {
    fn take(&mut self, is_key_frame: bool, now: Instant, start: Instant) {
        let since_start = now.saturating_duration_since(start);
        self.first_packet.get_or_insert(since_start);
        if is_key_frame {
            self.first_key_frame.get_or_insert(since_start);
        }
        if let Some(last) = self.last.replace(now) {
            let gap = now.saturating_duration_since(last);
            self.gap = self.gap.max(gap);
            if self.largest_gap.is_none_or(|(largest, _)| gap > largest) {
                self.largest_gap = Some((gap, since_start));
            }
        }
    }

    fn gap(&mut self, now: Instant) -> Duration {
        let open = self
            .last
            .map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        std::mem::take(&mut self.gap).max(open)
    }
}

impl<T: Copy + Ord> Range<T> {
    fn include(range: Option<Self>, value: T) -> Self {
        range.map_or(
            Self {
                least: value,
                most: value,
            },
            |range| Self {
                least: range.least.min(value),
                most: range.most.max(value),
            },
        )
    }
}

fn per_second(count: u64, span: Duration) -> f64 {
    if span.is_zero() {
        0.0
    } else {
        count as f64 / span.as_secs_f64()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;

    use bytes::{Bytes, BytesMut};
    use srs_media::flv;
    use testkit::clips;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The packets of a clip with their times.
    pub(crate) fn packets(clip: &std::path::Path) -> Vec<Packet> {
        let mut file: BytesMut = fs::read(clip).unwrap().as_slice().into();
        let mut reader = flv::Reader::new(flv::Limits::default());
        let mut packets = Vec::new();
        while let Some(tag) = reader.read(&mut file).unwrap() {
            packets.push(tag.into_packet(Timestamp::ZERO));
        }
        packets
    }

    /// The figures after `length` of a clip that comes in real time, and the row of each second.
    fn play(clip: &std::path::Path, length: Duration) -> (Stats, Vec<Row>) {
        let start = Instant::now();
        let mut stats = Stats::new(start);
        let mut rows = Vec::new();
        let mut next = SECOND;
        for packet in packets(clip) {
            let at = packet.timestamp.saturating_since(Timestamp::ZERO);
            while at >= next {
                rows.push(stats.row(start + next));
                next += SECOND;
            }
            if at >= length {
                break;
            }
            stats.take(&packet, start + at);
        }
        (stats, rows)
    }

    fn video(millis: u64, is_key_frame: bool) -> Packet {
        let first = if is_key_frame { 0x17 } else { 0x27 };
        let payload = Bytes::copy_from_slice(&[first, 1, 0, 0, 0, 9]);
        Packet::video(Timestamp::from_millis(millis), payload)
    }

    fn audio(millis: u64) -> Packet {
        Packet::audio(
            Timestamp::from_millis(millis),
            Bytes::from_static(&[0xAF, 1, 9]),
        )
    }

    #[test]
    fn a_steady_stream_has_steady_figures() {
        let (stats, rows) = play(&clips::demo(), 5 * SECOND);
        assert_eq!(rows.len(), 5);
        let row = &rows[4];
        let (video, audio) = (row.video.as_ref().unwrap(), row.audio.as_ref().unwrap());
        assert_eq!(
            (video.codec.as_str(), audio.codec.as_str()),
            ("H.264", "AAC")
        );
        assert_eq!(
            row.resolution,
            Some(Resolution {
                width: 640,
                height: 360
            })
        );
        assert_eq!(video.frames_per_second, 25.0);
        assert_eq!(row.key_frame_interval, Some(2 * SECOND));
        assert!((55.0..75.0).contains(&audio.kbps), "{}", audio.kbps);
        assert!((200.0..400.0).contains(&video.kbps), "{}", video.kbps);
        assert!((24.9..25.1).contains(&stats.video.track.frame_rate()));
        assert_eq!(stats.video.track.backward + stats.audio.track.backward, 0);
    }

    #[test]
    fn skew_is_how_far_sound_is_ahead() {
        let start = Instant::now();
        let mut stats = Stats::new(start);
        stats.take(&video(1_000, true), start);
        assert_eq!(stats.row(start).skew, None, "there is no sound");
        stats.take(&audio(1_030), start);
        assert_eq!(stats.row(start).skew, Some(30));
        stats.take(&video(1_040, false), start);
        assert_eq!(stats.row(start).skew, Some(-10));
        assert_eq!(
            stats.skew,
            Some(Range {
                least: -10,
                most: 30
            })
        );
    }

    #[test]
    fn a_gap_counts_where_it_ends_and_while_it_lasts() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut stats = Stats::new(start);
        let mut gaps = Vec::new();
        for (packet, row) in [(Some(100), 1_000), (None, 2_000), (Some(2_500), 3_000)] {
            if let Some(millis) = packet {
                stats.take(&audio(millis), at(millis));
            }
            gaps.push(stats.row(at(row)).gap.as_millis());
        }
        assert_eq!(gaps, [900, 1_900, 2_400]);
        let millis = Duration::from_millis;
        assert_eq!(
            stats.arrival.largest_gap,
            Some((millis(2_400), millis(2_500)))
        );
    }

    #[test]
    fn the_start_is_told_apart_from_the_first_key_frame() {
        let start = Instant::now();
        let mut stats = Stats::new(start);
        stats.take(&audio(0), start + Duration::from_millis(3));
        stats.take(&video(0, true), start + Duration::from_millis(8));
        stats.take(&video(40, true), start + Duration::from_millis(48));
        let first = [stats.arrival.first_packet, stats.arrival.first_key_frame];
        assert_eq!(first.map(|time| time.unwrap().as_millis()), [3, 8]);
    }

    #[test]
    fn the_time_before_the_stream_does_not_thin_out_its_first_row() {
        let start = Instant::now();
        let mut stats = Stats::new(start);
        for millis in [60_000, 60_250] {
            stats.take(&audio(millis), start + Duration::from_millis(millis));
        }
        let row = stats.row(start + Duration::from_millis(60_500));
        assert_eq!(row.audio.unwrap().frames_per_second, 4.0);
    }

    #[test]
    fn time_that_goes_back_is_counted() {
        let start = Instant::now();
        let mut stats = Stats::new(start);
        for millis in [0, 40, 20, 60, 10] {
            stats.take(&video(millis, false), start);
        }
        stats.take(&audio(5), start);
        assert_eq!(stats.video.track.backward, 2);
        assert_eq!(stats.audio.track.backward, 0);
    }

    #[test]
    fn a_stream_of_headers_alone_has_no_media() {
        let mut stats = Stats::new(Instant::now());
        let header = Bytes::from_static(&[0xAF, 0, 0x12, 0x10]);
        stats.take(&Packet::audio(Timestamp::ZERO, header), Instant::now());
        assert!(!stats.has_media());
        assert_eq!(
            stats.audio.config.unwrap().to_string(),
            "AAC LC 44100 Hz stereo"
        );
    }
}
