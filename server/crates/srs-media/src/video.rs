//! The tag header of video: the first bytes of every video message in RTMP and tag in FLV.
//!
//! Follows Adobe's "Video File Format Specification" 10.1, E.4.3.1, and for codecs that came later
//! Veovera's "Enhanced RTMP (V2)", `ExVideoTagHeader`.

use bytes::Bytes;

use crate::bits::{BitReader, FieldError};
use crate::codec::VideoCodec;
use crate::enhanced::{self, Extension, Payload};

/// What the first bytes of a video message say. Of a message with several tracks, the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagHeader {
    /// Whether decoding can begin here. Without meaning if the packet type is `Metadata`.
    pub frame_type: FrameType,
    /// How the video is coded; `None` for a command of enhanced RTMP, which does not say it.
    pub codec: Option<VideoCodec>,
    /// What the payload is.
    pub packet_type: PacketType,
    /// Milliseconds by which the frame is shown later than it is decoded, -8,388,608 to 8,388,607;
    /// 0 if the codec does not reorder frames, or if this is not a frame.
    pub composition_time_ms: i32,
    /// Nanoseconds, below 1,000,000, to add to the message's timestamp.
    pub timestamp_offset_nanos: u32,
    /// The track; 0 is the default one, and that of messages without tracks.
    pub track_id: u8,
    payload: Payload,
}

impl TagHeader {
    /// Reads the header of the message `body`.
    ///
    /// # Errors
    /// [`FieldError`] if the body ends within the header, or tracks are announced in a way that the
    /// specification does not know. Unknown codecs and packet types are no errors.
    pub fn parse(body: &[u8]) -> Result<Self, FieldError> {
        let mut reader = BitReader::new(body);
        if reader.flag("IsExVideoHeader")? {
            Self::read_enhanced(&mut reader)
        } else {
            Self::read_legacy(&mut reader)
        }
    }

    fn read_legacy(reader: &mut BitReader<'_>) -> Result<Self, FieldError> {
        let frame_type = FrameType::new(reader.bits(3, "FrameType")?);
        let codec = VideoCodec::from_id(reader.bits(4, "CodecID")?.to_be_bytes()[3]);
        let mut this = Self::new(frame_type, Some(codec), PacketType::CodedFrames);
        if frame_type == FrameType::Command {
            this.packet_type = PacketType::Command;
        } else if matches!(codec, VideoCodec::Avc | VideoCodec::Hevc | VideoCodec::Av1) {
            this.packet_type = match reader.bits(8, "AVCPacketType")? {
                0 => PacketType::SequenceStart,
                1 => PacketType::CodedFrames,
                2 => PacketType::SequenceEnd,
                other => PacketType::Other(other.to_be_bytes()[3]),
            };
            // The end of a sequence has no use for the field, and some writers no bytes for it.
            if this.packet_type != PacketType::SequenceEnd || reader.left() > 0 {
                let composition_time_ms = read_composition_time(reader)?;
                if this.packet_type == PacketType::CodedFrames {
                    this.composition_time_ms = composition_time_ms;
                }
            }
        }
        this.payload = Payload::rest(reader);
        Ok(this)
    }

