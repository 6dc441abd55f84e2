//! One audio, video or data message of a stream, with what a server must know to pass it on.
//!
//! A packet is what RTMP carries as a message body and FLV as a tag body; it is never taken apart
//! on its way through. [`crate::video`] and [`crate::audio`] read more from the payload.

use bytes::Bytes;

use crate::metadata;
use crate::time::Timestamp;
use crate::{audio, video};

/// A packet; cloning it is a reference count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// What the payload is part of.
    pub track: Track,
    /// The role that it plays there.
    pub kind: PacketKind,
    /// When it is decoded.
    pub timestamp: Timestamp,
    /// The body of the message or tag, with its tag header.
    pub payload: Bytes,
}

/// The tracks of a stream. Those of enhanced RTMP's multitrack are told apart by
/// [`Packet::track_id`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Track {
    /// Message and tag type 8.
    Audio,
    /// Message and tag type 9.
    Video,
    /// Message and tag type 18.
    Data,
}

/// The role of a packet in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PacketKind {
    /// Configures the decoder of audio or video: who joins later needs the last one first.
    SequenceHeader,
    /// Video with which decoding can begin.
    KeyFrame,
    /// Audio, or video that needs earlier frames; also what could not be read.
    Frame,
    /// The track has no more frames until the next sequence header.
    EndOfSequence,
    /// Describes the stream, and holds until the next of its track: `onMetaData` in the data track;
    /// in enhanced RTMP the colours in the video, the order of channels in the audio track.
    Metadata,
    /// Any other event of the data track, such as `onTextData` or `onCuePoint`.
    Data,
}

impl Packet {
    /// An audio message: `SequenceHeader`, `Frame`, `EndOfSequence` or `Metadata`.
    ///
    /// A body that is empty, as some encoders send them, or not understood is a `Frame`.
    pub fn audio(timestamp: Timestamp, body: Bytes) -> Self {
        let packet_type = audio::TagHeader::parse(&body).map(|header| header.packet_type);
        let kind = match packet_type {
            Ok(audio::PacketType::SequenceStart) => PacketKind::SequenceHeader,
            Ok(audio::PacketType::SequenceEnd) => PacketKind::EndOfSequence,
            Ok(audio::PacketType::MultichannelConfig) => PacketKind::Metadata,
            _ => PacketKind::Frame,
        };
        Self {
            track: Track::Audio,
            kind,
            timestamp,
            payload: body,
        }
    }

    /// A video message: `SequenceHeader`, `KeyFrame`, `Frame`, `EndOfSequence` or `Metadata`.
    ///
    /// In multitrack video only a key frame of the default track is a `KeyFrame`: a player that
    /// begins with that of another track, which follows within the same moment, would miss it.
    /// A body that is empty or not understood is a `Frame`.
    pub fn video(timestamp: Timestamp, body: Bytes) -> Self {
        let kind = match video::TagHeader::parse(&body) {
            Ok(header) if header.is_sequence_header() => PacketKind::SequenceHeader,
            Ok(header) if header.is_key_frame() && header.track_id == 0 => PacketKind::KeyFrame,
            Ok(header) => match header.packet_type {
                video::PacketType::SequenceEnd => PacketKind::EndOfSequence,
                video::PacketType::Metadata => PacketKind::Metadata,
                _ => PacketKind::Frame,
            },
            Err(_) => PacketKind::Frame,
        };
        Self {
            track: Track::Video,
            kind,
            timestamp,
            payload: body,
        }
    }

    /// A data message in AMF0 (of an AMF3 data message, what follows its first byte): `Metadata` if
    /// it is `onMetaData`, otherwise `Data`.
    ///
    /// A leading `@setDataFrame` is not part of the payload: it is the publisher's word to the
    /// server, and no player expects it.
    pub fn data(timestamp: Timestamp, body: Bytes) -> Self {
        let payload = metadata::without_set_data_frame(body);
        let kind = if metadata::is_metadata(&payload) {
            PacketKind::Metadata
        } else {
            PacketKind::Data
        };
        Self {
            track: Track::Data,
            kind,
            timestamp,
            payload,
        }
    }

    /// Whether this configures a decoder.
    pub fn is_sequence_header(&self) -> bool {
        self.kind == PacketKind::SequenceHeader
    }

    /// Whether this is video with which decoding can begin.
    pub fn is_key_frame(&self) -> bool {
        self.kind == PacketKind::KeyFrame
    }

