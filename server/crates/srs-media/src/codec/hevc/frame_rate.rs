//! The frame rate in the sequence parameter set of H.265: behind all coding tools, which must be
//! passed over one by one.
//!
//! Follows ITU-T H.265, 7.3.2.2, 7.3.4, 7.3.7 and Annex E.2.1.

use crate::bits::{BitReader, FieldError};
use crate::codec::FrameRate;
use crate::codec::vui::skip_display_info;

/// Reads from the bit depths, which follow the size, to the tick rate in the usability part (VUI);
/// `None` if the encoder does not say it.
pub(super) fn read(
    reader: &mut BitReader<'_>,
    max_sub_layers_minus1: u32,
) -> Result<Option<FrameRate>, FieldError> {
    reader.ue("bit_depth_luma_minus8")?;
    reader.ue("bit_depth_chroma_minus8")?;
    let log2_max_poc_lsb_minus4 = reader.ue("log2_max_pic_order_cnt_lsb_minus4")?;
    let all_layers = reader.flag("sps_sub_layer_ordering_info_present_flag")?;
    for _ in 0..=if all_layers { max_sub_layers_minus1 } else { 0 } {
        reader.ue("sps_max_dec_pic_buffering_minus1")?;
        reader.ue("sps_max_num_reorder_pics")?;
        reader.ue("sps_max_latency_increase_plus1")?;
    }
    reader.ue("log2_min_luma_coding_block_size_minus3")?;
    reader.ue("log2_diff_max_min_luma_coding_block_size")?;
    reader.ue("log2_min_luma_transform_block_size_minus2")?;
    reader.ue("log2_diff_max_min_luma_transform_block_size")?;
    reader.ue("max_transform_hierarchy_depth_inter")?;
    reader.ue("max_transform_hierarchy_depth_intra")?;
    if reader.flag("scaling_list_enabled_flag")?
        && reader.flag("sps_scaling_list_data_present_flag")?
    {
        skip_scaling_lists(reader)?;
    }
    reader.skip(
        2,
        "amp_enabled_flag and sample_adaptive_offset_enabled_flag",
    )?;
    if reader.flag("pcm_enabled_flag")? {
        reader.skip(8, "pcm_sample_bit_depth_minus1")?;
        reader.ue("log2_min_pcm_luma_coding_block_size_minus3")?;
        reader.ue("log2_diff_max_min_pcm_luma_coding_block_size")?;
        reader.skip(1, "pcm_loop_filter_disabled_flag")?;
    }
    skip_short_term_ref_pic_sets(reader)?;
    if reader.flag("long_term_ref_pics_present_flag")? {
        let field = "num_long_term_ref_pics_sps";
        let count = usize::from(at_most(reader.ue(field)?, 32, field, "0 to 32")?);
        let field = "log2_max_pic_order_cnt_lsb_minus4";
        let lsb_bits = usize::from(at_most(log2_max_poc_lsb_minus4, 12, field, "0 to 12")?) + 4;
        reader.skip(count * (lsb_bits + 1), "lt_ref_pic_poc_lsb_sps")?;
    }
    reader.skip(
        2,
        "sps_temporal_mvp_enabled_flag and strong_intra_smoothing_enabled_flag",
    )?;
    if !reader.flag("vui_parameters_present_flag")? {
        return Ok(None);
    }
    tick_rate(reader)
}

/// 7.3.4; only the number of codes matters here.
fn skip_scaling_lists(reader: &mut BitReader<'_>) -> Result<(), FieldError> {
    for size_id in 0..4 {
        // Of the largest size there is one list for brightness with and one without prediction.
        for _ in 0..if size_id == 3 { 2 } else { 6 } {
            if !reader.flag("scaling_list_pred_mode_flag")? {
                reader.ue("scaling_list_pred_matrix_id_delta")?;
                continue;
            }
            if size_id > 1 {
                reader.se("scaling_list_dc_coef_minus8")?;
            }
            for _ in 0..64.min(1 << (4 + 2 * size_id)) {
                reader.se("scaling_list_delta_coef")?;
            }
        }
    }
    Ok(())
}