    fn read_enhanced(reader: &mut BitReader<'_>) -> Result<Self, FieldError> {
        let frame_type = FrameType::new(reader.bits(3, "VideoFrameType")?);
        let packet_type = reader.bits(4, "VideoPacketType")?;
        let (packet_type, timestamp_offset_nanos) = enhanced::read_modifiers(reader, packet_type)?;
        if frame_type == FrameType::Command && packet_type != METADATA {
            let mut this = Self::new(frame_type, None, PacketType::Command);
            this.payload = Payload::rest(reader);
            return Ok(this);
        }
        let extension = Extension::read(reader, packet_type, MULTITRACK)?;
        let codec = VideoCodec::from_four_cc(extension.four_cc);
        let mut this = Self::new(frame_type, Some(codec), PacketType::CodedFrames);
        match extension.packet_type {
            0 => this.packet_type = PacketType::SequenceStart,
            CODED_FRAMES => {
                // Codecs that do not reorder frames have no such field.
                if matches!(codec, VideoCodec::Avc | VideoCodec::Hevc | VideoCodec::Vvc) {
                    this.composition_time_ms = read_composition_time(reader)?;
                }
            }
            2 => this.packet_type = PacketType::SequenceEnd,
            CODED_FRAMES_X => {}
            METADATA => this.packet_type = PacketType::Metadata,
            5 => this.packet_type = PacketType::Mpeg2TsSequenceStart,
            other => this.packet_type = PacketType::Other(other.to_be_bytes()[3]),
        }
        this.timestamp_offset_nanos = timestamp_offset_nanos;
        this.track_id = extension.track_id;
        this.payload = extension.payload(reader);
        Ok(this)
    }

    const fn new(
        frame_type: FrameType,
        codec: Option<VideoCodec>,
        packet_type: PacketType,
    ) -> Self {
        Self {
            frame_type,
            codec,
            packet_type,
            composition_time_ms: 0,
            timestamp_offset_nanos: 0,
            track_id: 0,
            payload: Payload::EMPTY,
        }
    }

    /// What follows the header in `body`, the message that was parsed: the frame, or the
    /// configuration record. Nothing is copied.
    pub fn payload(&self, body: &Bytes) -> Bytes {
        self.payload.of(body)
    }

    /// Whether this configures the decoder.
    pub const fn is_sequence_header(&self) -> bool {
        matches!(
            self.packet_type,
            PacketType::SequenceStart | PacketType::Mpeg2TsSequenceStart
        )
    }

    /// Whether this is a frame with which decoding can begin. A sequence header is not, though most
    /// encoders mark it like one.
    pub fn is_key_frame(&self) -> bool {
        self.packet_type == PacketType::CodedFrames && self.frame_type == FrameType::Key
    }
}

/// Whether decoding can begin with a frame (E.4.3.1, `FrameType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameType {
    /// A frame to begin with.
    Key,
    /// A frame that needs earlier ones.
    Inter,
    /// Such a frame on which no other depends (H.263 only).
    DisposableInter,
    /// A key frame made by a server; not for publishers.
    GeneratedKey,
    /// No frame but a command to the player.
    Command,
    /// 0, 6 or 7, without meaning.
    Reserved(u8),
}

impl FrameType {
    const fn new(value: u32) -> Self {
        match value {
            1 => Self::Key,
            2 => Self::Inter,
            3 => Self::DisposableInter,
            4 => Self::GeneratedKey,
            5 => Self::Command,
            value => Self::Reserved(value.to_be_bytes()[3]),
        }
    }
}

/// What the payload of a video message is (`VideoPacketType`). Codecs older than H.264 know
/// `CodedFrames` only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PacketType {
    /// The decoder's configuration record.
    SequenceStart,
    /// Frames (`CodedFrames` or, without composition time, `CodedFramesX`).
    CodedFrames,
    /// Nothing: the sequence is over.
    SequenceEnd,
    /// AMF values about the video, such as `colorInfo`.
    Metadata,
    /// The configuration as a descriptor of MPEG-2 TS (AV1 only).
    Mpeg2TsSequenceStart,
    /// A command to the player in one byte (frame type 5).
    Command,
    /// A type with no meaning known here.
    Other(u8),
}

fn read_composition_time(reader: &mut BitReader<'_>) -> Result<i32, FieldError> {
    // Moving the sign to the top and back extends it.
    Ok((reader.bits(24, "CompositionTime")? << 8).cast_signed() >> 8)
}

