//! VLC without a screen, as a player.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use anyhow::Result;

use crate::process::command;
use crate::{Process, Recording};

/// Plays `url` for so long and records it as FLV, in a folder of its own.
///
/// VLC refuses to run as root, so that it runs as `nobody` there.
///
/// # Errors
/// If there is no VLC.
pub fn record(url: &str, duration: Duration) -> Result<Recording> {
    let folder = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o777))
        .tempdir()?;
    // The mask of the process applies to the folder's making, and `nobody` must write there.
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o777))?;
    let file = folder.path().join("seen.flv");
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = command("setpriv");
        // A change of user clears the signal that `command` asked for.
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
        command.args(["--pdeathsig", "KILL", "cvlc"]);
        command
    } else {
        command("cvlc")
    };
    command
        .env("HOME", folder.path())
        .env_remove("XDG_RUNTIME_DIR")
        .args(["--verbose=1", "--no-color", "--play-and-exit"])
        .arg(format!("--run-time={}", duration.as_secs()))
        .arg(format!(
            "--sout=#std{{access=file,mux=avformat{{mux=flv}},dst={}}}",
            file.display()
        ))
        .args([url, "vlc://quit"]);
    let process = Process::start("vlc", &mut command)?;
    Ok(Recording::new(process, file, Some(folder)))
}