    /// The track of multitrack audio or video that the packet belongs to, the first if to several;
    /// 0 for the default track, and for everything else. Each track has its own sequence header.
    pub fn track_id(&self) -> u8 {
        match self.track {
            Track::Audio => audio::TagHeader::parse(&self.payload).map(|header| header.track_id),
            Track::Video => video::TagHeader::parse(&self.payload).map(|header| header.track_id),
            Track::Data => Ok(0),
        }
        .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kind(track: Track, body: &'static [u8]) -> PacketKind {
        let body = Bytes::from_static(body);
        let packet = match track {
            Track::Audio => Packet::audio(Timestamp::ZERO, body),
            Track::Video => Packet::video(Timestamp::ZERO, body),
            Track::Data => Packet::data(Timestamp::ZERO, body),
        };
        assert_eq!(packet.track, track);
        packet.kind
    }

    #[test]
    fn video_is_told_by_its_tag_header() {
        use PacketKind::{EndOfSequence, Frame, KeyFrame, Metadata, SequenceHeader};

        let cases: [(&str, &'static [u8], PacketKind); 24] = [
            ("H.264 header", b"\x17\0\0\0\0\x01", SequenceHeader),
            (
                "H.264 header marked as inter frame",
                b"\x27\0\0\0\0\x01",
                SequenceHeader,
            ),
            ("H.264 key frame", b"\x17\x01\0\0\0a", KeyFrame),
            ("H.264 frame", b"\x27\x01\0\0\0a", Frame),
            ("H.264 end", b"\x17\x02\0\0\0", EndOfSequence),
            ("H.264 command", b"\x57\0", Frame),
            ("generated key frame", b"\x47\x01\0\0\0a", Frame),
            ("HEVC header", b"\x1C\0\0\0\0\x01", SequenceHeader),
            ("HEVC key frame", b"\x1C\x01\0\0\0a", KeyFrame),
            ("AV1 header", b"\x1D\0\0\0\0\x81", SequenceHeader),
            ("H.263 key frame", b"\x12\0", KeyFrame),
            ("VP6 frame", b"\x24\0", Frame),
            ("enhanced header", b"\x90hvc1\x01", SequenceHeader),
            ("enhanced header for TS", b"\x95av01\x80", SequenceHeader),
            ("enhanced key frame", b"\x91hvc1\0\0\0a", KeyFrame),
            ("enhanced key frame without time", b"\x93hvc1a", KeyFrame),
            ("enhanced frame", b"\xA1av01a", Frame),
            ("enhanced end", b"\x92av01", EndOfSequence),
            ("enhanced metadata", b"\x94av01\x02", Metadata),
            ("enhanced command", b"\xD1\0", Frame),
            (
                "key frame of the default track",
                b"\x96\x01av01\0a",
                KeyFrame,
            ),
            ("key frame of another track", b"\x96\x01av01\x01a", Frame),
            ("empty", b"", Frame),
            ("cut short", b"\x17", Frame),
        ];
        for (name, body, expected) in cases {
            assert_eq!(kind(Track::Video, body), expected, "{name}");
        }
    }

    #[test]
    fn audio_is_told_by_its_tag_header() {
        use PacketKind::{EndOfSequence, Frame, Metadata, SequenceHeader};

        let cases: [(&str, &'static [u8], PacketKind); 9] = [
            ("AAC header", b"\xAF\0\x12\x10", SequenceHeader),
            ("AAC frame", b"\xAF\x01a", Frame),
            ("MP3 frame", b"\x2F\0", Frame),
            ("enhanced header", b"\x90OpusOpusHead", SequenceHeader),
            ("enhanced frame", b"\x91Opusa", Frame),
            ("enhanced end", b"\x92Opus", EndOfSequence),
            ("order of channels", b"\x94Opus\x01\x02", Metadata),
            ("empty", b"", Frame),
            ("cut short", b"\xAF", Frame),
        ];
        for (name, body, expected) in cases {
            assert_eq!(kind(Track::Audio, body), expected, "{name}");
        }
    }

    #[test]
    fn data_is_told_by_its_name() {
        let cases: [(&str, &'static [u8], PacketKind); 5] = [
            (
                "metadata",
                b"\x02\0\x0AonMetaData\x08",
                PacketKind::Metadata,
            ),
            (
                "another event",
                b"\x02\0\x0AonTextData\x08",
                PacketKind::Data,
            ),
            ("a longer name", b"\x02\0\x0BonMetaDataX", PacketKind::Data),
            ("cut short", b"\x02\0\x0AonMeta", PacketKind::Data),
            ("empty", b"", PacketKind::Data),
        ];
        for (name, body, expected) in cases {
            assert_eq!(kind(Track::Data, body), expected, "{name}");
        }
    }

    #[test]
    fn the_word_to_the_server_is_not_part_of_the_payload() {
        let body = Bytes::from_static(b"\x02\0\x0D@setDataFrame\x02\0\x0AonMetaData\x05");
        let packet = Packet::data(Timestamp::ZERO, body);

        assert_eq!(packet.kind, PacketKind::Metadata);
        assert_eq!(packet.payload, &b"\x02\0\x0AonMetaData\x05"[..]);
    }

    #[test]
    fn packets_know_the_track_they_belong_to() {
        let video = |body| Packet::video(Timestamp::ZERO, Bytes::from_static(body)).track_id();
        let audio = |body| Packet::audio(Timestamp::ZERO, Bytes::from_static(body)).track_id();

        assert_eq!(video(b"\x17\x01\0\0\0a"), 0);
        assert_eq!(video(b"\x96\x00av01\x02\x81"), 2);
        assert_eq!(audio(b"\x95\x01Opus\x03a"), 3);
        assert_eq!(audio(b""), 0);
    }

    proptest! {
        #[test]
        fn any_body_makes_a_packet(body: Vec<u8>, millis: u64) {
            let (body, time) = (Bytes::from(body), Timestamp::from_millis(millis));
            for packet in [Packet::audio(time, body.clone()), Packet::video(time, body.clone())] {
                prop_assert_eq!(packet.timestamp, time);
                prop_assert_eq!(&packet.payload, &body);
                let _ = packet.track_id();
            }
            prop_assert!(body.ends_with(&Packet::data(time, body.clone()).payload));
        }
    }
}
