//! What systemd is to the daemon: it holds sockets, is told how the daemon goes, and wants beats.
//!
//! A booted systemd is better, and `tests/systemd` has one; this one needs no root, and every word
//! that it is told can be looked at.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::io::{FdFlags, fcntl_setfd};
use tempfile::TempDir;

use crate::process::command;

/// A service manager for one daemon at a time.
#[derive(Debug)]
pub struct ServiceManager {
    told: UnixDatagram,
    sockets: Vec<(String, OwnedFd)>,
    watchdog: Option<Duration>,
    folder: TempDir,
}

impl ServiceManager {
    /// One that holds no socket and wants no beats.
    ///
    /// # Errors
    /// If there is no room for its own socket.
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let told = UnixDatagram::bind(folder.path().join("notify"))?;
        Ok(Self {
            told,
            sockets: Vec::new(),
            watchdog: None,
            folder,
        })
    }

    /// Wants a beat within `interval`.
    #[must_use]
    pub fn watchdog(mut self, interval: Duration) -> Self {
        self.watchdog = Some(interval);
        self
    }

    /// Opens a TCP socket with this name, and says where.
    ///
    /// # Errors
    /// If the kernel has none.
    pub fn hold_tcp(&mut self, name: &str) -> Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        self.hold(name, listener.into())?;
        Ok(address)
    }

    /// Opens a unix socket with this name, and says where.
    ///
    /// # Errors
    /// If the kernel has none.
    pub fn hold_unix(&mut self, name: &str) -> Result<PathBuf> {
        let path = self.folder.path().join(format!("{name}.sock"));
        self.hold(name, UnixListener::bind(&path)?.into())?;
        Ok(path)
    }

    fn hold(&mut self, name: &str, socket: OwnedFd) -> Result<()> {
        // Children inherit it, which is how the daemon gets it.
        fcntl_setfd(&socket, FdFlags::empty())?;
        self.sockets.push((name.to_owned(), socket));
        Ok(())
    }

    /// Reads nothing, and has no room for more, as systemd while it is busy.
    ///
    /// # Errors
    /// If its own socket cannot be written to.
    pub fn be_busy(&self) -> Result<()> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        let path = self.folder.path().join("notify");
        while socket.send_to(b"STATUS=busy", &path).is_ok() {}
        Ok(())
    }

    /// Waits for a message that has a line which begins with `text`, and gives the message. Those
    /// before it are gone.
    ///
    /// # Errors
    /// If there is none within `bound`.
    pub fn wait_for(&self, text: &str, bound: Duration) -> Result<String> {
        let until = Instant::now() + bound;
        let mut others = Vec::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!("the daemon did not say {text:?} within {bound:?}, but {others:?}");
            }
            self.told.set_read_timeout(Some(left))?;
            let mut buffer = [0; 4096];
            let Ok(length) = self.told.recv(&mut buffer) else {
                continue;
            };
            let message = String::from_utf8(buffer[..length].to_vec())
                .context("a message that is no text")?;
            if message.lines().any(|line| line.starts_with(text)) {
                return Ok(message);
            }
            others.push(message);
        }
    }

    /// How to start `binary` as this manager's child: with descriptors from 3 on, and variables that
    /// name the process itself.
    pub(crate) fn command(&self, binary: &Path) -> Command {
        let mut script = String::new();
        for (number, (_, socket)) in (3..).zip(&self.sockets) {
            script.push_str(&format!("exec {number}<&{}\n", socket.as_raw_fd()));
        }
        script.push_str("LISTEN_PID=$$ WATCHDOG_PID=$$ exec \"$0\" \"$@\"");
        let names: Vec<&str> = self.sockets.iter().map(|(name, _)| name.as_str()).collect();
        let mut command = command("bash");
        command.args(["-c", &script]).arg(binary);
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify"));
        if !names.is_empty() {
            command.env("LISTEN_FDS", names.len().to_string());
            command.env("LISTEN_FDNAMES", names.join(":"));
        }
        if let Some(interval) = self.watchdog {
            command.env("WATCHDOG_USEC", interval.as_micros().to_string());
        }
        command
    }
}
