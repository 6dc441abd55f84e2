//! Opus: the identification header.
//!
//! Follows RFC 7845, 5.1, whose Ogg header enhanced RTMP takes over.

use std::fmt;

use super::config::write_channels;
use crate::bits::{BitReader, FieldError};

/// What a decoder must know before the first packet, from an Opus sequence header.
///
/// The Display form is for logs: `Opus 48000 Hz stereo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdHeader {
    /// Channels, 1 to 255.
    pub channels: u8,
    /// Samples at 48 kHz that a decoder drops at the start.
    pub pre_skip: u16,
    /// Samples per second before encoding, in Hz; 0 if not known. Decoding is at 48 kHz always.
    pub input_sample_rate: u32,
}

impl IdHeader {
    /// Reads an identification header: the payload of a sequence header, after its tag header.
    ///
    /// # Errors
    /// [`FieldError`] if it does not begin with `OpusHead`, is cut short, of another version or
    /// without channels.
    pub fn parse(header: &[u8]) -> Result<Self, FieldError> {
        let mut reader = BitReader::new(header);
        for expected in MAGIC {
            let byte = reader.byte("magic signature")?;
            if byte != *expected {
                return Err(FieldError::unexpected(
                    "magic signature",
                    byte.into(),
                    "OpusHead",
                ));
            }
        }
        let version = reader.byte("version")?;
        // The upper half of the byte is what makes versions incompatible.
        if version >= 16 {
            return Err(FieldError::unexpected("version", version.into(), "0 to 15"));
        }
        let channels = reader.byte("channel count")?;
        if channels == 0 {
            return Err(FieldError::unexpected("channel count", 0, "1 to 255"));
        }
        // Unlike in every other header here, numbers are little endian.
        let pre_skip = u16::from_le_bytes([reader.byte("pre-skip")?, reader.byte("pre-skip")?]);
        let input_sample_rate = reader.bits(32, "input sample rate")?.swap_bytes();
        Ok(Self {
            channels,
            pre_skip,
            input_sample_rate,
        })
    }
}

impl fmt::Display for IdHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opus {DECODED_SAMPLE_RATE} Hz")?;
        write_channels(f, self.channels)
    }
}

/// Samples per second that every decoder puts out, in Hz.
pub const DECODED_SAMPLE_RATE: u32 = 48_000;

const MAGIC: &[u8] = b"OpusHead";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_say_channels_and_delay() {
        let header = IdHeader::parse(b"OpusHead\x01\x02\x38\x01\x80\xBB\0\0\0\0\0").unwrap();

        assert_eq!(
            header,
            IdHeader {
                channels: 2,
                pre_skip: 312,
                input_sample_rate: 48_000
            }
        );
        assert_eq!(header.to_string(), "Opus 48000 Hz stereo");
    }

    #[test]
    fn broken_headers_are_refused() {
        let cases: [(&[u8], &str); 4] = [
            (b"OpusTags", "magic signature is 84, expected OpusHead"),
            (b"OpusHead\x10", "version is 16, expected 0 to 15"),
            (b"OpusHead\x01\x00", "channel count is 0, expected 1 to 255"),
            (
                b"OpusHead\x01\x02\x38",
                "pre-skip at bit 88: 8 bits expected, 0 left",
            ),
        ];
        for (header, message) in cases {
            assert_eq!(IdHeader::parse(header).unwrap_err().to_string(), message);
        }
    }
}
