//! What a stream's own packets tell of it, beside its headers: how many, how often, how far apart.

use std::time::Duration;

use srs_media::codec::{AudioCodec, VideoCodec};
use srs_media::packet::{Packet, PacketKind, Track};
use srs_media::time::Timestamp;
use srs_media::{audio, video};

use super::headers::{AudioHeader, Header, VideoHeader};

/// How much media a stream has in a second, by its own timestamps.
#[derive(Clone, Copy, Debug, Default)]
pub struct MediaRate {
    bytes_per_second: u64,
    /// Where the stretch that is measured now begins.
    since: Timestamp,
    bytes: u64,
}

impl MediaRate {
    /// Counts a packet of `len` bytes.
    pub fn count(&mut self, timestamp: Timestamp, len: usize) {
        self.bytes += len as u64;
        let elapsed = timestamp.saturating_since(self.since);
        if elapsed >= RATE_STRETCH {
            let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            self.bytes_per_second = self.bytes.saturating_mul(1_000) / millis.max(1);
            self.since = timestamp;
            self.bytes = 0;
        }
    }

    /// The rate over the last stretch of some seconds; zero before there was one.
    pub fn bytes_per_second(&self) -> u64 {
        self.bytes_per_second
    }
}

/// What was counted of a stream's packets as they came in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Video frames.
    pub video_frames: u64,
    /// How often its publisher's clock jumped.
    pub clock_jumps: u64,
    video: TrackFigures,
    audio: TrackFigures,
    frames: FrameCount,
    last_key_frame: Option<Timestamp>,
    gop: Option<Duration>,
    video_header: Option<VideoHeader>,
    audio_header: Option<AudioHeader>,
}

#[derive(Clone, Copy, Debug, Default)]
struct TrackFigures {
    newest: Option<Timestamp>,
    /// How the newest packet begins: its codec can be told from that where there is no sequence
    /// header.
    begins: [u8; TAG_HEADER],
}

/// Frames over a stretch of media time.
#[derive(Clone, Copy, Debug, Default)]
struct FrameCount {
    since: Option<Timestamp>,
    frames: u32,
    per_second: f64,
}

impl Figures {
    /// Counts a packet.
    pub fn count(&mut self, packet: &Packet) {
        let is_frame = matches!(packet.kind, PacketKind::KeyFrame | PacketKind::Frame);
        match packet.track {
            Track::Video if is_frame => {
                self.video.note(packet);
                self.video_frames += 1;
                self.frames.count(packet.timestamp);
                if packet.kind == PacketKind::KeyFrame {
                    self.note_key_frame(packet.timestamp);
                }
            }
            Track::Audio if is_frame => self.audio.note(packet),
            _ => {}
        }
    }

    /// Takes in what a header says.
    pub fn note_header(&mut self, header: Header) {
        match header {
            Header::Video(header) => self.video_header = header,
            Header::Audio(header) => self.audio_header = header,
        }
    }

    /// Forgets the headers: their publisher has left.
    pub fn forget_headers(&mut self) {
        (self.video_header, self.audio_header) = (None, None);
    }

    /// Forgets what the last publisher's packets said; the sums stay.
    pub fn restart(&mut self) {
        *self = Self {
            video_frames: self.video_frames,
            clock_jumps: self.clock_jumps,
            ..Self::default()
        };
    }

    fn note_key_frame(&mut self, timestamp: Timestamp) {
        if let Some(last) = self.last_key_frame.replace(timestamp) {
            self.gop = Some(timestamp.saturating_since(last));
        }
    }

    /// Frames per second of media time, over the last seconds; zero before they have passed.
    pub(in crate::hub) fn frame_rate(&self) -> f64 {
        self.frames.per_second
    }

    /// How far the media has come, by whichever track is ahead; `None` before there was any.
    pub fn newest(&self) -> Option<Timestamp> {
        self.audio.newest.max(self.video.newest)
    }

    /// The time between the last two key frames.
    pub fn gop(&self) -> Option<Duration> {
        self.gop
    }

    /// The time between the last two key frames, or since the last one, if that is longer.
    pub fn key_frame_distance(&self) -> Option<Duration> {
        let open = self.video.newest?.saturating_since(self.last_key_frame?);
        Some(open.max(self.gop.unwrap_or_default()))
    }

    /// What the video sequence header says, if one is in force that can be read.
    pub fn video_header(&self) -> Option<&VideoHeader> {
        self.video_header.as_ref()
    }

    /// What the audio sequence header says, likewise.
    pub fn audio_header(&self) -> Option<&AudioHeader> {
        self.audio_header.as_ref()
    }

