//! What sequence headers say, in short: read once when they come, so that whoever lists thousands of
//! streams need not.

use srs_media::codec::{AudioCodec, AudioConfig, FrameRate, Resolution, VideoCodec, VideoConfig};
use srs_media::packet::Packet;

use crate::hub::log::HeaderKey;

/// What the header of a track says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// Of video; `None` if it cannot be read.
    Video(Option<VideoHeader>),
    /// Of audio; likewise.
    Audio(Option<AudioHeader>),
}

/// What a video sequence header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoHeader {
    /// The codec.
    pub codec: VideoCodec,
    /// The size of the picture.
    pub resolution: Option<Resolution>,
    /// Frames per second.
    pub frame_rate: Option<FrameRate>,
}

/// What an audio sequence header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioHeader {
    /// The codec.
    pub codec: AudioCodec,
    /// Samples per second.
    pub sample_rate: Option<u32>,
    /// Channels.
    pub channels: Option<u8>,
}

impl Header {
    /// Reads `packet`, whose header key is `key`, if it is the header of a first track.
    pub fn read(key: HeaderKey, packet: &Packet) -> Option<Self> {
        match key {
            HeaderKey::Video(0) => Some(Self::Video(video(packet))),
            HeaderKey::Audio(0) => Some(Self::Audio(audio(packet))),
            _ => None,
        }
    }
}

fn video(packet: &Packet) -> Option<VideoHeader> {
    let config = VideoConfig::parse(&packet.payload).ok()?;
    Some(VideoHeader {
        codec: config.codec(),
        resolution: config.resolution(),
        frame_rate: config.frame_rate(),
    })
}

fn audio(packet: &Packet) -> Option<AudioHeader> {
    let config = AudioConfig::parse(&packet.payload).ok()?;
    Some(AudioHeader {
        codec: config.codec(),
        sample_rate: config.sample_rate(),
        channels: config.channels(),
    })
}
