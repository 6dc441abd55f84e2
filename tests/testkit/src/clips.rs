//! The clips of `tests/media`; its README says what is in each.

use std::path::PathBuf;

/// Ten seconds of picture (a key frame every 2 s, with B frames) and sound.
#[must_use]
pub fn demo() -> PathBuf {
    clip("demo.flv")
}

/// Four seconds of sound.
#[must_use]
pub fn audio_only() -> PathBuf {
    clip("audio_only.flv")
}

/// Four seconds of picture.
#[must_use]
pub fn video_only() -> PathBuf {
    clip("video_only.flv")
}

/// Ten seconds of picture and sound with a key frame at the start and none after.
#[must_use]
pub fn long_gop() -> PathBuf {
    clip("long_gop.flv")
}

fn clip(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../media")).join(name)
}
