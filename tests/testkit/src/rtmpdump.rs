//! rtmpdump, which is librtmp, as a player.

use std::path::PathBuf;

use anyhow::Result;

use crate::process::command;
use crate::{Process, Recording};

/// Plays the live stream at `url` and records it, tag by tag as it came, into `file`, until it is
/// stopped or the server ends the stream.
///
/// # Errors
/// If there is no rtmpdump.
pub fn record(url: &str, file: impl Into<PathBuf>) -> Result<Recording> {
    let file = file.into();
    let process = Process::start(
        "rtmpdump",
        command("rtmpdump")
            .args(["--verbose", "--live", "--rtmp", url, "--flv"])
            .arg(&file),
    )?;
    Ok(Recording::new(process, file, None))
}