/// 7.3.7; how long a set is depends on the number of pictures in the one before.
fn skip_short_term_ref_pic_sets(reader: &mut BitReader<'_>) -> Result<(), FieldError> {
    let field = "num_short_term_ref_pic_sets";
    let sets = at_most(reader.ue(field)?, 64, field, "0 to 64")?;
    let mut pictures = 0;
    for set in 0..sets {
        if set > 0 && reader.flag("inter_ref_pic_set_prediction_flag")? {
            reader.skip(1, "delta_rps_sign")?;
            reader.ue("abs_delta_rps_minus1")?;
            let mut kept = 0;
            for _ in 0..=pictures {
                let is_used = reader.flag("used_by_curr_pic_flag")?;
                if is_used || reader.flag("use_delta_flag")? {
                    kept += 1;
                }
            }
            pictures = kept;
        } else {
            let field = "num_negative_pics";
            let negative = at_most(reader.ue(field)?, 16, field, "0 to 16")?;
            let field = "num_positive_pics";
            let positive = at_most(reader.ue(field)?, 16, field, "0 to 16")?;
            pictures = negative + positive;
            for _ in 0..pictures {
                reader.ue("delta_poc_minus1")?;
                reader.skip(1, "used_by_curr_pic_flag")?;
            }
        }
    }
    Ok(())
}

/// Annex E.2.1, up to the tick rate.
fn tick_rate(reader: &mut BitReader<'_>) -> Result<Option<FrameRate>, FieldError> {
    skip_display_info(reader)?;
    reader.skip(3, "neutral_chroma, field_seq and frame_field_info flags")?;
    if reader.flag("default_display_window_flag")? {
        for _ in 0..4 {
            reader.ue("def_disp_win_offset")?;
        }
    }
    if !reader.flag("vui_timing_info_present_flag")? {
        return Ok(None);
    }
    // Unlike in H.264, a tick is a frame.
    let num_units_in_tick = reader.bits(32, "vui_num_units_in_tick")?;
    let time_scale = reader.bits(32, "vui_time_scale")?;
    Ok(FrameRate::new(time_scale, num_units_in_tick))
}

