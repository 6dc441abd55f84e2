//! The daemon as an operator runs it: its binary, a configuration file, its log, its signals.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::process::command;
use crate::{Finished, Process, SOON, ServiceManager};

/// A running daemon that listens on ports which the kernel chose.
#[derive(Debug)]
pub struct Srs {
    process: Process,
    /// What it was configured with last.
    builder: SrsBuilder,
    addresses: Vec<SocketAddr>,
    folder: TempDir,
}

/// A daemon that is not running yet.
#[derive(Clone, Debug)]
pub struct SrsBuilder {
    binary: PathBuf,
    listen: Vec<String>,
    settings: String,
    /// Names and values; `None` to have it look at none.
    environment: Option<Vec<(String, String)>>,
    /// Who starts it.
    manager: Option<Arc<ServiceManager>>,
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
            environment: None,
            manager: None,
        }
    }

    /// The URL of `path` (`live/show`) at its first address.
    #[must_use]
    pub fn rtmp_url(&self, path: &str) -> String {
        format!("rtmp://{}/{path}", self.addresses[0])
    }

    /// Where it listens for RTMP: in the order of the configuration, those that a reload has opened
    /// behind those that were there.
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

    /// The unix socket of its API, unless its settings have an `[http_api]` of their own.
    #[must_use]
    pub fn api_socket(&self) -> PathBuf {
        api_socket(self.folder.path())
    }

    /// The file that keeps its fleet, unless its settings have a `[fleet]` of their own.
    #[must_use]
    pub fn fleet_file(&self) -> PathBuf {
        fleet_file(self.folder.path())
    }

    /// The folder that its configuration is in, which goes with it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its configuration file.
    #[must_use]
    pub fn configuration_file(&self) -> PathBuf {
        configuration_file(self.folder.path())
    }

    /// Has the next reload find these addresses.
    pub fn set_listen<A: ToString>(&mut self, addresses: impl IntoIterator<Item = A>) {
        self.builder = self.builder.clone().listen(addresses);
    }

    /// Puts `settings` in the place of those that it has, has it reload (SIGHUP), and waits until it
    /// has done so.
    ///
    /// # Errors
    /// If it refuses, or takes too long. Its log must go to the console.
    pub fn reload(&mut self, settings: &str) -> Result<()> {
        let line = self.try_reload(settings)?;
        if line.contains(NOT_RELOADED) {
            bail!("{line}");
        }
        Ok(())
    }

    /// As [`reload`](Self::reload), for settings that cannot be put in force; gives what the log
    /// says about it.
    ///
    /// # Errors
    /// If it reloads them, or takes too long.
    pub fn reload_in_vain(&mut self, settings: &str) -> Result<String> {
        let line = self.try_reload(settings)?;
        if !line.contains(NOT_RELOADED) {
            bail!("{settings} was put in force: {line}");
        }
        Ok(line)
    }

    /// Writes `settings` into its configuration, in the place of those that are there, and no more.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn configure(&mut self, settings: &str) -> Result<()> {
        settings.clone_into(&mut self.builder.settings);
        self.builder.write_configuration(self.folder.path())
    }

    fn try_reload(&mut self, settings: &str) -> Result<String> {
        let before = self.process.log().lines_with(RELOADED).len();
        self.configure(settings)?;
        self.process.hang_up()?;
        let line = self
            .process
            .log()
            .wait_for_nth(before + 1, RELOADED, SOON)?;
        self.addresses = listening(&self.process.log().lines_with(LISTENING));
        Ok(line)
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

    /// Has it take settings from the environment, too (`-e`): these.
    #[must_use]
    pub fn environment(mut self, variables: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        self.environment = Some(variables.iter().map(owned).collect());
        self
    }

    /// Has it started by this service manager.
    #[must_use]
    pub fn manager(mut self, manager: &Arc<ServiceManager>) -> Self {
        self.manager = Some(Arc::clone(manager));
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
            builder: self.clone(),
            addresses,
            folder,
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
        self.write_configuration(folder.path())?;
        let mut command = command(&self.binary);
        for name in FROM_SYSTEMD {
            command.env_remove(name);
        }
        if let Some(manager) = &self.manager {
            command = manager.command(&self.binary);
        }
        command
            .arg("-c")
            .arg(configuration_file(folder.path()))
            .env("XDG_RUNTIME_DIR", folder.path());
        if let Some(variables) = &self.environment {
            command.arg("-e").envs(variables.iter().cloned());
        }
        Ok((Process::start("srs", &mut command)?, folder))
    }

    fn write_configuration(&self, folder: &Path) -> Result<()> {
        // Renamed into its place: a daemon that reads it meanwhile sees one or the other.
        let new = folder.join("srs.toml.new");
        fs::write(&new, self.configuration(folder))?;
        Ok(fs::rename(new, configuration_file(folder))?)
    }

    fn configuration(&self, folder: &Path) -> String {
        // Strings of TOML and of Rust look the same for what an address is made of.
        let mut text = format!("listen = {:?}\n{}", self.listen, self.settings);
        if !self.settings.contains("http_api") {
            // Daemons of tests do not fight for the one that is there by default.
            let socket = format!("unix:{}", api_socket(folder).display());
            text.push_str(&format!("\n[http_api]\nlisten = [{socket:?}]\n"));
        }
        if !self.settings.contains("[fleet]") {
            // Run by root they could write that of the machine.
            let file = fleet_file(folder);
            text.push_str(&format!("\n[fleet]\nfile = {file:?}\n"));
        }
        text
    }
}