    /// How the video is coded, as its header says, or the newest frame.
    pub fn video_codec(&self) -> Option<VideoCodec> {
        let tag = || video::TagHeader::parse(self.video_begins()?).ok()?.codec;
        self.video_header.map(|header| header.codec).or_else(tag)
    }

    /// How the audio is coded, likewise.
    pub fn audio_codec(&self) -> Option<AudioCodec> {
        let tag = || Some(audio::TagHeader::parse(self.audio_begins()?).ok()?.codec);
        self.audio_header.map(|header| header.codec).or_else(tag)
    }

    /// By how many milliseconds the newest audio is ahead of the newest video; negative if it is
    /// behind.
    pub fn skew_millis(&self) -> Option<i64> {
        let millis = |timestamp: Timestamp| i64::try_from(timestamp.as_millis()).ok();
        Some(millis(self.audio.newest?)? - millis(self.video.newest?)?)
    }

    /// How the newest video frame begins, if there was one.
    pub fn video_begins(&self) -> Option<&[u8]> {
        self.video.newest.map(|_| &self.video.begins[..])
    }

    /// How the newest audio packet begins, if there was one.
    pub fn audio_begins(&self) -> Option<&[u8]> {
        self.audio.newest.map(|_| &self.audio.begins[..])
    }
}

impl TrackFigures {
    fn note(&mut self, packet: &Packet) {
        self.newest = Some(packet.timestamp);
        let len = packet.payload.len().min(TAG_HEADER);
        self.begins = [0; TAG_HEADER];
        self.begins[..len].copy_from_slice(&packet.payload[..len]);
    }
}

impl FrameCount {
    fn count(&mut self, timestamp: Timestamp) {
        let Some(since) = self.since else {
            self.since = Some(timestamp);
            return;
        };
        self.frames += 1;
        let elapsed = timestamp.saturating_since(since);
        if elapsed >= RATE_STRETCH {
            self.per_second = f64::from(self.frames) / elapsed.as_secs_f64();
            self.since = Some(timestamp);
            self.frames = 0;
        }
    }
}

/// A group of pictures, as most encoders make them.
const RATE_STRETCH: Duration = Duration::from_secs(2);
/// The longest tag header that tells a codec: enhanced RTMP's, with its FourCC.
const TAG_HEADER: usize = 8;

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn frame_rate_and_distance_of_key_frames_are_those_of_the_media_time() {
        let mut figures = Figures::default();
        for frame in 0..200_u64 {
            let body: &'static [u8] = if frame % 50 == 0 {
                &[0x17, 1, 0, 0, 0, 9]
            } else {
                &[0x27, 1, 0, 0, 0, 9]
            };
            let time = Timestamp::from_millis(frame * 40);
            figures.count(&Packet::video(time, Bytes::from_static(body)));
            let time = Timestamp::from_millis(frame * 40 + 15);
            figures.count(&Packet::audio(time, Bytes::from_static(&[0xAF, 1])));
        }
        assert_eq!(figures.video_frames, 200);
        assert_eq!(figures.frame_rate(), 25.0);
        assert_eq!(figures.gop(), Some(Duration::from_secs(2)));
        assert_eq!(figures.skew_millis(), Some(15));
        // The last one was frame 150 of 0 to 199.
        assert_eq!(figures.key_frame_distance(), Some(Duration::from_secs(2)));
        assert_eq!(figures.video_codec(), Some(VideoCodec::Avc));
        assert_eq!(figures.audio_codec(), Some(AudioCodec::Aac));
        assert_eq!(figures.video_begins().map(|begins| begins[0]), Some(0x27));
        figures.restart();
        assert_eq!((figures.video_frames, figures.gop()), (200, None));
        assert_eq!(figures.audio_begins(), None);
    }

    #[test]
    fn a_key_frame_that_does_not_come_counts_too() {
        let mut figures = Figures::default();
        assert_eq!(figures.key_frame_distance(), None);
        let cases = [(0, true, 0), (2, true, 2), (3, false, 2), (14, false, 12)];
        for (seconds, is_key, distance) in cases {
            let body = [if is_key { 0x17 } else { 0x27 }, 1, 0, 0, 0, 9];
            let time = Timestamp::from_millis(seconds * 1_000);
            figures.count(&Packet::video(time, Bytes::copy_from_slice(&body)));
            let distance = Duration::from_secs(distance);
            assert_eq!(figures.key_frame_distance(), Some(distance), "{seconds}");
        }
    }

    #[test]
    fn a_stream_of_audio_has_no_frames() {
        let mut figures = Figures::default();
        figures.count(&Packet::audio(
            Timestamp::ZERO,
            Bytes::from_static(&[0xAF, 1]),
        ));
        assert_eq!((figures.video_frames, figures.frame_rate()), (0, 0.0));
        assert_eq!(figures.skew_millis(), None);
    }
}
