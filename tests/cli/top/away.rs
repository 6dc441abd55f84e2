//! A server that goes away and comes back.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result};
use testkit::{SOON, clips, ffmpeg, wait_for};

use super::{Terminal, stage, streams};
use crate::TestServer;

#[test]
fn a_server_that_is_killed_is_missed_until_it_is_back() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = stage::configuration_file(folder.path());
    fs::write(file, stage::configuration(folder.path(), ""))?;
    let daemon = Daemon::start(folder.path())?;
    let publish = || {
        ffmpeg::publish(clips::demo(), &daemon_url(folder.path())?)
            .looped()
            .realtime()
            .start_live()
    };
    let publisher = publish()?;
    let terminal = Terminal::open((120, 30))?;
    terminal.run_top(&["--server", &stage::address(folder.path())])?;
    terminal.wait_for("live/show")?;
    terminal.press("Space")?;
    terminal.wait_for("1 marked")?;

    daemon.kill()?;
    drop(publisher);
    terminal.wait_for("has not answered for")?;
    terminal.wait_for("away")?;
    terminal.press("?")?;
    terminal.wait_for("keys of streams")?;
    terminal.press("Escape")?;
    terminal.wait_without("keys of streams")?;

    let _daemon = Daemon::start(folder.path())?;
    terminal.wait_for("has restarted")?;
    // Those of its life before are gone.
    terminal.wait_for("no streams")?;
    terminal.wait_without("has not answered for")?;
    let _publisher = publish()?;
    // It has the id of the one before, which was marked, and is not that one.
    terminal.wait_until("the stream without a mark", |screen| {
        let is_marked = screen.contains("marked");
        streams(screen) == ["show"] && screen.contains("running") && !is_marked
    })?;
    terminal.press("q")?;
    assert_eq!(terminal.wait_for_status()?, 0);
    Ok(())
}

/// A server in a process of its own, which can be killed: this program, told so by a variable.
struct Daemon(Child);

impl Daemon {
    /// Starts one by the configuration that is in `folder`, and waits until it serves.
    fn start(folder: &Path) -> Result<Self> {
        let url = url_file(folder);
        if url.exists() {
            fs::remove_file(&url)?;
        }
        // It goes with the test, also when the test is killed.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(env::current_exe()?)
            .args(["--exact", HELPER])
            .env(FOLDER, folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let daemon = Self(child);
        wait_for(SOON, "the daemon", || Ok(url.exists().then_some(())))?;
        Ok(daemon)
    }

    /// Kills it, without a last word.
    fn kill(mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Tests nothing, unless it is what serves for the test above.
#[test]
fn serves_until_it_is_killed() -> Result<()> {
    let Some(folder) = env::var_os(FOLDER) else {
        return Ok(());
    };
    let folder = Path::new(&folder);
    let server = TestServer::start_from(&stage::configuration_file(folder))?;
    let new = folder.join("url.new");
    fs::write(&new, server.url())?;
    fs::rename(new, url_file(folder))?;
    loop {
        thread::park();
    }
}

fn daemon_url(folder: &Path) -> Result<String> {
    fs::read_to_string(url_file(folder)).context("no daemon")
}

fn url_file(folder: &Path) -> PathBuf {
    folder.join("url")
}

/// The name of the test that is none.
const HELPER: &str = "top::away::serves_until_it_is_killed";
/// Where the daemon's configuration is.
const FOLDER: &str = "SRS_TEST_DAEMON";
