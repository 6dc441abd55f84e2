//! The stream that is published: which message is due when, and its bytes.
//!
//! No picture and no sound, but what servers look at is as in a real stream: metadata, sequence
//! headers, tag headers, key frames at an interval. So every server passes it on, also those that
//! keep groups of pictures or wait for a key frame.

use std::time::Duration;

use bytes::Bytes;
use srs_media::Metadata;
use srs_rtmp::MediaKind;
use srs_rtmp::message::MessageType;

use super::moment::Moment;
use super::stamp;
use crate::command::publish::source::SET_DATA_FRAME;

/// How the stream is made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Video and audio together, without the headers of RTMP.
    pub(crate) bitrate_kbps: u32,
    /// Pictures a second; not 0.
    pub(crate) fps: u32,
    /// Audio frames a second; 0 for a stream without sound.
    pub(crate) audio_fps: u32,
    /// From one key frame to the next.
    pub(crate) gop: Duration,
}

/// A message that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// When, from the beginning of the stream.
    pub(super) at: Duration,
    pub(super) frame: Frame,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Key,
    Inter,
    Audio,
}

/// Makes the messages. What is the same in all of them is made once.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    shape: Shape,
    /// Pictures from one key frame to the next.
    gop_frames: u64,
    key: Vec<u8>,
    inter: Vec<u8>,
    audio: Vec<u8>,
}

impl Pattern {
    pub(super) fn new(shape: Shape) -> Self {
        let gop_frames = (shape.gop.as_secs_f64() * f64::from(shape.fps)).round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates, and nobody waits for such a key frame"
        )]
        let gop_frames = (gop_frames as u64).max(1);
        let bytes_per_second = u64::from(shape.bitrate_kbps) * 125;
        let audio_per_second = match shape.audio_fps {
            0 => 0,
            _ => AUDIO_BYTES_PER_SECOND.min(bytes_per_second / 4),
        };
        let video_per_gop =
            (bytes_per_second - audio_per_second) * gop_frames / u64::from(shape.fps);
        let inter_len = video_per_gop / (KEY_FRAME_WEIGHT + gop_frames - 1);
        // The key frame also has what the division left over.
        let key_len = video_per_gop - inter_len * (gop_frames - 1);
        let audio_len = audio_per_second / u64::from(shape.audio_fps.max(1));
        Self {
            shape,
            gop_frames,
            key: video(0x17, 0x65, key_len),
            inter: video(0x27, 0x41, inter_len),
            audio: filled(&[0xAF, 0x01], stamp::AUDIO_HEADER_LEN, audio_len),
        }
    }

    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    /// What a publisher sends before everything else.
    pub(super) fn headers(&self) -> Vec<(MediaKind, Bytes)> {
        let mut metadata = Metadata::new();
        let mut set = |key: &str, value: f64| metadata.insert(key, value);
        set("width", 640.0);
        set("height", 480.0);
        set("framerate", self.shape.fps.into());
        set("videodatarate", self.shape.bitrate_kbps.into());
        set("videocodecid", 7.0);
        if self.shape.audio_fps > 0 {
            set("audiocodecid", 10.0);
        }
        let metadata = [SET_DATA_FRAME, &metadata.encode()].concat();
        let mut headers = vec![
            (MediaKind::Data, metadata.into()),
            (MediaKind::Video, Bytes::from_static(AVC_SEQUENCE_HEADER)),
        ];
        if self.shape.audio_fps > 0 {
            headers.push((MediaKind::Audio, Bytes::from_static(AAC_SEQUENCE_HEADER)));
        }
        headers
    }

    /// Appends `slot`'s message to `out`, stamped with `stamp`: a header of 12 bytes with all
    /// fields (16 after four and a half hours), then the payload in chunks of [`CHUNK_SIZE`].
    ///
    /// Full headers do not depend on what was sent before, so the same bytes do for everybody.
    pub(super) fn append(
        &self,
        slot: Slot,
        message_stream_id: u32,
        stamp: Moment,
        out: &mut Vec<u8>,
    ) {
        let payload = self.payload(slot.frame);
        let (kind, message_type, chunk_stream_id) = match slot.frame {
            Frame::Key | Frame::Inter => (MediaKind::Video, MessageType::Video, VIDEO_CHUNKS),
            Frame::Audio => (MediaKind::Audio, MessageType::Audio, AUDIO_CHUNKS),
        };
        let timestamp = modulo(slot.at.as_millis()).to_be_bytes();
        let is_extended = timestamp >= [0, 0xFF, 0xFF, 0xFF];
        let extended: &[u8] = if is_extended { &timestamp } else { &[] };
        let field = if is_extended {
            &[0xFF; 3]
        } else {
            &timestamp[1..]
        };
        let len = modulo(payload.len() as u128).to_be_bytes();
        out.push(chunk_stream_id);
        out.extend_from_slice(field);
        out.extend_from_slice(&len[1..]);
        out.push(message_type.id());
        out.extend_from_slice(&message_stream_id.to_le_bytes());
        out.extend_from_slice(extended);
        let start = out.len();
        for (number, chunk) in payload.chunks(CHUNK_SIZE as usize).enumerate() {
            if number > 0 {
                out.push(0xC0 | chunk_stream_id);
                out.extend_from_slice(extended);
            }
            out.extend_from_slice(chunk);
        }
        if let Some(offset) = stamp::offset(kind) {
            stamp::write(stamp, &mut out[start + offset..]);
        }
    }

    fn payload(&self, frame: Frame) -> &[u8] {
        match frame {
            Frame::Key => &self.key,
            Frame::Inter => &self.inter,
            Frame::Audio => &self.audio,
        }
    }
}

