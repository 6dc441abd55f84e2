//! AV1: the codec configuration record.
//!
//! Follows "AV1 Codec ISO Media File Format Binding" 2.3 (`AV1CodecConfigurationRecord`); the
//! sequence header OBU in it follows the AV1 bitstream specification, 5.5.

use std::fmt;

use crate::bits::{BitReader, FieldError};
use crate::codec::{FrameRate, Resolution};

/// What a decoder must know before the first frame, from an AV1 sequence header.
///
/// The Display form is for logs: `AV1 Main 4.0 1280x720`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecConfig {
    /// `seq_profile`: 0 (Main), 1 (High) or 2 (Professional).
    pub profile: u8,
    /// `seq_level_idx_0`: four times what the level's number exceeds 2.0 by; 31 for no bound.
    pub level_idx: u8,
    /// `seq_tier_0`: whether the level allows the rates of the High tier.
    pub is_high_tier: bool,
    /// Bits of a sample: 8, 10 or 12.
    pub bit_depth: u8,
    /// What the sequence header says; `None` if the record has none that can be read, as encoders
    /// may send it with the frames only.
    pub sequence: Option<Sequence>,
}

impl CodecConfig {
    /// Reads a configuration record: the payload of a sequence header, after its tag header.
    ///
    /// # Errors
    /// [`FieldError`] if the four bytes that every record has are not there or not of version 1.
    pub fn parse(record: &[u8]) -> Result<Self, FieldError> {
        let mut reader = BitReader::new(record);
        // The marker bit is always set: 0x81 stands for it and version 1.
        let version = reader.byte("marker and version")?;
        if version != 0x81 {
            return Err(FieldError::unexpected(
                "marker and version",
                version.into(),
                "129",
            ));
        }
        let profile = reader.bits(3, "seq_profile")?.to_be_bytes()[3];
        let level_idx = reader.bits(5, "seq_level_idx_0")?.to_be_bytes()[3];
        let is_high_tier = reader.flag("seq_tier_0")?;
        let is_high_bit_depth = reader.flag("high_bitdepth")?;
        let is_twelve_bit = reader.flag("twelve_bit")?;
        reader.skip(13, "chroma format and initial presentation delay")?;
        Ok(Self {
            profile,
            level_idx,
            is_high_tier,
            bit_depth: match (is_high_bit_depth, is_twelve_bit) {
                (false, _) => 8,
                (true, false) => 10,
                (true, true) => 12,
            },
            sequence: find_sequence_header(&mut reader).ok().flatten(),
        })
    }
}

impl fmt::Display for CodecConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.profile {
            0 => f.write_str("AV1 Main"),
            1 => f.write_str("AV1 High"),
            2 => f.write_str("AV1 Professional"),
            profile => write!(f, "AV1 profile {profile}"),
        }?;
        match self.level_idx {
            31 => f.write_str(" without level"),
            index => write!(f, " {}.{}", 2 + index / 4, index % 4),
        }?;
        f.write_str(if self.is_high_tier { " High tier" } else { "" })?;
        self.sequence
            .map_or(Ok(()), |sequence| write!(f, " {}", sequence.resolution))
    }
}

/// What a sequence header OBU says about the pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// The largest size of a picture.
    pub resolution: Resolution,
    /// Frames per second, if the encoder says that all frames last equally long.
    pub frame_rate: Option<FrameRate>,
}

impl Sequence {
    /// 5.5.1, up to the size of the pictures.
    fn read(reader: &mut BitReader<'_>) -> Result<Self, FieldError> {
        reader.skip(4, "seq_profile and still_picture")?;
        let frame_rate = if reader.flag("reduced_still_picture_header")? {
            reader.skip(5, "seq_level_idx")?;
            None
        } else {
            let timing = Timing::read(reader)?;
            skip_operating_points(reader, timing.decoder_delay_bits)?;
            timing.frame_rate
        };
        let width_bits = reader.bits(4, "frame_width_bits_minus_1")? + 1;
        let height_bits = reader.bits(4, "frame_height_bits_minus_1")? + 1;
        let width = reader.bits(width_bits as usize, "max_frame_width_minus_1")? + 1;
        let height = reader.bits(height_bits as usize, "max_frame_height_minus_1")? + 1;
        Ok(Self {
            resolution: Resolution { width, height },
            frame_rate,
        })
    }
}

/// The parts of `timing_info` and `decoder_model_info` (5.5.3, 5.5.4) that matter here.
struct Timing {
    frame_rate: Option<FrameRate>,
    /// Bits of the delays of an operating point, if there is a decoder model.
    decoder_delay_bits: Option<usize>,
}

