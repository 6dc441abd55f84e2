//! GStreamer: `rtmp2sink` and `rtmp2src`, an implementation of its own, and `rtmpsink`, which is
//! librtmp as a publisher.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::process::command;
use crate::{Process, Recording};

/// Publishes `file`, a clip with picture and sound, in real time with `rtmp2sink`.
///
/// # Errors
/// If there is no GStreamer.
pub fn publish(file: &Path, url: &str) -> Result<Process> {
    publish_with("rtmp2sink", file, url)
}

/// Publishes `file`, a clip with picture and sound, in real time with librtmp (`rtmpsink`).
///
/// # Errors
/// If there is no GStreamer.
pub fn publish_with_librtmp(file: &Path, url: &str) -> Result<Process> {
    publish_with("rtmpsink", file, &format!("{url} live=1"))
}

/// Plays `url` with `rtmp2src` and records so many messages (sound, picture or data) into `file`.
///
/// # Errors
/// If there is no GStreamer.
pub fn record(url: &str, file: impl Into<PathBuf>, messages: u32) -> Result<Recording> {
    let file = file.into();
    let process = Process::start(
        "gst rtmp2src",
        command("gst-launch-1.0")
            .args([
                "rtmp2src",
                &format!("location={url}"),
                &format!("num-buffers={messages}"),
            ])
            .args(["!", "filesink", "buffer-mode=unbuffered"])
            .arg(location(&file)),
    )?;
    Ok(Recording::new(process, file, None))
}

fn publish_with(sink: &str, file: &Path, url: &str) -> Result<Process> {
    Process::start(
        &format!("gst {sink}"),
        command("gst-launch-1.0")
            .args(["-m", "filesrc"])
            .arg(location(file))
            .args([
                "!",
                "flvdemux",
                "name=d",
                "d.video",
                "!",
                "queue",
                "!",
                "h264parse",
            ])
            .args(["!", "flvmux", "name=m", "streamable=true"])
            .args(["!", sink, "sync=true", &format!("location={url}")])
            .args(["d.audio", "!", "queue", "!", "aacparse", "!", "m."]),
    )
}

fn location(file: &Path) -> String {
    format!("location={}", file.display())
}
