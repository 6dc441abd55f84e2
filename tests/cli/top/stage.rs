//! A server with something to see: streams, and players of them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;
use testkit::{Process, SOON, clips, ffmpeg, wait_for};

use crate::{TestServer, Tool};

/// A server with an API on a unix socket, and a file that it can be reloaded from.
pub(crate) struct Stage {
    pub(crate) server: TestServer,
    publishers: Vec<Process>,
    players: Vec<Tool>,
    folder: TempDir,
}

impl Stage {
    /// A server that nobody uses yet.
    pub(crate) fn empty() -> Result<Self> {
        Self::with("")
    }

    /// The same, with more settings.
    pub(crate) fn with(settings: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = configuration_file(folder.path());
        fs::write(&file, configuration(folder.path(), settings))?;
        Ok(Self {
            server: TestServer::start_from(&file)?,
            publishers: Vec::new(),
            players: Vec::new(),
            folder,
        })
    }

    /// Has an ffmpeg publish the demo as `live/NAME`, again and again, and so many play it.
    pub(crate) fn stream(&mut self, name: &str, players: usize) -> Result<()> {
        let url = self.server.url_of(name);
        let publisher = ffmpeg::publish(clips::demo(), &url).realtime().looped();
        self.publishers.push(publisher.start_live()?);
        for _ in 0..players {
            let player = Tool::start(["play", "-v", "-o", "/dev/null", &url])?;
            self.players.push(player);
        }
        for player in &self.players {
            player.wait_to_say("playing")?;
        }
        Ok(())
    }

    /// Waits until `number` of the players have ended.
    pub(crate) fn wait_for_ends(&mut self, number: usize) -> Result<()> {
        let players = &mut self.players;
        wait_for(SOON, "players to end", || {
            let mut ended = 0;
            for player in players.iter_mut() {
                ended += usize::from(player.has_ended()?);
            }
            Ok((ended == number).then_some(()))
        })
    }

    /// What to name the server by.
    pub(crate) fn address(&self) -> String {
        address(self.folder.path())
    }

    /// Its configuration file.
    pub(crate) fn file(&self) -> PathBuf {
        configuration_file(self.folder.path())
    }

    /// What its API answers.
    pub(crate) fn ask(&self, path: &str) -> Result<Value> {
        ask(self.folder.path(), path)
    }

    /// The ids of its players, with the bytes that each has been sent.
    pub(crate) fn sent(&self) -> Result<Vec<(String, u64)>> {
        let answer = self.ask("/api/v1/clients?count=100")?;
        let clients = answer["clients"].as_array().context("no clients")?;
        let players = clients.iter().filter(|client| client["publish"] == false);
        let figures = players.map(|client| {
            let id = client["id"].as_str().context("no id")?;
            let bytes = client["send_bytes"].as_u64().context("no bytes")?;
            Ok((id.to_owned(), bytes))
        });
        figures.collect()
    }
}

/// The configuration of a server whose files are in `folder`.
pub(crate) fn configuration(folder: &Path, settings: &str) -> String {
    let socket = address(folder);
    let fleet = folder.join("fleet.json");
    format!(
        "listen = [\"127.0.0.1:0\"]\n{settings}\n[http_api]\nlisten = [{socket:?}, \"127.0.0.1:0\"]\n\
         [fleet]\nfile = {fleet:?}\nlate_after = \"1s\"\n"
    )
}

pub(crate) fn configuration_file(folder: &Path) -> PathBuf {
    folder.join("srs.toml")
}

/// What to name a server by whose files are in `folder`.
pub(crate) fn address(folder: &Path) -> String {
    format!("unix:{}", socket(folder).display())
}

/// What the API of a server answers whose files are in `folder`.
pub(crate) fn ask(folder: &Path, path: &str) -> Result<Value> {
    let mut stream = UnixStream::connect(socket(folder))?;
    stream.set_read_timeout(Some(SOON))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: srs\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no head")?;
    ensure!(head.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
    serde_json::from_str(body).with_context(|| answer.clone())
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("api.sock")
}
