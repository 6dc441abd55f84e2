//! The sequence parameter set of H.264: size and rate of the pictures.
//!
//! Follows ITU-T H.264, 7.3.2.1.1 and Annex E.1.1. Fields are read under their names there.

use super::{Level, Profile};
use crate::bits::{BitReader, FieldError, without_emulation_prevention};
use crate::codec::vui::skip_display_info;
use crate::codec::{ChromaFormat, FrameRate, Resolution, crop, read_bit_depth};

/// What a sequence parameter set says about the pictures, as far as operators and outputs ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sps {
    /// Profile and constraints.
    pub profile: Profile,
    /// Level.
    pub level: Level,
    /// The size to show: cropping is applied, the sample aspect ratio is not.
    pub resolution: Resolution,
    /// Whether pictures may be coded as two fields.
    pub is_interlaced: bool,
    /// Samples of colour.
    pub chroma_format: ChromaFormat,
    /// Bits of a sample of brightness, 8 to 14.
    pub luma_bit_depth: u8,
    /// Bits of a sample of colour, likewise.
    pub chroma_bit_depth: u8,
    /// How many frames a decoder keeps to predict others from, at most.
    pub max_reference_frames: u32,
    /// Frames per second, if the encoder says: half the tick rate, for a tick is a field. Of a
    /// variable rate some encoders say the rate of their clock here, thousands a second.
    pub frame_rate: Option<FrameRate>,
}

impl Sps {
    /// Reads a sequence parameter set: a NAL unit with its header, without start code or length.
    ///
    /// A usability part (VUI) that is broken or cut short costs the frame rate only: encoders write
    /// such, and decoders do without it.
    ///
    /// # Errors
    /// [`FieldError`] if it is not an SPS, is cut short, or describes no possible picture.
    pub fn parse(unit: &[u8]) -> Result<Self, FieldError> {
        let payload = without_emulation_prevention(unit);
        let mut reader = BitReader::new(&payload);
        reader.skip(3, "forbidden_zero_bit and nal_ref_idc")?;
        let unit_type = reader.bits(5, "nal_unit_type")?;
        if unit_type != SPS_UNIT {
            return Err(FieldError::unexpected(
                "nal_unit_type",
                unit_type,
                "7 (SPS)",
            ));
        }
        let profile = Profile {
            idc: reader.byte("profile_idc")?,
            constraints: reader.byte("constraint_set_flags")?,
        };
        let level = Level::new(reader.byte("level_idc")?, profile);
        reader.ue("seq_parameter_set_id")?;
        let samples = SampleFormat::read(&mut reader, profile)?;
        skip_frame_numbering(&mut reader)?;
        let max_reference_frames = reader.ue("max_num_ref_frames")?;
        reader.skip(1, "gaps_in_frame_num_value_allowed_flag")?;
        let picture = PictureSize::read(&mut reader)?;
        reader.skip(1, "direct_8x8_inference_flag")?;
        let resolution = picture.crop(&mut reader, samples.crop_unit())?;
        Ok(Self {
            profile,
            level,
            resolution,
            is_interlaced: !picture.frame_mbs_only,
            chroma_format: samples.chroma_format,
            luma_bit_depth: samples.luma_bit_depth,
            chroma_bit_depth: samples.chroma_bit_depth,
            max_reference_frames,
            frame_rate: frame_rate(&mut reader).unwrap_or(None),
        })
    }
}

/// What the samples of a picture are.
struct SampleFormat {
    chroma_format: ChromaFormat,
    /// Whether the three planes are coded each by itself.
    has_separate_planes: bool,
    luma_bit_depth: u8,
    chroma_bit_depth: u8,
}

impl SampleFormat {
    fn read(reader: &mut BitReader<'_>, profile: Profile) -> Result<Self, FieldError> {
        if !HIGH_PROFILES.contains(&profile.idc) {
            return Ok(Self {
                chroma_format: ChromaFormat::Yuv420,
                has_separate_planes: false,
                luma_bit_depth: 8,
                chroma_bit_depth: 8,
            });
        }
        let field = "chroma_format_idc";
        let chroma_format_idc = reader.ue(field)?;
        let chroma_format = ChromaFormat::from_idc(chroma_format_idc)
            .ok_or_else(|| FieldError::unexpected(field, chroma_format_idc, "0 to 3"))?;
        let is_full = chroma_format == ChromaFormat::Yuv444;
        let has_separate_planes = is_full && reader.flag("separate_colour_plane_flag")?;
        let luma_bit_depth = read_bit_depth(reader, "bit_depth_luma_minus8", MOST_BEYOND_8)?;
        let chroma_bit_depth = read_bit_depth(reader, "bit_depth_chroma_minus8", MOST_BEYOND_8)?;
        reader.skip(1, "qpprime_y_zero_transform_bypass_flag")?;
        if reader.flag("seq_scaling_matrix_present_flag")? {
            let lists = if is_full { 12 } else { 8 };
            for list in 0..lists {
                if reader.flag("seq_scaling_list_present_flag")? {
                    skip_scaling_list(reader, if list < 6 { 16 } else { 64 })?;
                }
            }
        }
        Ok(Self {
            chroma_format,
            has_separate_planes,
            luma_bit_depth,
            chroma_bit_depth,
        })
    }

