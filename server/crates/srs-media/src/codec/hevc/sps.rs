//! The sequence parameter set of H.265: size and rate of the pictures.
//!
//! Follows ITU-T H.265, 7.3.2.2.1. Fields are read under their names there.

use super::{Profile, SPS_UNIT, frame_rate};
use crate::bits::{BitReader, FieldError, without_emulation_prevention};
use crate::codec::{ChromaFormat, FrameRate, Resolution, crop, read_bit_depth};

/// What a sequence parameter set says about the pictures, as far as operators and outputs ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sps {
    /// Profile, tier and level.
    pub profile: Profile,
    /// The size to show: the conformance window is applied, the sample aspect ratio is not.
    pub resolution: Resolution,
    /// Samples of colour.
    pub chroma_format: ChromaFormat,
    /// Bits of a sample of brightness and of one of colour, 8 to 16, if the encoder says.
    pub bit_depths: Option<(u8, u8)>,
    /// Frames per second, if the encoder says.
    pub frame_rate: Option<FrameRate>,
}

impl Sps {
    /// Reads a sequence parameter set: a NAL unit with its header, without start code or length.
    ///
    /// What follows the size and is broken or cut short costs bit depths and frame rate only.
    ///
    /// # Errors
    /// [`FieldError`] if it is not an SPS, is cut short, or describes no possible picture.
    pub fn parse(unit: &[u8]) -> Result<Self, FieldError> {
        let payload = without_emulation_prevention(unit);
        let mut reader = BitReader::new(&payload);
        reader.skip(1, "forbidden_zero_bit")?;
        let unit_type = reader.bits(6, "nal_unit_type")?;
        if unit_type != SPS_UNIT {
            return Err(FieldError::unexpected(
                "nal_unit_type",
                unit_type,
                "33 (SPS)",
            ));
        }
        reader.skip(9, "nuh_layer_id and nuh_temporal_id_plus1")?;
        reader.skip(4, "sps_video_parameter_set_id")?;
        let max_sub_layers_minus1 = reader.bits(3, "sps_max_sub_layers_minus1")?;
        reader.skip(1, "sps_temporal_id_nesting_flag")?;
        let profile = Profile::read(&mut reader)?;
        skip_sub_layer_profiles(&mut reader, max_sub_layers_minus1)?;
        reader.ue("sps_seq_parameter_set_id")?;
        let (resolution, chroma_format) = read_picture(&mut reader)?;
        let bit_depths = read_bit_depths(reader).ok();
        let frame_rate = frame_rate::read(&mut reader, max_sub_layers_minus1).unwrap_or(None);
        Ok(Self {
            profile,
            resolution,
            chroma_format,
            bit_depths,
            frame_rate,
        })
    }
}

/// 7.3.3, after the general part.
fn skip_sub_layer_profiles(
    reader: &mut BitReader<'_>,
    max_sub_layers_minus1: u32,
) -> Result<(), FieldError> {
    if max_sub_layers_minus1 == 0 {
        return Ok(());
    }
    let mut bits = 0;
    for _ in 0..max_sub_layers_minus1 {
        if reader.flag("sub_layer_profile_present_flag")? {
            bits += 88;
        }
        if reader.flag("sub_layer_level_present_flag")? {
            bits += 8;
        }
    }
    for _ in max_sub_layers_minus1..8 {
        reader.skip(2, "reserved_zero_2bits")?;
    }
    reader.skip(bits, "sub_layer_profile and sub_layer_level")
}

fn read_picture(reader: &mut BitReader<'_>) -> Result<(Resolution, ChromaFormat), FieldError> {
    let field = "chroma_format_idc";
    let chroma_format_idc = reader.ue(field)?;
    let chroma_format = ChromaFormat::from_idc(chroma_format_idc)
        .ok_or_else(|| FieldError::unexpected(field, chroma_format_idc, "0 to 3"))?;
    // Units of the conformance window, across and down (table 6-1).
    let (across, down) = match chroma_format {
        ChromaFormat::Yuv420 => (2, 2),
        ChromaFormat::Yuv422 => (2, 1),
        ChromaFormat::Monochrome => (1, 1),
        ChromaFormat::Yuv444 => {
            reader.skip(1, "separate_colour_plane_flag")?;
            (1, 1)
        }
    };
    let mut width = side(reader, "pic_width_in_luma_samples")?;
    let mut height = side(reader, "pic_height_in_luma_samples")?;
    if reader.flag("conformance_window_flag")? {
        for field in ["conf_win_left_offset", "conf_win_right_offset"] {
            width = crop(width, reader.ue(field)?, across, field)?;
        }
        for field in ["conf_win_top_offset", "conf_win_bottom_offset"] {
            height = crop(height, reader.ue(field)?, down, field)?;
        }
    }
    Ok((Resolution { width, height }, chroma_format))
}

/// Reads ahead what the part with the frame rate begins with.
fn read_bit_depths(mut reader: BitReader<'_>) -> Result<(u8, u8), FieldError> {
    let mut depth = |field| read_bit_depth(&mut reader, field, MOST_BEYOND_8);
    let luma = depth("bit_depth_luma_minus8")?;
    Ok((luma, depth("bit_depth_chroma_minus8")?))
}