impl Timing {
    fn read(reader: &mut BitReader<'_>) -> Result<Self, FieldError> {
        if !reader.flag("timing_info_present_flag")? {
            return Ok(Self {
                frame_rate: None,
                decoder_delay_bits: None,
            });
        }
        let num_units_in_display_tick = reader.bits(32, "num_units_in_display_tick")?;
        let time_scale = reader.bits(32, "time_scale")?;
        let frame_rate = if reader.flag("equal_picture_interval")? {
            // uvlc() of this standard is the Exp-Golomb code of H.264.
            let ticks = reader.ue("num_ticks_per_picture_minus_1")? + 1;
            ticks
                .checked_mul(num_units_in_display_tick)
                .and_then(|units| FrameRate::new(time_scale, units))
        } else {
            None
        };
        let decoder_delay_bits = if reader.flag("decoder_model_info_present_flag")? {
            let bits = reader.bits(5, "buffer_delay_length_minus_1")? + 1;
            reader.skip(32, "num_units_in_decoding_tick")?;
            reader.skip(
                10,
                "buffer_removal_time and frame_presentation_time lengths",
            )?;
            Some(bits as usize)
        } else {
            None
        };
        Ok(Self {
            frame_rate,
            decoder_delay_bits,
        })
    }
}

fn skip_operating_points(
    reader: &mut BitReader<'_>,
    decoder_delay_bits: Option<usize>,
) -> Result<(), FieldError> {
    let has_display_delay = reader.flag("initial_display_delay_present_flag")?;
    for _ in 0..=reader.bits(5, "operating_points_cnt_minus_1")? {
        reader.skip(12, "operating_point_idc")?;
        if reader.bits(5, "seq_level_idx")? > 7 {
            reader.skip(1, "seq_tier")?;
        }
        if let Some(bits) = decoder_delay_bits
            && reader.flag("decoder_model_present_for_this_op")?
        {
            reader.skip(2 * bits + 1, "operating_parameters_info")?;
        }
        if has_display_delay && reader.flag("initial_display_delay_present_for_this_op")? {
            reader.skip(4, "initial_display_delay_minus_1")?;
        }
    }
    Ok(())
}

/// Looks through `configOBUs` for the sequence header; `None` if they end without it.
fn find_sequence_header(reader: &mut BitReader<'_>) -> Result<Option<Sequence>, FieldError> {
    while reader.left() > 0 {
        reader.skip(1, "obu_forbidden_bit")?;
        let obu_type = reader.bits(4, "obu_type")?;
        let has_extension = reader.flag("obu_extension_flag")?;
        let has_size = reader.flag("obu_has_size_field")?;
        reader.skip(1, "obu_reserved_1bit")?;
        if has_extension {
            reader.skip(8, "obu_extension_header")?;
        }
        let size = if has_size {
            read_leb128(reader)?
        } else {
            reader.left() / 8
        };
        let payload = reader.bytes(size, "obu")?;
        if obu_type == SEQUENCE_HEADER_OBU {
            return Sequence::read(&mut BitReader::new(payload)).map(Some);
        }
    }
    Ok(None)
}