/// How far a stream has come. Times are reckoned from its beginning, so they never drift.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Timeline {
    pictures: u64,
    sounds: u64,
}

impl Timeline {
    /// The next message.
    pub(super) fn peek(&self, pattern: &Pattern) -> Slot {
        let shape = pattern.shape;
        let picture = at(self.pictures, shape.fps);
        if shape.audio_fps > 0 {
            let sound = at(self.sounds, shape.audio_fps);
            if sound < picture {
                return Slot {
                    at: sound,
                    frame: Frame::Audio,
                };
            }
        }
        let is_key = self.pictures.is_multiple_of(pattern.gop_frames);
        let frame = if is_key { Frame::Key } else { Frame::Inter };
        Slot { at: picture, frame }
    }

    /// Goes on to the one after `slot`, which was the next.
    pub(super) fn advance(&mut self, slot: Slot) {
        match slot.frame {
            Frame::Key | Frame::Inter => self.pictures += 1,
            Frame::Audio => self.sounds += 1,
        }
    }
}

/// When number `index` of so many a second is due.
fn at(index: u64, per_second: u32) -> Duration {
    let (seconds, rest) = (index / u64::from(per_second), index % u64::from(per_second));
    Duration::new(seconds, 0) + Duration::from_secs(rest) / per_second
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "timestamps are counted modulo 2^32, and lengths are far below"
)]
fn modulo(number: u128) -> u32 {
    number as u32
}

/// A video message of about `len` bytes: tag header, length of the NAL unit, its first byte.
fn video(tag: u8, nal: u8, len: u64) -> Vec<u8> {
    let mut payload = filled(
        &[tag, 1, 0, 0, 0, 0, 0, 0, 0, nal],
        stamp::VIDEO_HEADER_LEN + 5,
        len,
    );
    let nal_len = modulo((payload.len() - stamp::VIDEO_HEADER_LEN - 4) as u128);
    payload[stamp::VIDEO_HEADER_LEN..][..4].copy_from_slice(&nal_len.to_be_bytes());
    payload
}

/// A payload of `len` bytes that begins with `header`, but long enough for a stamp behind it.
fn filled(header: &[u8], stamp_offset: usize, len: u64) -> Vec<u8> {
    let len = usize::try_from(len).unwrap_or(usize::MAX).min(MOST_PAYLOAD);
    let mut payload = header.to_vec();
    // Neither zeros, which compress, nor what looks like a start code.
    payload.resize(len.max(stamp_offset + stamp::LEN), 0xA5);
    payload
}

/// The size of the chunks of everything that is sent, in bytes; that of most encoders.
pub(super) const CHUNK_SIZE: u32 = 60_000;
/// Of the longest payload that RTMP can express.
const MOST_PAYLOAD: usize = 0xFF_FFFF;
/// A key frame is so many times as large as another picture.
const KEY_FRAME_WEIGHT: u64 = 7;
/// 64 kbit/s.
const AUDIO_BYTES_PER_SECOND: u64 = 8_000;
/// Chunk streams as encoders use them.
const VIDEO_CHUNKS: u8 = 6;
const AUDIO_CHUNKS: u8 = 7;
/// H.264 baseline 3.0, 640x480.
const AVC_SEQUENCE_HEADER: &[u8] =
    b"\x17\0\0\0\0\x01\x42\xC0\x1E\xFF\xE1\0\x09\x67\x42\xC0\x1E\xDA\x02\x80\xF6\x40\
      \x01\0\x04\x68\xCE\x3C\x80";
