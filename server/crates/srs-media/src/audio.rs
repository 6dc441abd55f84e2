//! The tag header of audio: the first bytes of every audio message in RTMP and tag in FLV.
//!
//! Follows Adobe's "Video File Format Specification" 10.1, E.4.2.1, and for codecs that came later
//! Veovera's "Enhanced RTMP (V2)", `ExAudioTagHeader`.

use bytes::Bytes;

use crate::bits::{BitReader, FieldError};
use crate::codec::AudioCodec;
use crate::enhanced::{self, Extension, Payload};

/// What the first bytes of an audio message say. Of a message with several tracks, the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagHeader {
    /// How the audio is coded.
    pub codec: AudioCodec,
    /// What the payload is.
    pub packet_type: PacketType,
    /// The sound as the header describes it; `None` in enhanced RTMP, where it does not.
    pub sound: Option<Sound>,
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
    /// [`FieldError`] if the body ends within the header, as an empty one does, or tracks are
    /// announced in a way that the specification does not know. Unknown codecs and packet types are
    /// no errors.
    pub fn parse(body: &[u8]) -> Result<Self, FieldError> {
        let mut reader = BitReader::new(body);
        match reader.bits(4, "SoundFormat")? {
            EX_HEADER => Self::read_enhanced(&mut reader),
            id => Self::read_legacy(&mut reader, AudioCodec::from_id(id.to_be_bytes()[3])),
        }
    }

    fn read_legacy(reader: &mut BitReader<'_>, codec: AudioCodec) -> Result<Self, FieldError> {
        let sound = Sound {
            sample_rate: 44_100 >> (3 - reader.bits(2, "SoundRate")?),
            sample_bits: if reader.flag("SoundSize")? { 16 } else { 8 },
            channels: if reader.flag("SoundType")? { 2 } else { 1 },
        };
        let packet_type = match codec {
            AudioCodec::Aac => match reader.bits(8, "AACPacketType")? {
                0 => PacketType::SequenceStart,
                1 => PacketType::CodedFrames,
                other => PacketType::Other(other.to_be_bytes()[3]),
            },
            _ => PacketType::CodedFrames,
        };
        Ok(Self {
            codec,
            packet_type,
            sound: Some(sound),
            timestamp_offset_nanos: 0,
            track_id: 0,
            payload: Payload::rest(reader),
        })
    }

    fn read_enhanced(reader: &mut BitReader<'_>) -> Result<Self, FieldError> {
        let packet_type = reader.bits(4, "AudioPacketType")?;
        let (packet_type, timestamp_offset_nanos) = enhanced::read_modifiers(reader, packet_type)?;
        let extension = Extension::read(reader, packet_type, MULTITRACK)?;
        Ok(Self {
            codec: AudioCodec::from_four_cc(extension.four_cc),
            packet_type: match extension.packet_type {
                0 => PacketType::SequenceStart,
                1 => PacketType::CodedFrames,
                2 => PacketType::SequenceEnd,
                4 => PacketType::MultichannelConfig,
                other => PacketType::Other(other.to_be_bytes()[3]),
            },
            sound: None,
            timestamp_offset_nanos,
            track_id: extension.track_id,
            payload: extension.payload(reader),
        })
    }

    /// What follows the header in `body`, the message that was parsed: the frames, or the
    /// configuration. Nothing is copied.
    pub fn payload(&self, body: &Bytes) -> Bytes {
        self.payload.of(body)
    }

    /// Whether this configures the decoder.
    pub fn is_sequence_header(&self) -> bool {
        self.packet_type == PacketType::SequenceStart
    }
}

/// What the payload of an audio message is (`AudioPacketType`). Codecs of the FLV specification
/// other than AAC know `CodedFrames` only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PacketType {
    /// The decoder's configuration.
    SequenceStart,
    /// Frames.
    CodedFrames,
    /// Nothing: the sequence is over.
    SequenceEnd,
    /// Which channel goes to which speaker.
    MultichannelConfig,
    /// A type with no meaning known here.
    Other(u8),
}

/// The sound as the first byte of a legacy tag header describes it. For AAC it is the same whatever
/// the sound is (44.1 kHz, 16 bits, stereo), for Nellymoser and Speex the codec fixes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sound {
    /// Samples per second in Hz: 5512, 11025, 22050 or 44100.
    pub sample_rate: u32,
    /// Bits of a sample, 8 or 16; of compressed audio after decoding.
    pub sample_bits: u8,
    /// Channels, 1 or 2.
    pub channels: u8,
}

