//! Codecs: their names, and what their sequence headers say.
//!
//! - [`avc`], [`hevc`], [`av1`], [`vpx`]: the configuration records of video
//! - [`aac`], [`opus`]: those of audio
//!
//! [`VideoConfig`] and [`AudioConfig`] read the record of whichever codec it is and say what an
//! operator wants to know of it in one line. Frames themselves are not decoded.

pub mod aac;
pub mod av1;
pub mod avc;
mod config;
pub mod hevc;
pub mod opus;
pub mod vpx;
mod vui;

use std::fmt;

pub use self::config::{AudioConfig, VideoConfig};
use crate::bits::{BitReader, FieldError};

/// Four ASCII characters that name a codec in enhanced RTMP and MP4, such as `hvc1`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FourCc(pub [u8; 4]);

impl FourCc {
    /// The code whose bytes are those of `value`, big endian, as metadata carries it in a number.
    pub const fn from_u32(value: u32) -> Self {
        Self(value.to_be_bytes())
    }
}

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FourCc({self})")
    }
}

/// How video is coded. Displayed as operators know it: `H.264`, `HEVC`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// Sorenson H.263, FLV codec id 2.
    SorensonH263,
    /// Screen video, FLV codec id 3.
    Screen,
    /// On2 VP6, FLV codec id 4.
    Vp6,
    /// On2 VP6 with an alpha channel, FLV codec id 5.
    Vp6Alpha,
    /// Screen video version 2, FLV codec id 6.
    Screen2,
    /// H.264, FLV codec id 7 or `avc1`.
    Avc,
    /// H.265, FLV codec id 12 (not in Adobe's specification, but in wide use) or `hvc1`.
    Hevc,
    /// AV1, FLV codec id 13 (likewise) or `av01`.
    Av1,
    /// VP8, `vp08`.
    Vp8,
    /// VP9, `vp09`.
    Vp9,
    /// H.266, `vvc1`.
    Vvc,
    /// An FLV codec id with no meaning known here.
    UnknownId(u8),
    /// A code with no meaning known here.
    UnknownFourCc(FourCc),
}

impl VideoCodec {
    /// The codec of an FLV codec id (FLV 10.1, E.4.3.1), the low four bits of a video tag.
    pub const fn from_id(id: u8) -> Self {
        match id {
            2 => Self::SorensonH263,
            3 => Self::Screen,
            4 => Self::Vp6,
            5 => Self::Vp6Alpha,
            6 => Self::Screen2,
            7 => Self::Avc,
            12 => Self::Hevc,
            13 => Self::Av1,
            id => Self::UnknownId(id),
        }
    }

    /// The codec of a `VideoFourCc` of enhanced RTMP.
    pub const fn from_four_cc(code: FourCc) -> Self {
        match &code.0 {
            b"avc1" => Self::Avc,
            b"hvc1" => Self::Hevc,
            b"av01" => Self::Av1,
            b"vp08" => Self::Vp8,
            b"vp09" => Self::Vp9,
            b"vvc1" => Self::Vvc,
            _ => Self::UnknownFourCc(code),
        }
    }
}

impl fmt::Display for VideoCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::SorensonH263 => "Sorenson H.263",
            Self::Screen => "Screen video",
            Self::Vp6 => "VP6",
            Self::Vp6Alpha => "VP6 with alpha",
            Self::Screen2 => "Screen video 2",
            Self::Avc => "H.264",
            Self::Hevc => "HEVC",
            Self::Av1 => "AV1",
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
            Self::Vvc => "VVC",
            Self::UnknownId(id) => return write!(f, "video codec {id}"),
            Self::UnknownFourCc(code) => return write!(f, "video codec {code}"),
        })
    }
}

