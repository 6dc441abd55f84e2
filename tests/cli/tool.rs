//! `srsctl` as a child process.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use testkit::{SOON, wait_for};

/// A running `srsctl`, whose outputs are kept in files. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Tool {
    child: Child,
    folder: TempDir,
}

impl Tool {
    /// Starts it with these arguments.
    pub(crate) fn start<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let stdout = File::create(folder.path().join(STDOUT))?;
        Self::start_with(arguments, stdout.into(), folder)
    }

    /// Starts it with these arguments, and with settings of this text.
    pub(crate) fn start_set<A: AsRef<OsStr>>(
        settings: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join(SETTINGS), settings)?;
        let stdout = File::create(folder.path().join(STDOUT))?;
        Self::start_with(arguments, stdout.into(), folder)
    }

    /// Starts it with a standard output that nobody reads from.
    pub(crate) fn start_unread<A: AsRef<OsStr>>(
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Self> {
        let (reader, writer) = std::io::pipe()?;
        drop(reader);
        Self::start_with(arguments, writer.into(), tempfile::tempdir()?)
    }

    fn start_with<A: AsRef<OsStr>>(
        arguments: impl IntoIterator<Item = A>,
        stdout: Stdio,
        folder: TempDir,
    ) -> Result<Self> {
        let child = Command::new(env!("CARGO_BIN_EXE_srsctl"))
            .args(arguments)
            // Not those of whoever runs the tests.
            .env("SRSCTL_CONFIG", folder.path().join(SETTINGS))
            .env_remove("SRSCTL_SERVER")
            .env_remove("SRSCTL_TOKEN")
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(File::create(folder.path().join(STDERR))?)
            .spawn()?;
        Ok(Self { child, folder })
    }

    /// Runs it to its end and gives its exit status and what it said.
    pub(crate) fn run<A: AsRef<OsStr>>(
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<(i32, String)> {
        let mut tool = Self::start(arguments)?;
        Ok((tool.wait()?, tool.said()))
    }

    /// Waits for it to end and gives its exit status.
    pub(crate) fn wait(&mut self) -> Result<i32> {
        let look = || Ok(self.child.try_wait()?);
        let status = wait_for(SOON, "the end of srsctl", look)?;
        status.code().context("killed by a signal")
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Waits until it has said `text` on standard error.
    pub(crate) fn wait_to_say(&self, text: &str) -> Result<()> {
        wait_for(SOON, text, || Ok(self.said().contains(text).then_some(())))
    }

    /// Waits until it has printed `text` on standard output.
    pub(crate) fn wait_to_print(&self, text: &str) -> Result<()> {
        let printed = || anyhow::Ok(String::from_utf8_lossy(&self.printed()?).contains(text));
        wait_for(SOON, text, || Ok(printed()?.then_some(())))
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// Standard error so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join(STDERR)).unwrap_or_default()
    }

    /// Standard output so far.
    pub(crate) fn printed(&self) -> Result<Vec<u8>> {
        Ok(fs::read(self.folder.path().join(STDOUT))?)
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        // The captured output of a test that fails tells what happened.
        eprint!("{}", self.said());
        // An error means that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const SETTINGS: &str = "config.toml";
const STDOUT: &str = "stdout";
const STDERR: &str = "stderr";