/// 4.10.5: seven bits a byte, the lowest first, while the highest bit is set.
fn read_leb128(reader: &mut BitReader<'_>) -> Result<usize, FieldError> {
    let mut value = 0;
    for index in 0..4 {
        let byte = reader.byte("obu_size")?;
        value |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(FieldError::unexpected(
        "obu_size",
        u32::MAX,
        "at most four bytes",
    ))
}

const SEQUENCE_HEADER_OBU: u32 = 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bits::writer::BitWriter;

    /// Main, level 4.0, 8 bits, with these OBUs.
    fn record(obus: &[&[u8]]) -> Vec<u8> {
        [&[0x81, 0x08, 0x0C, 0x00], &obus.concat()[..]].concat()
    }

    fn obu(obu_type: u8, payload: &[u8]) -> Vec<u8> {
        [
            &[obu_type << 3 | 0b10, u8::try_from(payload.len()).unwrap()],
            payload,
        ]
        .concat()
    }

    /// The start of a sequence header, up to the timing.
    fn start() -> BitWriter {
        BitWriter::default().bits(5, 0)
    }

    /// 1280 by 720, in as many bits as that takes.
    fn size(writer: BitWriter) -> Vec<u8> {
        writer
            .bits(4, 10)
            .bits(4, 9)
            .bits(11, 1279)
            .bits(10, 719)
            .bytes()
    }

    fn describe(record: &[u8]) -> Result<(String, Option<String>), FieldError> {
        let config = CodecConfig::parse(record)?;
        let rate = config.sequence.and_then(|sequence| sequence.frame_rate);
        Ok((config.to_string(), rate.map(|rate| rate.to_string())))
    }

    #[test]
    fn sequence_headers_say_size_and_rate() {
        let no_timing = || start().flag(false);
        // One operating point, of level 2.0: no tier.
        let points = |writer: BitWriter| writer.flag(false).bits(5, 0).bits(12, 0).bits(5, 0);
        let timing = start().flag(true).bits(32, 1001).bits(32, 60_000);
        let rate = timing.clone().flag(true).ue(&[1]);
        let model = rate.clone().flag(true).bits(5, 9).bits(32, 1).bits(10, 0);
        // Two points: level 4.0 with tier, model and delay; level 2.0 with nothing.
        let model = model.flag(true).bits(5, 1);
        let model = model
            .bits(12, 0)
            .bits(5, 8)
            .flag(true)
            .flag(true)
            .bits(21, 0x1F_FFFF);
        let model = model
            .flag(true)
            .bits(4, 7)
            .bits(12, 0)
            .bits(5, 0)
            .flag(false)
            .flag(false);
        let cases = [
            ("no timing", points(no_timing()), None),
            ("equal intervals", points(rate.flag(false)), Some("29.97")),
            (
                "variable rate",
                points(timing.flag(false).flag(false)),
                None,
            ),
            ("decoder model", model, Some("29.97")),
            (
                "still picture",
                BitWriter::default().bits(5, 0b0_0011).bits(5, 0),
                None,
            ),
        ];
        for (name, writer, rate) in cases {
            let text = ("AV1 Main 4.0 1280x720".to_owned(), rate.map(str::to_owned));
            assert_eq!(
                describe(&record(&[&obu(1, &size(writer))])),
                Ok(text),
                "{name}"
            );
        }
    }

    #[test]
    fn the_sequence_header_is_found_among_other_units() {
        let points = start()
            .flag(false)
            .flag(false)
            .bits(5, 0)
            .bits(12, 0)
            .bits(5, 0);
        let sequence = size(points);
        let metadata = obu(5, &[0; 100]);
        let unsized_header = [&[1 << 3], &sequence[..]].concat();
        let extended = [
            &[1 << 3 | 0b110, 0, u8::try_from(sequence.len()).unwrap()],
            &sequence[..],
        ];
        for units in [
            record(&[&metadata, &obu(1, &sequence)]),
            record(&[&unsized_header]),
            record(&[&extended.concat()]),
        ] {
            assert_eq!(describe(&units).unwrap().0, "AV1 Main 4.0 1280x720");
        }
    }

    #[test]
    fn a_record_without_a_readable_sequence_header_is_accepted() {
        let cases: [&[&[u8]]; 4] = [
            &[],
            &[&[0x0A]],
            &[&[0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]],
            &[&[0x0A, 1, 0]],
        ];
        for obus in cases {
            assert_eq!(
                describe(&record(obus)),
                Ok(("AV1 Main 4.0".to_owned(), None))
            );
        }
    }

    #[test]
    fn profile_level_and_depth_stand_in_the_record() {
        let cases = [
            ([0x81, 0x00, 0x0C, 0x00], "AV1 Main 2.0", 8),
            ([0x81, 0x2D, 0xC4, 0x00], "AV1 High 5.1 High tier", 10),
            (
                [0x81, 0x5F, 0x60, 0x00],
                "AV1 Professional without level",
                12,
            ),
        ];
        for (record, text, bit_depth) in cases {
            let config = CodecConfig::parse(&record).unwrap();
            assert_eq!(
                (config.to_string().as_str(), config.bit_depth),
                (text, bit_depth)
            );
        }
    }

    #[test]
    fn broken_records_are_refused() {
        let cases: [(&[u8], &str); 3] = [
            (&[], "marker and version at bit 0: 8 bits expected, 0 left"),
            (&[0x01, 0, 0, 0], "marker and version is 1, expected 129"),
            (
                &[0x81, 0, 0],
                "chroma format and initial presentation delay at bit 19: 13 bits expected, 5 left",
            ),
        ];
        for (record, message) in cases {
            assert_eq!(describe(record).unwrap_err().to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = describe(&bytes);
            let _ = describe(&record(&[&bytes]));
            let _ = Sequence::read(&mut BitReader::new(&bytes));
        }
    }
}
