//! The daemon as an operator runs it: its binary, a configuration file, its log, its signals.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::process::command;
use crate::{Finished, Process, SOON};

/// A running daemon that listens on ports which the kernel chose.
#[derive(Debug)]
pub struct Srs {
    process: Process,
    addresses: Vec<SocketAddr>,
    _folder: TempDir,
}

/// A daemon that is not running yet.
#[derive(Clone, Debug)]
pub struct SrsBuilder {
    binary: PathBuf,
    listen: Vec<String>,
    settings: String,
}

impl Srs {
    /// Starts `binary` (in a test `env!("CARGO_BIN_EXE_srs")`) with nothing configured but where it
    /// listens, and waits until it does.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(binary: impl Into<PathBuf>) -> Result<Self> {
        Self::build(binary).start()
    }

    /// A daemon to be configured, at `127.0.0.1` if nothing else is said.
    #[must_use]
    pub fn build(binary: impl Into<PathBuf>) -> SrsBuilder {
        SrsBuilder {
            binary: binary.into(),
            listen: vec!["127.0.0.1:0".to_owned()],
            settings: String::new(),
        }
    }

    /// The URL of `path` (`live/show`) at its first address.
    #[must_use]
    pub fn rtmp_url(&self, path: &str) -> String {
        format!("rtmp://{}/{path}", self.addresses[0])
    }

    /// Where it listens for RTMP, in the order of the configuration.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Waits until its log has a line with `text`, and gives the line.
    ///
    /// # Errors
    /// If there is none within `bound`.
    pub fn wait_for_log(&self, text: &str, bound: Duration) -> Result<String> {
        self.process.log().wait_for(text, bound)
    }

    /// Its process, to measure it, to send signals, to read its log.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Stops it as systemd does, with SIGTERM, and says how it ended and how long that took.
    ///
    /// # Errors
    /// If it had ended before, or does not end soon.
    pub fn stop(&mut self) -> Result<Finished> {
        self.process.terminate()?;
        self.process.wait(SOON)
    }
}

impl SrsBuilder {
    /// Listens at these addresses, `IP:0` for a port that the kernel chooses.
    #[must_use]
    pub fn listen<A: ToString>(mut self, addresses: impl IntoIterator<Item = A>) -> Self {
        self.listen = addresses
            .into_iter()
            .map(|address| address.to_string())
            .collect();
        self
    }

    /// Adds TOML to the configuration: keys of the top level first, then tables.
    #[must_use]
    pub fn settings(mut self, toml: &str) -> Self {
        self.settings.push_str(toml);
        self.settings.push('\n');
        self
    }

    /// Starts it and waits until it listens at all its addresses.
    ///
    /// # Errors
    /// If it ends instead, or takes too long.
    pub fn start(&self) -> Result<Srs> {
        let (process, folder) = self.spawn()?;
        let addresses = (1..=self.listen.len())
            .map(|nth| {
                let line = process.log().wait_for_nth(nth, LISTENING, SOON)?;
                address(&line).with_context(|| format!("no address in {line:?}"))
            })
            .collect::<Result<_>>()?;
        Ok(Srs {
            process,
            addresses,
            _folder: folder,
        })
    }

    /// Starts it where it cannot serve, and gives what it ended with and what it said.
    ///
    /// # Errors
    /// If it does not end soon.
    pub fn start_in_vain(&self) -> Result<(Finished, String)> {
        let (mut process, _folder) = self.spawn()?;
        let finished = process.wait(SOON)?;
        Ok((finished, process.log().tail()))
    }

    fn spawn(&self) -> Result<(Process, TempDir)> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("srs.toml");
        fs::write(&file, self.configuration())?;
        let mut command = command(&self.binary);
        command
            .arg("-c")
            .arg(&file)
            .env("XDG_RUNTIME_DIR", folder.path());
        for name in FROM_SYSTEMD {
            command.env_remove(name);
        }
        Ok((Process::start("srs", &mut command)?, folder))
    }

    fn configuration(&self) -> String {
        // Strings of TOML and of Rust look the same for what an address is made of.
        format!("listen = {:?}\n{}", self.listen, self.settings)
    }
}

/// The address behind [`LISTENING`].
fn address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(LISTENING)?;
    rest.split_whitespace().next()?.parse().ok()
}

/// What the daemon says once for each address, before the address.
const LISTENING: &str = "listening for RTMP on ";

/// A test run under systemd must not have the daemon take its sockets, or log elsewhere.
const FROM_SYSTEMD: [&str; 8] = [
    "NOTIFY_SOCKET",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_FDNAMES",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "JOURNAL_STREAM",
    "INVOCATION_ID",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_after_the_addresses() {
        let builder = Srs::build("srs")
            .listen(["127.0.0.1:0", "[::1]:0"])
            .settings("chunk_size = 128")
            .settings("[log]\nlevel = \"debug\"");
        assert_eq!(
            builder.configuration(),
            "listen = [\"127.0.0.1:0\", \"[::1]:0\"]\nchunk_size = 128\n[log]\nlevel = \"debug\"\n"
        );
    }

    #[test]
    fn the_port_is_read_from_the_log() {
        for (line, expected) in [
            (
                "2030-01-01 INFO listening for RTMP on 127.0.0.1:4711",
                Some("127.0.0.1:4711"),
            ),
            (
                "listening for RTMP on [::1]:80 by systemd",
                Some("[::1]:80"),
            ),
            ("listening for RTMP on nothing", None),
        ] {
            assert_eq!(
                address(line),
                expected.map(|text| text.parse().unwrap()),
                "{line}"
            );
        }
    }
}