    /// Luma samples across and down that one unit of cropping stands for (table 6-1).
    const fn crop_unit(&self) -> (u32, u32) {
        match self.chroma_format {
            // Three separate planes are cropped like monochrome ones (6.2, ChromaArrayType).
            _ if self.has_separate_planes => (1, 1),
            ChromaFormat::Monochrome | ChromaFormat::Yuv444 => (1, 1),
            ChromaFormat::Yuv420 => (2, 2),
            ChromaFormat::Yuv422 => (2, 1),
        }
    }
}

/// 7.3.2.1.1.1; only the number of codes matters here, which depends on their values.
fn skip_scaling_list(reader: &mut BitReader<'_>, size: usize) -> Result<(), FieldError> {
    let (mut last, mut next) = (8, 8);
    for _ in 0..size {
        if next != 0 {
            let delta = reader.se("delta_scale")?;
            next = (i64::from(delta) + last).rem_euclid(256);
        }
        if next != 0 {
            last = next;
        }
    }
    Ok(())
}

fn skip_frame_numbering(reader: &mut BitReader<'_>) -> Result<(), FieldError> {
    reader.ue("log2_max_frame_num_minus4")?;
    match reader.ue("pic_order_cnt_type")? {
        0 => {
            reader.ue("log2_max_pic_order_cnt_lsb_minus4")?;
        }
        1 => {
            reader.skip(1, "delta_pic_order_always_zero_flag")?;
            reader.se("offset_for_non_ref_pic")?;
            reader.se("offset_for_top_to_bottom_field")?;
            let count = reader.ue("num_ref_frames_in_pic_order_cnt_cycle")?;
            if count > 255 {
                let field = "num_ref_frames_in_pic_order_cnt_cycle";
                return Err(FieldError::unexpected(field, count, "0 to 255"));
            }
            for _ in 0..count {
                reader.se("offset_for_ref_frame")?;
            }
        }
        2 => {}
        value => {
            return Err(FieldError::unexpected(
                "pic_order_cnt_type",
                value,
                "0 to 2",
            ));
        }
    }
    Ok(())
}

/// The coded picture, whole macroblocks.
struct PictureSize {
    width: u32,
    height: u32,
    frame_mbs_only: bool,
}

impl PictureSize {
    fn read(reader: &mut BitReader<'_>) -> Result<Self, FieldError> {
        let width = samples(
            reader.ue("pic_width_in_mbs_minus1")?,
            "pic_width_in_mbs_minus1",
        )?;
        let map_units = reader.ue("pic_height_in_map_units_minus1")?;
        let height = samples(map_units, "pic_height_in_map_units_minus1")?;
        let frame_mbs_only = reader.flag("frame_mbs_only_flag")?;
        if frame_mbs_only {
            return Ok(Self {
                width,
                height,
                frame_mbs_only,
            });
        }
        // The height was that of a field.
        reader.skip(1, "mb_adaptive_frame_field_flag")?;
        Ok(Self {
            width,
            height: height * 2,
            frame_mbs_only,
        })
    }

    fn crop(
        &self,
        reader: &mut BitReader<'_>,
        (across, down): (u32, u32),
    ) -> Result<Resolution, FieldError> {
        let (mut width, mut height) = (self.width, self.height);
        if reader.flag("frame_cropping_flag")? {
            let down = if self.frame_mbs_only { down } else { 2 * down };
            for field in ["frame_crop_left_offset", "frame_crop_right_offset"] {
                width = crop(width, reader.ue(field)?, across, field)?;
            }
            for field in ["frame_crop_top_offset", "frame_crop_bottom_offset"] {
                height = crop(height, reader.ue(field)?, down, field)?;
            }
        }
        Ok(Resolution { width, height })
    }
}

fn samples(macroblocks_minus1: u32, field: &'static str) -> Result<u32, FieldError> {
    if macroblocks_minus1 >= MAX_MACROBLOCKS {
        return Err(FieldError::unexpected(
            field,
            macroblocks_minus1,
            "a side of at most 65536",
        ));
    }
    Ok((macroblocks_minus1 + 1) * 16)
}