/// AAC LC, 44100 Hz, stereo.
const AAC_SEQUENCE_HEADER: &[u8] = b"\xAF\0\x12\x10";

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use srs_media::codec::{AudioConfig, VideoConfig};
    use srs_media::{Packet, PacketKind, Timestamp};
    use srs_rtmp::chunk::ChunkReader;
    use srs_rtmp::limits::Limits;

    use super::*;

    const SHAPE: Shape = Shape {
        bitrate_kbps: 500,
        fps: 25,
        audio_fps: 43,
        gop: Duration::from_secs(2),
    };

    fn slots(pattern: &Pattern, until: Duration) -> Vec<Slot> {
        let mut timeline = Timeline::default();
        let next = || {
            let slot = timeline.peek(pattern);
            timeline.advance(slot);
            Some(slot)
        };
        std::iter::from_fn(next)
            .take_while(|slot| slot.at < until)
            .collect()
    }

    #[test]
    fn a_second_has_68_messages_and_the_bytes_of_the_bit_rate() {
        for bitrate_kbps in [100, 500, 2_000, 20_000] {
            let pattern = Pattern::new(Shape {
                bitrate_kbps,
                ..SHAPE
            });
            let slots = slots(&pattern, Duration::from_secs(20));
            assert_eq!(slots.len(), 68 * 20);
            let bytes: usize = slots.iter().map(|s| pattern.payload(s.frame).len()).sum();
            let wanted = bitrate_kbps as usize * 125 * 20;
            assert!(bytes.abs_diff(wanted) * 100 < wanted, "{bytes} of {wanted}");
        }
    }

    #[test]
    fn key_frames_come_at_their_interval_and_are_about_seven_times_as_large() {
        let pattern = Pattern::new(SHAPE);
        let keys: Vec<_> = slots(&pattern, Duration::from_secs(6))
            .into_iter()
            .filter(|slot| slot.frame == Frame::Key)
            .map(|slot| slot.at.as_millis())
            .collect();
        assert_eq!(keys, [0, 2_000, 4_000]);
        assert!((7 * pattern.inter.len()..8 * pattern.inter.len()).contains(&pattern.key.len()));
    }

    #[test]
    fn a_stream_may_have_no_sound_and_nothing_but_key_frames() {
        let pattern = Pattern::new(Shape {
            audio_fps: 0,
            gop: Duration::from_millis(1),
            ..SHAPE
        });
        let slots = slots(&pattern, Duration::from_secs(1));
        assert_eq!(slots.len(), 25);
        assert!(slots.iter().all(|slot| slot.frame == Frame::Key));
        assert_eq!(pattern.headers().len(), 2);
    }

    #[test]
    fn the_headers_describe_a_stream() {
        let headers = Pattern::new(SHAPE).headers();
        let [(_, metadata), (_, video), (_, audio)] = &headers[..] else {
            panic!("three headers");
        };
        let metadata = Packet::data(Timestamp::ZERO, metadata.clone());
        assert_eq!(metadata.kind, PacketKind::Metadata);
        let video = VideoConfig::parse(video).unwrap().to_string();
        assert!(video.ends_with("640x480"), "{video}");
        let audio = AudioConfig::parse(audio).unwrap().to_string();
        assert_eq!(audio, "AAC LC 44100 Hz stereo");
    }

    #[test]
    fn a_message_is_read_as_it_was_meant_at_any_time_and_size() {
        for (bitrate_kbps, at) in [
            (10, 0),
            (500, 40),
            (500, 0xFF_FFFF),
            (100_000, 0x1_0000_0000),
        ] {
            let pattern = Pattern::new(Shape {
                bitrate_kbps,
                ..SHAPE
            });
            for frame in [Frame::Key, Frame::Inter, Frame::Audio] {
                let (at, stamp) = (Duration::from_millis(at), Moment::from_nanos(77));
                let mut bytes = Vec::new();
                pattern.append(Slot { at, frame }, 5, stamp, &mut bytes);

                let mut reader = ChunkReader::new(Limits::default());
                reader.set_chunk_size(CHUNK_SIZE).unwrap();
                let mut input = BytesMut::from(&bytes[..]);
                let message = reader.read(&mut input).unwrap().unwrap();
                assert!(input.is_empty());
                assert_eq!(message.message_stream_id, 5);
                assert_eq!(message.timestamp, modulo(at.as_millis()));
                assert_eq!(message.payload.len(), pattern.payload(frame).len());
                let (kind, packet) = if frame == Frame::Audio {
                    let packet = Packet::audio(Timestamp::ZERO, message.payload.clone());
                    (MediaKind::Audio, packet)
                } else {
                    let packet = Packet::video(Timestamp::ZERO, message.payload.clone());
                    (MediaKind::Video, packet)
                };
                assert_eq!(packet.is_key_frame(), frame == Frame::Key);
                assert_eq!(stamp::read(kind, &message.payload), Some(stamp));
            }
        }
    }

    #[test]
    fn times_do_not_drift() {
        assert_eq!(at(43 * 86_400, 43), Duration::from_secs(86_400));
        assert_eq!(at(1, 25), Duration::from_millis(40));
    }
}