fn api_socket(folder: &Path) -> PathBuf {
    folder.join("api.sock")
}

fn fleet_file(folder: &Path) -> PathBuf {
    folder.join("fleet.json")
}

fn configuration_file(folder: &Path) -> PathBuf {
    folder.join("srs.toml")
}

/// The addresses that a daemon listens at which has said `lines`.
fn listening(lines: &[String]) -> Vec<SocketAddr> {
    let mut addresses = Vec::new();
    for line in lines {
        match address(line) {
            Some(address) if line.contains(NO_LONGER) => addresses.retain(|open| *open != address),
            Some(address) => addresses.push(address),
            None => {}
        }
    }
    addresses
}

/// The address behind [`LISTENING`].
fn address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(LISTENING)?;
    rest.split_whitespace().next()?.parse().ok()
}

/// What the daemon says once for each address, before the address.
const LISTENING: &str = "listening for RTMP on ";
/// What it says before that where it has closed one.
const NO_LONGER: &str = "no longer ";
/// What is in each line that ends a reload.
const RELOADED: &str = "reloaded";
/// What is in those that say that it failed.
const NOT_RELOADED: &str = "not reloaded";

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
        let configuration = builder.configuration(Path::new("/tmp/x"));
        assert_eq!(
            configuration,
            "listen = [\"127.0.0.1:0\", \"[::1]:0\"]\nchunk_size = 128\n[log]\nlevel = \"debug\"\n\n\
             [http_api]\nlisten = [\"unix:/tmp/x/api.sock\"]\n\n\
             [fleet]\nfile = \"/tmp/x/fleet.json\"\n"
        );
        let own = builder.settings("[http_api]\nenabled = false\n[fleet]\nenabled = false");
        let configuration = own.configuration(Path::new("/tmp/x"));
        assert!(
            configuration.ends_with("[http_api]\nenabled = false\n[fleet]\nenabled = false\n"),
            "{configuration}"
        );
    }

    #[test]
    fn addresses_come_and_go() {
        let lines = [
            "[info] listening for RTMP on 127.0.0.1:1",
            "[info] listening for RTMP on 127.0.0.1:2",
            "[info] no longer listening for RTMP on 127.0.0.1:1",
            "[info] listening for RTMP on 127.0.0.1:3",
        ];
        let ports: Vec<u16> = listening(&lines.map(str::to_owned))
            .iter()
            .map(SocketAddr::port)
            .collect();
        assert_eq!(ports, [2, 3]);
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
