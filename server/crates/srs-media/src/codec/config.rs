//! The sequence header of any codec, for those who want to know the stream and not the codec.

use std::fmt;

use bytes::Bytes;

use super::{
    AudioCodec, FrameRate, Resolution, VideoCodec, aac::AudioSpecificConfig, av1, avc, hevc, opus,
    vpx,
};
use crate::bits::FieldError;
use crate::{audio, video};

/// A video sequence header, read. Displayed as one line for logs: `H.264 High 4.0 1280x720`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VideoConfig {
    /// H.264.
    Avc(avc::DecoderConfig),
    /// H.265.
    Hevc(hevc::DecoderConfig),
    /// AV1.
    Av1(av1::CodecConfig),
    /// VP8.
    Vp8(vpx::CodecConfig),
    /// VP9.
    Vp9(vpx::CodecConfig),
    /// A codec whose sequence header is not read here.
    Other(VideoCodec),
}

impl VideoConfig {
    /// Reads the body of a packet that is a video sequence header, tag header included.
    ///
    /// # Errors
    /// [`FieldError`] if tag header or record are broken; the stream may still be played by a
    /// decoder that is content with less.
    pub fn parse(body: &Bytes) -> Result<Self, FieldError> {
        let header = video::TagHeader::parse(body)?;
        let record = header.payload(body);
        match header.codec {
            Some(VideoCodec::Avc) => avc::DecoderConfig::parse(&record).map(Self::Avc),
            Some(VideoCodec::Hevc) => hevc::DecoderConfig::parse(&record).map(Self::Hevc),
            Some(VideoCodec::Av1) if header.packet_type == video::PacketType::SequenceStart => {
                av1::CodecConfig::parse(&record).map(Self::Av1)
            }
            Some(VideoCodec::Vp8) => vpx::CodecConfig::parse(&record).map(Self::Vp8),
            Some(VideoCodec::Vp9) => vpx::CodecConfig::parse(&record).map(Self::Vp9),
            Some(codec) => Ok(Self::Other(codec)),
            None => Err(FieldError::unexpected(
                "VideoFrameType",
                5,
                "a frame of a codec",
            )),
        }
    }

    /// The codec.
    pub const fn codec(&self) -> VideoCodec {
        match self {
            Self::Avc(_) => VideoCodec::Avc,
            Self::Hevc(_) => VideoCodec::Hevc,
            Self::Av1(_) => VideoCodec::Av1,
            Self::Vp8(_) => VideoCodec::Vp8,
            Self::Vp9(_) => VideoCodec::Vp9,
            Self::Other(codec) => *codec,
        }
    }

    /// The size of the pictures, if the header says. Decodes the parameter set anew each time.
    pub fn resolution(&self) -> Option<Resolution> {
        match self {
            Self::Avc(config) => Some(config.first_sps()?.ok()?.resolution),
            Self::Hevc(config) => Some(config.first_sps()?.ok()?.resolution),
            Self::Av1(config) => Some(config.sequence?.resolution),
            Self::Vp8(_) | Self::Vp9(_) | Self::Other(_) => None,
        }
    }

    /// Frames per second, if the header says. Decodes the parameter set anew each time.
    pub fn frame_rate(&self) -> Option<FrameRate> {
        match self {
            Self::Avc(config) => config.first_sps()?.ok()?.frame_rate,
            Self::Hevc(config) => config.first_sps()?.ok()?.frame_rate,
            Self::Av1(config) => config.sequence?.frame_rate,
            Self::Vp8(_) | Self::Vp9(_) | Self::Other(_) => None,
        }
    }
}

impl fmt::Display for VideoConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Avc(config) => config.fmt(f),
            Self::Hevc(config) => config.fmt(f),
            Self::Av1(config) => config.fmt(f),
            Self::Vp8(_) => VideoCodec::Vp8.fmt(f),
            Self::Vp9(config) => write!(f, "VP9 profile {}", config.profile),
            Self::Other(codec) => codec.fmt(f),
        }
    }
}

/// An audio sequence header, read. Displayed as one line for logs: `AAC LC 44100 Hz stereo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AudioConfig {
    /// AAC.
    Aac(AudioSpecificConfig),
    /// Opus.
    Opus(opus::IdHeader),
    /// A codec whose sequence header is not read here.
    Other(AudioCodec),
}

impl AudioConfig {
    /// Reads the body of a packet that is an audio sequence header, tag header included.
    ///
    /// # Errors
    /// [`FieldError`] if tag header or config are broken; the stream may still be played by a
    /// decoder that is content with less.
    pub fn parse(body: &Bytes) -> Result<Self, FieldError> {
        let header = audio::TagHeader::parse(body)?;
        let config = header.payload(body);
        match header.codec {
            AudioCodec::Aac => AudioSpecificConfig::parse(&config).map(Self::Aac),
            AudioCodec::Opus => opus::IdHeader::parse(&config).map(Self::Opus),
            codec => Ok(Self::Other(codec)),
        }
    }

    /// The codec.
    pub const fn codec(&self) -> AudioCodec {
        match self {
            Self::Aac(_) => AudioCodec::Aac,
            Self::Opus(_) => AudioCodec::Opus,
            Self::Other(codec) => *codec,
        }
    }

    /// Samples per second that a decoder puts out, in Hz, if the header says.
    pub fn sample_rate(&self) -> Option<u32> {
        match self {
            Self::Aac(config) => Some(config.sample_rate()),
            Self::Opus(_) => Some(opus::DECODED_SAMPLE_RATE),
            Self::Other(_) => None,
        }
    }

    /// Channels that a decoder puts out, if the header says.
    pub fn channels(&self) -> Option<u8> {
        match self {
            Self::Aac(config) => config.channels(),
            Self::Opus(header) => Some(header.channels),
            Self::Other(_) => None,
        }
    }
}

impl fmt::Display for AudioConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aac(config) => config.fmt(f),
            Self::Opus(header) => header.fmt(f),
            Self::Other(codec) => codec.fmt(f),
        }
    }
}

/// Appends ` stereo` and the like.
pub(super) fn write_channels(f: &mut fmt::Formatter<'_>, channels: u8) -> fmt::Result {
    match channels {
        1 => f.write_str(" mono"),
        2 => f.write_str(" stereo"),
        6 => f.write_str(" 5.1"),
        8 => f.write_str(" 7.1"),
        count => write!(f, " {count} channels"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_other_codecs_are_named_only() {
        let video: [(&'static [u8], &str); 4] = [
            (b"\x90vp09\x00\x0A\x80\x01\x01\x01\0\0", "VP9 profile 0"),
            (b"\x90vp08\x00\x0A\x80", "VP8"),
            (b"\x90vvc1\xFF", "VVC"),
            (b"\x95av01\x80\x04", "AV1"),
        ];
        for (body, text) in video {
            let config = VideoConfig::parse(&Bytes::from_static(body)).unwrap();
            assert_eq!(config.to_string(), text);
            assert_eq!((config.resolution(), config.frame_rate()), (None, None));
        }
        let config = AudioConfig::parse(&Bytes::from_static(b"\x90fLaC\0")).unwrap();
        assert_eq!(config.to_string(), "FLAC");
        assert_eq!((config.sample_rate(), config.channels()), (None, None));
    }

    #[test]
    fn a_command_is_no_sequence_header() {
        let error = VideoConfig::parse(&Bytes::from_static(&[0xD1, 0])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "VideoFrameType is 5, expected a frame of a codec"
        );
    }
}