/// How audio is coded. Displayed as operators know it: `AAC`, `Opus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AudioCodec {
    /// Samples as they are, FLV sound format 0 (the byte order of the recording machine) or 3
    /// (little endian).
    LinearPcm,
    /// ADPCM, FLV sound format 1.
    Adpcm,
    /// MP3, FLV sound format 2, 14 (at 8 kHz) or `.mp3`.
    Mp3,
    /// Nellymoser, FLV sound format 4 (16 kHz), 5 (8 kHz) or 6.
    Nellymoser,
    /// G.711 A-law, FLV sound format 7.
    G711ALaw,
    /// G.711 mu-law, FLV sound format 8.
    G711MuLaw,
    /// AAC, FLV sound format 10 or `mp4a`.
    Aac,
    /// Speex, FLV sound format 11.
    Speex,
    /// AC-3, `ac-3`.
    Ac3,
    /// E-AC-3, `ec-3`.
    Eac3,
    /// Opus, `Opus`.
    Opus,
    /// FLAC, `fLaC`.
    Flac,
    /// An FLV sound format with no meaning known here.
    UnknownId(u8),
    /// A code with no meaning known here.
    UnknownFourCc(FourCc),
}

impl AudioCodec {
    /// The codec of an FLV sound format (FLV 10.1, E.4.2.1), the high four bits of an audio tag.
    pub const fn from_id(id: u8) -> Self {
        match id {
            0 | 3 => Self::LinearPcm,
            1 => Self::Adpcm,
            2 | 14 => Self::Mp3,
            4..=6 => Self::Nellymoser,
            7 => Self::G711ALaw,
            8 => Self::G711MuLaw,
            10 => Self::Aac,
            11 => Self::Speex,
            id => Self::UnknownId(id),
        }
    }

    /// The codec of an `AudioFourCc` of enhanced RTMP.
    pub const fn from_four_cc(code: FourCc) -> Self {
        match &code.0 {
            b"ac-3" => Self::Ac3,
            b"ec-3" => Self::Eac3,
            b"Opus" => Self::Opus,
            b".mp3" => Self::Mp3,
            b"fLaC" => Self::Flac,
            b"mp4a" => Self::Aac,
            _ => Self::UnknownFourCc(code),
        }
    }
}

impl fmt::Display for AudioCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::LinearPcm => "PCM",
            Self::Adpcm => "ADPCM",
            Self::Mp3 => "MP3",
            Self::Nellymoser => "Nellymoser",
            Self::G711ALaw => "G.711 A-law",
            Self::G711MuLaw => "G.711 mu-law",
            Self::Aac => "AAC",
            Self::Speex => "Speex",
            Self::Ac3 => "AC-3",
            Self::Eac3 => "E-AC-3",
            Self::Opus => "Opus",
            Self::Flac => "FLAC",
            Self::UnknownId(id) => return write!(f, "audio codec {id}"),
            Self::UnknownFourCc(code) => return write!(f, "audio codec {code}"),
        })
    }
}

/// The size of a picture as it is shown, in pixels. Displayed as `1280x720`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resolution {
    /// Pixels in a line.
    pub width: u32,
    /// Lines.
    pub height: u32,
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// How many samples of colour a picture has for those of brightness, `chroma_format_idc` of H.264
/// and H.265. Displayed as `4:2:0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChromaFormat {
    /// None: grey.
    Monochrome,
    /// A quarter.
    Yuv420,
    /// Half.
    Yuv422,
    /// As many.
    Yuv444,
}

impl ChromaFormat {
    const fn from_idc(idc: u32) -> Option<Self> {
        Some(match idc {
            0 => Self::Monochrome,
            1 => Self::Yuv420,
            2 => Self::Yuv422,
            3 => Self::Yuv444,
            _ => return None,
        })
    }
}

impl fmt::Display for ChromaFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Monochrome => "monochrome",
            Self::Yuv420 => "4:2:0",
            Self::Yuv422 => "4:2:2",
            Self::Yuv444 => "4:4:4",
        })
    }
}

