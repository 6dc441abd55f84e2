//! What a stream carries, as its headers and packets say.

use srs_api::{Audio, Video};
use srs_media::audio::Sound;
use srs_media::codec::{AudioCodec, AudioConfig, VideoCodec, VideoConfig, hevc};
use srs_media::{audio as audio_tag, video as video_tag};

use crate::hub::log::HeaderKey;
use crate::hub::stream::Look;

/// The video of a stream, if it has any.
pub(super) fn video(look: &Look) -> Option<Video> {
    let header = look.headers.get(&HeaderKey::Video(0));
    let config = header.and_then(|(_, header)| VideoConfig::parse(&header.packet.payload).ok());
    let codec = match &config {
        Some(config) => config.codec(),
        None => {
            let begins = look.figures.video_begins()?;
            video_tag::TagHeader::parse(begins).ok()?.codec?
        }
    };
    let resolution = config.as_ref().and_then(VideoConfig::resolution);
    let nominal = config.as_ref().and_then(VideoConfig::frame_rate);
    let (profile, level) = config.as_ref().map(profile_of_video).unwrap_or_default();
    let gop = look.figures.gop().unwrap_or_default();
    Some(Video {
        codec: video_name(codec),
        profile,
        level,
        width: resolution.map_or(0, |resolution| resolution.width),
        height: resolution.map_or(0, |resolution| resolution.height),
        fps: round(look.frame_rate),
        nominal_fps: nominal.map_or(0.0, |rate| round(rate.as_f64())),
        gop_ms: u64::try_from(gop.as_millis()).unwrap_or(u64::MAX),
    })
}

/// The audio of a stream, if it has any.
pub(super) fn audio(look: &Look) -> Option<Audio> {
    let header = look.headers.get(&HeaderKey::Audio(0));
    if let Some(config) =
        header.and_then(|(_, header)| AudioConfig::parse(&header.packet.payload).ok())
    {
        return Some(Audio {
            codec: config.codec().to_string(),
            sample_rate: config.sample_rate().unwrap_or(0),
            channel: config.channels().unwrap_or(0),
            profile: profile_of_audio(&config),
        });
    }
    let tag = audio_tag::TagHeader::parse(look.figures.audio_begins()?).ok()?;
    let sound = sound_of(&tag);
    Some(Audio {
        codec: tag.codec.to_string(),
        sample_rate: sound.map_or(0, |sound| sound.sample_rate),
        channel: sound.map_or(0, |sound| sound.channels),
        profile: String::new(),
    })
}

/// SRS writes H.264 so.
pub(super) fn video_name(codec: VideoCodec) -> String {
    match codec {
        VideoCodec::Avc => "H264".to_owned(),
        codec => codec.to_string(),
    }
}

fn profile_of_video(config: &VideoConfig) -> (String, String) {
    match config {
        VideoConfig::Avc(config) => (config.profile.to_string(), config.level.to_string()),
        VideoConfig::Hevc(config) => profile_of_hevc(config),
        VideoConfig::Vp9(config) => (config.profile.to_string(), String::new()),
        VideoConfig::Av1(_) | VideoConfig::Vp8(_) | VideoConfig::Other(_) => <_>::default(),
    }
}

/// The profile and the level.
pub(super) fn profile_of_hevc(config: &hevc::DecoderConfig) -> (String, String) {
    // Displayed as `Main 4.0` or `Main 10 4.0 High tier`.
    let shown = config.profile.to_string();
    let level = format!(
        "{}.{}",
        config.profile.level_idc / 30,
        config.profile.level_idc % 30 / 3
    );
    let profile = shown.split(&format!(" {level}")).next().unwrap_or(&shown);
    (profile.to_owned(), level)
}

/// What a tag says of the sound. What it says of AAC is always the same, whatever it is.
pub(super) fn sound_of(tag: &audio_tag::TagHeader) -> Option<Sound> {
    tag.sound.filter(|_| tag.codec != AudioCodec::Aac)
}

fn profile_of_audio(config: &AudioConfig) -> String {
    match config {
        AudioConfig::Aac(config) if config.has_parametric_stereo => "HE v2".to_owned(),
        AudioConfig::Aac(config) if config.sbr_sample_rate.is_some() => "HE".to_owned(),
        AudioConfig::Aac(config) => config.object_type.to_string(),
        AudioConfig::Opus(_) | AudioConfig::Other(_) => String::new(),
    }
}

/// To two digits: nobody needs 29.970029970029973.
fn round(rate: f64) -> f64 {
    (rate * 100.0).round() / 100.0
}