fn at_most(
    value: u32,
    max: u8,
    field: &'static str,
    expected: &'static str,
) -> Result<u8, FieldError> {
    u8::try_from(value)
        .ok()
        .filter(|&value| value <= max)
        .ok_or_else(|| FieldError::unexpected(field, value, expected))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bits::writer::BitWriter;
    use crate::codec::vui::tests::display_info;

    /// Bit depths, ordering of the last layer, block sizes.
    fn start() -> BitWriter {
        sizes(
            BitWriter::default()
                .ue(&[0, 0, 4])
                .flag(false)
                .ue(&[4, 2, 0]),
        )
    }

    fn sizes(writer: BitWriter) -> BitWriter {
        writer.ue(&[0, 3, 0, 3, 0, 0])
    }

    /// No PCM, no sets of reference pictures, no long-term ones.
    fn plain(writer: BitWriter) -> BitWriter {
        writer.bits(2, 0).flag(false).ue(&[0]).flag(false)
    }

    /// The rest up to the tick rate of 60000/1001, all optional parts of the VUI included.
    fn rate_after(writer: BitWriter, max_sub_layers_minus1: u32) -> Option<String> {
        let info = display_info(writer.bits(2, 0b11).flag(true)).bits(3, 0);
        let window = info.flag(true).ue(&[0, 1, 2, 3]);
        let bytes = window.flag(true).bits(32, 1001).bits(32, 60_000).bytes();
        let rate = read(&mut BitReader::new(&bytes), max_sub_layers_minus1).unwrap();
        rate.map(|rate| rate.to_string())
    }

    #[test]
    fn tools_before_the_rate_are_passed_over() {
        let each_layer = |writer: BitWriter| writer.ue(&[4, 2, 0]).ue(&[3, 1, 0]).ue(&[2, 0, 0]);
        let ordering = sizes(each_layer(BitWriter::default().ue(&[0, 0, 4]).flag(true)));
        let pcm = start()
            .flag(false)
            .bits(2, 3)
            .flag(true)
            .bits(8, 0x77)
            .ue(&[0, 2])
            .flag(true);
        let long_term = start().flag(false).bits(2, 0).flag(false).ue(&[0]);
        let cases = [
            ("none", plain(start().flag(false)), 0),
            (
                "ordering of the last of three layers",
                plain(start().flag(false)),
                2,
            ),
            (
                "ordering of each of three layers",
                plain(ordering.flag(false)),
                2,
            ),
            (
                "default scaling lists",
                plain(start().flag(true).flag(false)),
                0,
            ),
            ("PCM", pcm.ue(&[0]).flag(false), 0),
            (
                "long-term pictures",
                long_term.flag(true).ue(&[2]).bits(2 * 9, 0x1_FFFF),
                0,
            ),
        ];
        for (name, writer, layers) in cases {
            assert_eq!(
                rate_after(writer, layers).as_deref(),
                Some("59.94"),
                "{name}"
            );
        }
    }

    #[test]
    fn scaling_lists_are_passed_over() {
        let lists = start().flag(true).flag(true);
        // The first of each size is copied, the others are written in full.
        let lists = [(16, false, 6), (64, false, 6), (64, true, 6), (64, true, 2)]
            .iter()
            .fold(lists, |lists, &(coefficients, has_dc, count)| {
                (1..count).fold(lists.flag(false).ue(&[0]), |lists, _| {
                    let lists = lists.flag(true);
                    let lists = if has_dc { lists.se(&[-7]) } else { lists };
                    lists.se(&vec![3; coefficients])
                })
            });
        assert_eq!(rate_after(plain(lists), 0).as_deref(), Some("59.94"));
    }

    #[test]
    fn sets_of_reference_pictures_are_passed_over() {
        let sets = start().flag(false).bits(2, 0).flag(false).ue(&[4]);
        // Two before, one after.
        let sets = sets
            .ue(&[2, 1])
            .ue(&[0])
            .flag(true)
            .ue(&[3])
            .flag(false)
            .ue(&[1])
            .flag(true);
        // Predicted from these three: of the four candidates one is dropped.
        let sets = sets.flag(true).flag(false).ue(&[9]);
        let sets = sets.flag(true).bits(2, 0b01).bits(2, 0b00).flag(true);
        // Predicted from those three.
        let sets = sets.flag(true).flag(true).ue(&[5]).bits(4, 0b1111);
        // None at all.
        let sets = sets.flag(false).ue(&[0, 0]);

        assert_eq!(rate_after(sets.flag(false), 0).as_deref(), Some("59.94"));
    }

    #[test]
    fn counts_beyond_the_standard_are_refused() {
        let sets = start().flag(false).bits(3, 0);
        let no_sets = sets.clone().ue(&[0]);
        let lsb = sizes(
            BitWriter::default()
                .ue(&[0, 0, 13])
                .flag(false)
                .ue(&[4, 2, 0]),
        );
        let cases = [
            (
                sets.clone().ue(&[65]),
                "num_short_term_ref_pic_sets is 65, expected 0 to 64",
            ),
            (
                sets.clone().ue(&[1, 17]),
                "num_negative_pics is 17, expected 0 to 16",
            ),
            (
                sets.ue(&[1, 0, 17]),
                "num_positive_pics is 17, expected 0 to 16",
            ),
            (
                no_sets.flag(true).ue(&[33]),
                "num_long_term_ref_pics_sps is 33, expected 0 to 32",
            ),
            (
                lsb.flag(false).bits(3, 0).ue(&[0]).flag(true).ue(&[1]),
                "log2_max_pic_order_cnt_lsb_minus4 is 13, expected 0 to 12",
            ),
        ];
        for (writer, message) in cases {
            let bytes = writer.bits(32, 0).bytes();
            assert_eq!(
                read(&mut BitReader::new(&bytes), 0)
                    .unwrap_err()
                    .to_string(),
                message
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, layers in 0..7u32) {
            let _ = read(&mut BitReader::new(&bytes), layers);
            let tools = [start().bytes(), bytes].concat();
            let _ = read(&mut BitReader::new(&tools), layers);
        }
    }
}