/// Annex E.1.1, up to the tick rate.
fn frame_rate(reader: &mut BitReader<'_>) -> Result<Option<FrameRate>, FieldError> {
    if !reader.flag("vui_parameters_present_flag")? {
        return Ok(None);
    }
    skip_display_info(reader)?;
    if !reader.flag("timing_info_present_flag")? {
        return Ok(None);
    }
    let num_units_in_tick = reader.bits(32, "num_units_in_tick")?;
    let time_scale = reader.bits(32, "time_scale")?;
    // A frame lasts two ticks. Halving the time scale keeps large tick units from overflowing.
    Ok(match num_units_in_tick.checked_mul(2) {
        Some(units) => FrameRate::new(time_scale, units),
        None => FrameRate::new(time_scale / 2, num_units_in_tick),
    })
}

const SPS_UNIT: u32 = 7;

/// Samples have 14 bits at most.
const MOST_BEYOND_8: u8 = 6;

/// The profiles whose SPS says the chroma format (7.3.2.1.1).
const HIGH_PROFILES: [u8; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

/// No level allows a side beyond 16,880 samples; this leaves room and keeps products in 32 bits.
const MAX_MACROBLOCKS: u32 = 4096;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bits::writer::BitWriter;
    use crate::codec::vui::tests::display_info;

    /// NAL header, profile, level 4.0 and id.
    fn start(profile: u64) -> BitWriter {
        BitWriter::default()
            .bits(8, 0x67)
            .bits(8, profile)
            .bits(8, 0)
            .bits(8, 40)
            .ue(&[0])
    }

    /// Frame numbering of the simplest kind.
    fn numbering(writer: BitWriter) -> BitWriter {
        writer.ue(&[0, 2, 1]).flag(false)
    }

    /// A size in macroblocks, frames only, not cropped, without VUI.
    fn size(writer: BitWriter, width: u32, height: u32) -> Vec<u8> {
        writer
            .ue(&[width - 1, height - 1])
            .flag(true)
            .bits(3, 0b100)
            .unit()
    }

    fn parse(unit: &[u8]) -> Result<(String, Option<String>), FieldError> {
        let sps = Sps::parse(unit)?;
        Ok((
            sps.resolution.to_string(),
            sps.frame_rate.map(|rate| rate.to_string()),
        ))
    }

    #[test]
    fn fields_before_the_size_are_passed_over() {
        let high = |chroma: u32| start(100).ue(&[chroma, 0, 0]).flag(false);
        let cycle = start(66)
            .ue(&[0, 1])
            .flag(true)
            .se(&[-3, 2])
            .ue(&[3])
            .se(&[1, -1, 70_000]);
        // A list that ends early, one that goes on to its last value, six that are not there.
        let flat: Vec<i32> = [vec![1; 15], vec![-15]].concat();
        let scaling = high(1)
            .flag(true)
            .flag(true)
            .se(&[4, -12])
            .flag(true)
            .se(&flat)
            .bits(6, 0);
        let cases = [
            ("baseline", numbering(start(66))),
            ("order by lsb", start(66).ue(&[12, 0, 12, 4]).flag(true)),
            ("order by a cycle", cycle.ue(&[2]).flag(false)),
            ("high", numbering(high(1).flag(false))),
            ("scaling lists", numbering(scaling)),
        ];
        for (name, writer) in cases {
            assert_eq!(
                parse(&size(writer, 80, 45)),
                Ok(("1280x720".to_owned(), None)),
                "{name}"
            );
        }
        // With chroma format 3 a flag follows it, and there are twelve lists.
        let planes = start(244).ue(&[3]).flag(true).ue(&[0, 0]).flag(false);
        let lists = planes
            .flag(true)
            .bits(6, 0)
            .flag(true)
            .se(&[0; 64])
            .bits(5, 0);
        assert_eq!(
            parse(&size(numbering(lists), 80, 45)),
            Ok(("1280x720".to_owned(), None))
        );
    }

    #[test]
    fn samples_are_told_as_they_are() {
        use ChromaFormat::{Monochrome, Yuv420, Yuv422, Yuv444};
        // High profiles say chroma format and depths, the others have one of each.
        let high = |idc, luma, chroma| {
            let writer = start(122).ue(&[idc]);
            let writer = if idc == 3 { writer.flag(true) } else { writer };
            writer.ue(&[luma, chroma]).bits(2, 0)
        };
        let cases = [
            (start(66), Yuv420, 8, 8),
            (high(0, 0, 0), Monochrome, 8, 8),
            (high(1, 2, 2), Yuv420, 10, 10),
            (high(2, 2, 0), Yuv422, 10, 8),
            (high(3, 6, 6), Yuv444, 14, 14),
        ];
        for (writer, chroma_format, luma, chroma) in cases {
            // Order by lsb, and four frames to predict from.
            let unit = size(writer.ue(&[0, 0, 0, 4]).flag(false), 80, 45);
            let sps = Sps::parse(&unit).unwrap();
            assert_eq!(sps.chroma_format, chroma_format);
            assert_eq!((sps.luma_bit_depth, sps.chroma_bit_depth), (luma, chroma));
            assert_eq!(sps.max_reference_frames, 4);
        }
    }

    #[test]
    fn cropping_counts_in_chroma_samples_and_fields() {
        // chroma format (4: separate planes), frames only, expected size after cropping 1, 2, 3, 4.
        let cases = [
            (0, true, "1277x713"),
            (1, true, "1274x706"),
            (2, true, "1274x713"),
            (3, true, "1277x713"),
            (4, true, "1277x713"),
            (1, false, "1274x1412"),
            (3, false, "1277x1426"),
        ];
        for (chroma, frames_only, expected) in cases {
            let writer = match chroma {
                3 => start(244).ue(&[3]).flag(false),
                4 => start(244).ue(&[3]).flag(true),
                chroma => start(244).ue(&[chroma]),
            };
            let writer = numbering(writer.ue(&[0, 0]).bits(2, 0))
                .ue(&[79, 44])
                .flag(frames_only);
            let writer = if frames_only {
                writer
            } else {
                writer.flag(true)
            };
            let unit = writer
                .flag(true)
                .flag(true)
                .ue(&[1, 2, 3, 4])
                .flag(false)
                .unit();

            assert_eq!(parse(&unit).unwrap().0, expected, "chroma {chroma}");
            assert_eq!(Sps::parse(&unit).unwrap().is_interlaced, !frames_only);
        }
    }

    /// An SPS with VUI whose parts before the timing are all there.
    fn timing(num_units_in_tick: u64, time_scale: u64) -> BitWriter {
        // Frames only, direct 8x8, no cropping, VUI.
        let writer = numbering(start(66)).ue(&[79, 44]).bits(4, 0b1101);
        let timing = display_info(writer).flag(true);
        timing
            .bits(32, num_units_in_tick)
            .bits(32, time_scale)
            .flag(true)
    }

    #[test]
    fn a_frame_lasts_two_ticks() {
        let cases = [
            (1, 50, Some("25")),
            (1001, 60_000, Some("29.97")),
            (1001, 48_000, Some("23.976")),
            (0, 50, None),
            (1, 0, None),
            (0xFFFF_FFFF, 0xFFFF_FFFE, Some("0.5")),
        ];
        for (units, scale, rate) in cases {
            let unit = timing(units, scale).unit();
            assert_eq!(
                parse(&unit),
                Ok(("1280x720".to_owned(), rate.map(str::to_owned)))
            );
        }
    }

    #[test]
    fn a_broken_usability_part_costs_the_rate_only() {
        let unit = timing(1, 50).unit();
        for len in 10..unit.len() - 1 {
            assert_eq!(
                parse(&unit[..len]),
                Ok(("1280x720".to_owned(), None)),
                "{len} bytes"
            );
        }
    }

    #[test]
    fn impossible_pictures_are_refused() {
        let cropped = |offsets: [u32; 4]| {
            let writer = numbering(start(66)).ue(&[0, 0]).bits(3, 0b111);
            writer.ue(&offsets).flag(false).unit()
        };
        let cases = [
            (vec![0x68, 0], "nal_unit_type is 8, expected 7 (SPS)"),
            (
                vec![0x67, 66, 0],
                "level_idc at bit 24: 8 bits expected, 0 left",
            ),
            (
                start(100).ue(&[4]).unit(),
                "chroma_format_idc is 4, expected 0 to 3",
            ),
            (
                start(100).ue(&[1, 7]).unit(),
                "bit_depth_luma_minus8 is 7, expected a depth of at most 16 bits",
            ),
            (
                start(66).ue(&[0, 3]).unit(),
                "pic_order_cnt_type is 3, expected 0 to 2",
            ),
            (
                size(numbering(start(66)), 4097, 1),
                "pic_width_in_mbs_minus1 is 4096, expected a side of at most 65536",
            ),
            (
                cropped([4, 4, 0, 0]),
                "frame_crop_right_offset is 4, expected less than the picture's side",
            ),
            (
                cropped([0, 0, 0x8000_0001, 0]),
                "frame_crop_top_offset is 2147483649, expected less than the picture's side",
            ),
        ];
        for (unit, message) in cases {
            assert_eq!(parse(&unit).unwrap_err().to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(unit: Vec<u8>, profile in prop::sample::select(&HIGH_PROFILES[..])) {
            let _ = Sps::parse(&unit);
            let _ = Sps::parse(&[&[0x67, profile, 0, 40], &unit[..]].concat());
        }
    }
}