const EX_HEADER: u32 = 9;
const MULTITRACK: u32 = 5;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bits::writer::bytes;

    /// Rows of: body | codec, packet type, track | rate, bits and channels | payload.
    fn check(rows: &[&str]) {
        for row in rows {
            let columns: Vec<_> = row.split('|').map(str::trim).collect();
            let body = Bytes::from(bytes(columns[0]));
            let header = TagHeader::parse(&body).expect(row);
            let (codec, packet, track) = (header.codec, header.packet_type, header.track_id);
            let sound = header.sound.map_or_else(String::new, |sound| {
                format!(
                    "{} {} {}",
                    sound.sample_rate, sound.sample_bits, sound.channels
                )
            });

            assert_eq!(format!("{codec} {packet:?} {track}"), columns[1], "{row}");
            assert_eq!(sound, columns[2], "{row}");
            assert_eq!(header.payload(&body), bytes(columns[3]), "{row}");
        }
    }

    #[test]
    fn legacy_headers_follow_the_flv_specification() {
        check(&[
            "AF 00 12 10 | AAC SequenceStart 0          | 44100 16 2 | 12 10",
            "AF 01 'ab'  | AAC CodedFrames 0            | 44100 16 2 | 'ab'",
            "A2 01       | AAC CodedFrames 0            | 5512 16 1  |",
            "AF 07 'a'   | AAC Other(7) 0               | 44100 16 2 | 'a'",
            "2B 'ab'     | MP3 CodedFrames 0            | 22050 16 2 | 'ab'",
            "E2 'a'      | MP3 CodedFrames 0            | 5512 16 1  | 'a'",
            "35 'a'      | PCM CodedFrames 0            | 11025 8 2  | 'a'",
            "B2          | Speex CodedFrames 0          | 5512 16 1  |",
            "C0 'a'      | audio codec 12 CodedFrames 0 | 5512 8 1   | 'a'",
        ]);
    }

    #[test]
    fn enhanced_headers_follow_the_specification_of_veovera() {
        check(&[
            "90 'Opus' 'OpusHead' | Opus SequenceStart 0      | | 'OpusHead'",
            "91 'fLaC' 'ab'       | FLAC CodedFrames 0        | | 'ab'",
            "91 'ac-3' 'ab'       | AC-3 CodedFrames 0        | | 'ab'",
            "91 'ec-3' 'ab'       | E-AC-3 CodedFrames 0      | | 'ab'",
            "91 '.mp3' 'ab'       | MP3 CodedFrames 0         | | 'ab'",
            "92 'mp4a'            | AAC SequenceEnd 0         | |",
            "94 'Opus' 01 06      | Opus MultichannelConfig 0 | | 01 06",
            "93 'Opus'            | Opus Other(3) 0           | |",
            "95 00 'mp4a' 03 'ab' | AAC SequenceStart 3       | | 'ab'",
            "95 21 'Opus' 01 00 00 01 'a' 'ac-3' | Opus CodedFrames 1 | | 'a'",
        ]);
    }

    #[test]
    fn modifiers_are_taken_off() {
        let header = TagHeader::parse(b"\x97\x02\0\x01\0\x01Opusa").unwrap();

        assert_eq!(header.timestamp_offset_nanos, 256);
        assert_eq!(
            (header.codec, header.packet_type),
            (AudioCodec::Opus, PacketType::CodedFrames)
        );
    }

    #[test]
    fn headers_that_are_cut_short_are_refused() {
        let cases: [(&[u8], &str); 4] = [
            (b"", "SoundFormat at bit 0: 4 bits expected, 0 left"),
            (b"\xAF", "AACPacketType at bit 8: 8 bits expected, 0 left"),
            (b"\x91Opu", "FourCC at bit 8: 32 bits expected, 24 left"),
            (
                b"\x95\x07Opus",
                "PacketType of the tracks is 7, expected neither Multitrack nor ModEx",
            ),
        ];
        for (body, message) in cases {
            assert_eq!(TagHeader::parse(body).unwrap_err().to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body: Vec<u8>, other: Vec<u8>) {
            if let Ok(header) = TagHeader::parse(&body) {
                let _ = (header.payload(&body.into()), header.payload(&other.into()));
            }
        }
    }
}
