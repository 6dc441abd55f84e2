//! VP8 and VP9: the codec configuration record.
//!
//! Follows "VP Codec ISO Media File Format Binding" (`VPCodecConfigurationRecord`). The record does
//! not say the size of the pictures.

use crate::bits::{BitReader, FieldError};

/// What a decoder must know before the first frame, from a VP8 or VP9 sequence header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecConfig {
    /// Profile, 0 to 3.
    pub profile: u8,
    /// Ten times the level's number; 0 if it is not known.
    pub level: u8,
    /// Bits of a sample: 8, 10 or 12.
    pub bit_depth: u8,
}

impl CodecConfig {
    /// Reads a configuration record: the payload of a sequence header, after its tag header.
    ///
    /// # Errors
    /// [`FieldError`] if it is cut short.
    pub fn parse(record: &[u8]) -> Result<Self, FieldError> {
        let mut reader = BitReader::new(record);
        Ok(Self {
            profile: reader.byte("profile")?,
            level: reader.byte("level")?,
            bit_depth: reader.bits(4, "bitDepth")?.to_be_bytes()[3],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_say_profile_level_and_depth() {
        let record = [2, 41, 0xA2, 1, 1, 1, 0, 0];
        let config = CodecConfig {
            profile: 2,
            level: 41,
            bit_depth: 10,
        };

        assert_eq!(CodecConfig::parse(&record), Ok(config));
        assert_eq!(
            CodecConfig::parse(&record[..2]).unwrap_err().to_string(),
            "bitDepth at bit 16: 4 bits expected, 0 left"
        );
    }
}