fn side(reader: &mut BitReader<'_>, field: &'static str) -> Result<u32, FieldError> {
    match reader.ue(field)? {
        side @ 1..=MAX_SIDE => Ok(side),
        value => Err(FieldError::unexpected(field, value, "1 to 65536")),
    }
}

/// Beyond every level of the standard; keeps cropping in 32 bits.
const MAX_SIDE: u32 = 65_536;

/// Samples have 16 bits at most.
const MOST_BEYOND_8: u8 = 8;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bits::writer::BitWriter;

    /// From the NAL header to the id; Main, level 4.0, with sub-layers of which every other says
    /// its profile and level.
    fn start(sub_layers_minus1: usize) -> BitWriter {
        let layers = sub_layers_minus1.try_into().unwrap();
        let writer = BitWriter::default()
            .bits(16, 0x4201)
            .bits(4, 0)
            .bits(3, layers)
            .flag(true);
        let general = writer
            .bits(8, 1)
            .bits(32, 0x6000_0000)
            .bits(48, 0)
            .bits(8, 120);
        let flags = (0..sub_layers_minus1).fold(general, |writer, layer| {
            let is_said = layer % 2 == 1;
            writer.flag(is_said).flag(is_said)
        });
        let padding = if sub_layers_minus1 == 0 {
            0
        } else {
            (8 - sub_layers_minus1) * 2
        };
        let padded = flags.bits(padding, 0);
        (0..sub_layers_minus1 / 2)
            .fold(padded, |writer, _| writer.bits(48, 1).bits(48, 1))
            .ue(&[0])
    }

    /// 4:2:0 of 1280 by 720 without a window.
    fn picture(writer: BitWriter) -> BitWriter {
        writer.ue(&[1, 1280, 720]).flag(false)
    }

    fn parse(unit: &[u8]) -> Result<String, FieldError> {
        Sps::parse(unit).map(|sps| sps.resolution.to_string())
    }

    #[test]
    fn profiles_of_sub_layers_are_passed_over() {
        for sub_layers_minus1 in 0..=6 {
            let unit = picture(start(sub_layers_minus1)).unit();
            assert_eq!(
                parse(&unit).as_deref(),
                Ok("1280x720"),
                "{sub_layers_minus1}"
            );
        }
    }

    #[test]
    fn samples_are_told_as_they_are() {
        use ChromaFormat::{Monochrome, Yuv420, Yuv422, Yuv444};
        let cases = [
            (0, Monochrome, &[0, 0][..], Some((8, 8))),
            (1, Yuv420, &[2, 2], Some((10, 10))),
            (2, Yuv422, &[8, 0], Some((16, 8))),
            (3, Yuv444, &[9, 0], None),
            (1, Yuv420, &[], None),
        ];
        for (idc, chroma_format, depths, expected) in cases {
            let writer = start(0).ue(&[idc]);
            let writer = if idc == 3 { writer.flag(true) } else { writer };
            let unit = writer.ue(&[1280, 720]).flag(false).ue(depths).unit();
            let sps = Sps::parse(&unit).unwrap();
            assert_eq!(sps.chroma_format, chroma_format);
            assert_eq!(sps.bit_depths, expected, "{depths:?}");
        }
    }

    #[test]
    fn the_conformance_window_counts_in_chroma_samples() {
        let cases = [
            (0, "1277x713"),
            (1, "1274x706"),
            (2, "1274x713"),
            (3, "1277x713"),
        ];
        for (chroma, expected) in cases {
            let writer = start(0).ue(&[chroma]);
            let writer = if chroma == 3 {
                writer.flag(false)
            } else {
                writer
            };
            let unit = writer.ue(&[1280, 720]).flag(true).ue(&[1, 2, 3, 4]).unit();

            assert_eq!(parse(&unit).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_is_broken_after_the_size_costs_the_rate_only() {
        let sps = Sps::parse(&picture(start(0)).ue(&[0, 0]).unit()).unwrap();

        assert_eq!(sps.frame_rate, None);
        assert_eq!(sps.profile.to_string(), "Main 4.0");
    }

    #[test]
    fn impossible_pictures_are_refused() {
        let cases = [
            (vec![0x40, 1], "nal_unit_type is 32, expected 33 (SPS)"),
            (
                start(0).ue(&[4]).unit(),
                "chroma_format_idc is 4, expected 0 to 3",
            ),
            (
                start(0).ue(&[1, 0]).unit(),
                "pic_width_in_luma_samples is 0, expected 1 to 65536",
            ),
            (
                start(0).ue(&[1, 16, 16]).flag(true).ue(&[8]).unit(),
                "conf_win_left_offset is 8, expected less than the picture's side",
            ),
        ];
        for (unit, message) in cases {
            assert_eq!(parse(&unit).unwrap_err().to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, sub_layers in 0..7usize) {
            let _ = Sps::parse(&bytes);
            let _ = Sps::parse(&[start(sub_layers).bytes(), bytes.clone()].concat());
            let _ = Sps::parse(&[picture(start(sub_layers)).bytes(), bytes].concat());
        }
    }
}