/// Reads the bits of a sample, of which the bitstream has those beyond eight, at most `most_beyond`.
fn read_bit_depth(
    reader: &mut BitReader<'_>,
    field: &'static str,
    most_beyond: u8,
) -> Result<u8, FieldError> {
    let beyond = reader.ue(field)?;
    match u8::try_from(beyond) {
        Ok(beyond) if beyond <= most_beyond => Ok(8 + beyond),
        _ => Err(FieldError::unexpected(
            field,
            beyond,
            "a depth of at most 16 bits",
        )),
    }
}

/// A `side` of a picture without the `offset` units of `unit` pixels that its SPS crops; something
/// must be left of it.
fn crop(side: u32, offset: u32, unit: u32, field: &'static str) -> Result<u32, FieldError> {
    offset
        .checked_mul(unit)
        .and_then(|cropped| side.checked_sub(cropped))
        .filter(|&left| left > 0)
        .ok_or_else(|| FieldError::unexpected(field, offset, "less than the picture's side"))
}

/// Frames per second as a fraction in lowest terms: 30000/1001 for the rate of NTSC. Displayed as a
/// number with at most three decimals: `25`, `29.97`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameRate {
    numerator: u32,
    denominator: u32,
}

impl FrameRate {
    /// `numerator` frames in `denominator` seconds; `None` if either is zero, by which encoders say
    /// that they do not know.
    pub const fn new(numerator: u32, denominator: u32) -> Option<Self> {
        if numerator == 0 || denominator == 0 {
            return None;
        }
        let (mut divisor, mut rest) = (numerator, denominator);
        while rest != 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        Some(Self {
            numerator: numerator / divisor,
            denominator: denominator / divisor,
        })
    }

    /// Frames per second, above zero and finite.
    pub fn as_f64(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }
}

impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = format!("{:.3}", self.as_f64());
        f.write_str(number.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legacy_ids_and_codes_name_the_same_codecs() {
        let video = [
            (7, b"avc1", "H.264"),
            (12, b"hvc1", "HEVC"),
            (13, b"av01", "AV1"),
        ];
        for (id, code, name) in video {
            assert_eq!(
                VideoCodec::from_id(id),
                VideoCodec::from_four_cc(FourCc(*code))
            );
            assert_eq!(VideoCodec::from_id(id).to_string(), name);
        }
        for (id, code, name) in [(10, b"mp4a", "AAC"), (2, b".mp3", "MP3")] {
            assert_eq!(
                AudioCodec::from_id(id),
                AudioCodec::from_four_cc(FourCc(*code))
            );
            assert_eq!(AudioCodec::from_id(id).to_string(), name);
        }
    }

    #[test]
    fn unknown_codecs_are_shown_as_they_came() {
        assert_eq!(VideoCodec::from_id(9).to_string(), "video codec 9");
        assert_eq!(
            VideoCodec::from_four_cc(FourCc(*b"dvh1")).to_string(),
            "video codec dvh1"
        );
        assert_eq!(AudioCodec::from_id(15).to_string(), "audio codec 15");
        assert_eq!(
            AudioCodec::from_four_cc(FourCc::from_u32(0x0061_0A7F)).to_string(),
            "audio codec \\x00a\\n\\x7f"
        );
    }

    #[test]
    fn frame_rates_are_shown_with_the_decimals_they_need() {
        let cases = [
            (25, 1, "25"),
            (30_000, 1001, "29.97"),
            (24_000, 1001, "23.976"),
            (100, 1, "100"),
            (1, 3, "0.333"),
        ];
        for (numerator, denominator, text) in cases {
            assert_eq!(
                FrameRate::new(numerator, denominator).unwrap().to_string(),
                text
            );
        }
        assert_eq!(FrameRate::new(50, 2), FrameRate::new(25, 1));
        assert_eq!(FrameRate::new(0, 1), None);
        assert_eq!(FrameRate::new(1, 0), None);
    }
}