const CODED_FRAMES: u32 = 1;
const CODED_FRAMES_X: u32 = 3;
const METADATA: u32 = 4;
const MULTITRACK: u32 = 6;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bits::writer::bytes;

    /// Rows of: name | body | frame type, codec, packet type, composition time, track | payload.
    fn check(rows: &[&str]) {
        for row in rows {
            let columns: Vec<_> = row.split('|').map(str::trim).collect();
            let body = Bytes::from(bytes(columns[1]));
            let header = TagHeader::parse(&body).expect(row);
            let codec = header
                .codec
                .map_or_else(|| "none".to_owned(), |codec| codec.to_string());
            let (frame, packet) = (header.frame_type, header.packet_type);
            let (time, track) = (header.composition_time_ms, header.track_id);

            assert_eq!(
                format!("{frame:?} {codec} {packet:?} {time} {track}"),
                columns[2],
                "{row}"
            );
            assert_eq!(header.payload(&body), bytes(columns[3]), "{row}");
        }
    }

    #[test]
    fn legacy_headers_follow_the_flv_specification() {
        check(&[
            "header               | 17 00 00 00 00 01 64 | Key H.264 SequenceStart 0 0   | 01 64",
            "key frame            | 17 01 00 00 50 'abc' | Key H.264 CodedFrames 80 0    | 'abc'",
            "shown early          | 27 01 FF FF FE 'a'   | Inter H.264 CodedFrames -2 0      | 'a'",
            "shown latest         | 27 01 7F FF FF       | Inter H.264 CodedFrames 8388607 0 |",
            "shown earliest       | 27 01 80 00 00       | Inter H.264 CodedFrames -8388608 0 |",
            "end                  | 17 02 00 00 00       | Key H.264 SequenceEnd 0 0         |",
            "end without time     | 17 02                | Key H.264 SequenceEnd 0 0         |",
            "time without meaning | 17 00 00 00 07 01    | Key H.264 SequenceStart 0 0       | 01",
            "unknown packet type  | 17 09 00 00 07       | Key H.264 Other(9) 0 0            |",
            "command              | 57 01                | Command H.264 Command 0 0         | 01",
            "HEVC                 | 1C 01 00 00 28 'a'   | Key HEVC CodedFrames 40 0         | 'a'",
            "AV1                  | 1D 00 00 00 00 81    | Key AV1 SequenceStart 0 0         | 81",
            "H.263          | 32 01 | DisposableInter Sorenson H.263 CodedFrames 0 0        | 01",
            "VP6            | 14    | Key VP6 CodedFrames 0 0                               |",
            "unknown codec  | 19 02 | Key video codec 9 CodedFrames 0 0                     | 02",
            "reserved frame | 74 02 | Reserved(7) VP6 CodedFrames 0 0                       | 02",
        ]);
    }

    #[test]
    fn enhanced_headers_follow_the_specification_of_veovera() {
        check(&[
            "start               | 90 'hvc1' 01             | Key HEVC SequenceStart 0 0   | 01",
            "frames              | 91 'hvc1' 00 00 28 'ab'  | Key HEVC CodedFrames 40 0    | 'ab'",
            "frames without time | A3 'hvc1' 'ab'           | Inter HEVC CodedFrames 0 0   | 'ab'",
            "H.264               | A1 'avc1' FF FF FF 'a'   | Inter H.264 CodedFrames -1 0 | 'a'",
            "VVC                 | A1 'vvc1' 00 00 01 'a'   | Inter VVC CodedFrames 1 0    | 'a'",
            "AV1 has no time     | 91 'av01' 12 00          | Key AV1 CodedFrames 0 0      | 12 00",
            "VP9 has no time     | A1 'vp09' 'ab'           | Inter VP9 CodedFrames 0 0    | 'ab'",
            "end                 | 92 'av01'                | Key AV1 SequenceEnd 0 0      |",
            "metadata            | 94 'hvc1' 02             | Key HEVC Metadata 0 0        | 02",
            "metadata, command   | D4 'hvc1'                | Command HEVC Metadata 0 0    |",
            "descriptor of TS    | 95 'av01' 80         | Key AV1 Mpeg2TsSequenceStart 0 0 | 80",
            "command             | D1 01                    | Command none Command 0 0     | 01",
            "unknown codec       | 91 'dvh1' 'a'     | Key video codec dvh1 CodedFrames 0 0 | 'a'",
            "unknown packet type | 9E 'av01'                | Key AV1 Other(14) 0 0        |",
        ]);
    }

    #[test]
    fn the_first_of_several_tracks_is_read() {
        check(&[
            "one track | 96 01 'av01' 07 'ab' | Key AV1 CodedFrames 0 7 | 'ab'",
            "of many   | A6 11 'hvc1' 01 00 00 05 00 00 03 'ab' 02 00 00 04 00 00 00 'c'
                       | Inter HEVC CodedFrames 3 1 | 'ab'",
            "of codecs | 96 20 'vp09' 00 00 00 01 'a' 'av01' 01 00 00 01 'b'
                       | Key VP9 SequenceStart 0 0 | 'a'",
            "too short | 96 11 'hvc1' 00 00 00 01 00 00 05 | Key HEVC CodedFrames 5 0 |",
        ]);
    }

    #[test]
    fn modifiers_are_taken_off() {
        let nanos = |body: &[u8]| {
            TagHeader::parse(body).map(|h| (h.packet_type, h.codec, h.timestamp_offset_nanos))
        };
        // 0xFF announces a length of 16 bits, less one as well.
        let long = [&b"\x97\xFF\x01\x00"[..], &[9; 257], b"\x11av01"].concat();
        let av1 = Some(VideoCodec::Av1);
        let cases: [(&str, &[u8], u32); 5] = [
            ("nanoseconds", b"\x97\x02\x01\x02\x03\x01av01", 0x0001_0203),
            ("too many", b"\x97\x02\xFF\xFF\xFF\x01av01", 999_999),
            ("of another kind", b"\x97\x00\xAA\x11av01", 0),
            ("two", b"\x97\x00\xAA\x17\x03\0\0\x05\xEE\x01av01", 5),
            ("a long one", &long, 0),
        ];
        for (name, body, expected) in cases {
            assert_eq!(
                nanos(body),
                Ok((PacketType::CodedFrames, av1, expected)),
                "{name}"
            );
        }
    }

    #[test]
    fn headers_that_are_cut_short_are_refused() {
        let cases: [(&[u8], &str); 9] = [
            (b"", "IsExVideoHeader at bit 0: 1 bits expected, 0 left"),
            (b"\x17", "AVCPacketType at bit 8: 8 bits expected, 0 left"),
            (
                b"\x17\x01\0\0",
                "CompositionTime at bit 16: 24 bits expected, 16 left",
            ),
            (b"\x91hvc", "FourCC at bit 8: 32 bits expected, 24 left"),
            (
                b"\x91hvc1\0",
                "CompositionTime at bit 40: 24 bits expected, 8 left",
            ),
            (
                b"\x97\x05ab",
                "modExData at bit 16: 48 bits expected, 16 left",
            ),
            (b"\x96\x31av01", "AvMultitrackType is 3, expected 0 to 2"),
            (
                b"\x96\x06av01",
                "PacketType of the tracks is 6, expected neither Multitrack nor ModEx",
            ),
            (
                b"\x96\x11av01\0\0\0\x02a",
                "track at bit 80: 16 bits expected, 8 left",
            ),
        ];
        for (body, message) in cases {
            assert_eq!(TagHeader::parse(body).unwrap_err().to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body: Vec<u8>, other: Vec<u8>) {
            let (body, other) = (Bytes::from(body), Bytes::from(other));
            if let Ok(header) = TagHeader::parse(&body) {
                prop_assert!(header.payload(&body).len() < body.len());
                let _ = header.payload(&other);
            }
        }
    }
}
