//! The start of the usability parts (VUI) of H.264 and H.265, which they have in common.
//!
//! Follows ITU-T H.264, Annex E.1.1, and ITU-T H.265, Annex E.2.1.

use crate::bits::{BitReader, FieldError};

/// Passes over shape and colours of the picture: what stands before the fields that the two
/// standards have each for itself.
pub(super) fn skip_display_info(reader: &mut BitReader<'_>) -> Result<(), FieldError> {
    if reader.flag("aspect_ratio_info_present_flag")?
        && reader.byte("aspect_ratio_idc")? == EXTENDED_SAR
    {
        reader.skip(32, "sar_width and sar_height")?;
    }
    if reader.flag("overscan_info_present_flag")? {
        reader.skip(1, "overscan_appropriate_flag")?;
    }
    if reader.flag("video_signal_type_present_flag")? {
        reader.skip(4, "video_format and video_full_range_flag")?;
        if reader.flag("colour_description_present_flag")? {
            reader.skip(24, "colour description")?;
        }
    }
    if reader.flag("chroma_loc_info_present_flag")? {
        reader.ue("chroma_sample_loc_type_top_field")?;
        reader.ue("chroma_sample_loc_type_bottom_field")?;
    }
    Ok(())
}

/// `Extended_SAR`, by which the shape of a sample is said in full.
const EXTENDED_SAR: u8 = 255;

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::bits::writer::BitWriter;

    /// `writer` with all that [`skip_display_info`] passes over.
    pub(in crate::codec) fn display_info(writer: BitWriter) -> BitWriter {
        let shape = writer.flag(true).bits(8, 255).bits(32, 0x0004_0003);
        let overscan = shape.flag(true).flag(false);
        let colours = overscan
            .flag(true)
            .bits(4, 0b1010)
            .flag(true)
            .bits(24, 0x01_01_01);
        colours.flag(true).ue(&[2, 3])
    }

    #[test]
    fn every_part_may_be_there_or_not() {
        let none = BitWriter::default().bits(4, 0);
        let some = BitWriter::default()
            .flag(true)
            .bits(8, 1)
            .flag(false)
            .flag(true)
            .bits(5, 0);
        for writer in [display_info(BitWriter::default()), none, some.flag(false)] {
            let bytes = writer.flag(true).bytes();
            let mut reader = BitReader::new(&bytes);

            assert_eq!(skip_display_info(&mut reader), Ok(()));
            assert_eq!(reader.flag("what follows"), Ok(true));
            assert!(reader.left() < 8);
        }
    }
}
