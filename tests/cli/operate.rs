//! What an operator does, against a server that really serves.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;
use testkit::{SOON, wait_for};

use crate::server::TestServer;
use crate::{Tool, exit, publish_demo, record};

/// A server with an API, and a file that it can be reloaded from.
struct Operated {
    server: TestServer,
    folder: TempDir,
}

impl Operated {
    fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("srs.toml");
        let socket = folder.path().join("api.sock");
        fs::write(
            &file,
            format!(
                "{TOP}\n[http_api]\nlisten = [\"unix:{}\", \"127.0.0.1:0\"]\n\
                 [fleet]\nfile = \"{}\"\nlate_after = \"1s\"\n",
                socket.display(),
                folder.path().join("fleet.json").display()
            ),
        )?;
        let server = TestServer::start_from(&file)?;
        Ok(Self { server, folder })
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("srs.toml")
    }

    /// Runs a command; gives exit status, standard output and standard error.
    fn run(&self, arguments: &[&str]) -> Result<(i32, String, String)> {
        let socket = self.folder.path().join("api.sock");
        let server = ["--server".to_owned(), format!("unix:{}", socket.display())];
        let arguments = arguments.iter().map(|argument| (*argument).to_owned());
        let mut tool = Tool::start(server.into_iter().chain(arguments))?;
        let status = tool.wait()?;
        Ok((status, String::from_utf8(tool.printed()?)?, tool.said()))
    }

    /// What a command prints, which must succeed.
    fn ask(&self, arguments: &[&str]) -> Result<String> {
        let (status, printed, said) = self.run(arguments)?;
        ensure!(status == exit::DONE, "{arguments:?}: {status} {said}");
        Ok(printed)
    }

    fn json(&self, arguments: &[&str]) -> Result<Value> {
        let printed = self.ask(&[arguments, &["-o", "json"]].concat())?;
        serde_json::from_str(&printed).with_context(|| printed.clone())
    }
}

#[test]
fn what_is_served_is_listed_and_a_kick_ends_one_client() -> Result<()> {
    let operated = Operated::start()?;
    let publisher = publish_demo(&operated.server)?;
    let file = operated.folder.path().join("seen.flv");
    let mut player = record(&operated.server, &file.display().to_string())?;

    let table = wait_for(SOON, "the stream to have a picture", || {
        let table = operated.ask(&["streams"])?;
        Ok(Some(table).filter(|table| table.contains("640x360")))
    })?;
    ensure!(
        table.contains("live/show") && table.contains("H264"),
        "{table}"
    );
    let page = operated.ask(&["status"])?;
    ensure!(page.contains("0.1.0") && page.contains("players"), "{page}");
    for (arguments, words) in [
        (vec!["clients"], "show"),
        (vec!["vhosts"], "__defaultvhost__"),
        (vec!["stats"], "memory"),
        (vec!["events"], "publish"),
        (vec!["config", "show"], "http_api"),
    ] {
        let printed = operated.ask(&arguments)?;
        ensure!(
            printed.to_lowercase().contains(words),
            "{arguments:?}: {printed}"
        );
    }

    let clients = operated.json(&["clients", "--players"])?;
    let id = clients["clients"][0]["id"]
        .as_str()
        .context("no player")?
        .to_owned();
    let (status, _, said) = operated.run(&["clients", "kick", &id])?;
    assert_eq!(status, exit::USAGE, "nobody is there to be asked: {said}");
    operated.ask(&["clients", "kick", "--yes", &id])?;
    player.wait()?;
    let (status, _, said) = operated.run(&["clients", "kick", "--yes", &id])?;
    assert_eq!(status, exit::NOT_FOUND, "{said}");
    let (status, ..) = operated.run(&["streams", "nothing/here"])?;
    assert_eq!(status, exit::NOT_FOUND);
    let publishers = operated.json(&["clients", "--publishers"])?;
    assert_eq!(publishers["clients"].as_array().map(Vec::len), Some(1));
    drop(publisher);
    Ok(())
}

#[test]
fn the_file_of_a_running_server_is_what_it_runs() -> Result<()> {
    let operated = Operated::start()?;
    let file = operated.file().display().to_string();
    let (status, printed, said) = operated.run(&["config", "diff", &file])?;
    assert_eq!((status, printed.as_str()), (exit::DONE, ""), "{said}");
    ensure!(said.contains("nothing differs"), "{said}");
    let shown = operated.ask(&["config", "show"])?;
    assert_eq!(shown, operated.ask(&["config", "show", &file])?);
    ensure!(!shown.contains("vhost"), "{shown}");

    let changed = operated.folder.path().join("changed.toml");
    let text = fs::read_to_string(operated.file())?;
    let token = "token = \"geheim\"\n";
    fs::write(
        &changed,
        text.replace("[http_api]\n", &format!("[http_api]\n{token}")),
    )?;
    let changed = changed.display().to_string();
    let printed = operated.ask(&["config", "diff", &changed])?;
    assert_eq!(printed, "+ http_api.token = \"…\"\n");
    for form in ["table", "json"] {
        let printed = operated.ask(&["config", "show", &changed, "-o", form])?;
        ensure!(
            printed.contains('…') && !printed.contains("geheim"),
            "{printed}"
        );
    }
    Ok(())
}

#[test]
fn a_reload_says_what_changed_or_what_is_wrong() -> Result<()> {
    let operated = Operated::start()?;
    let before = fs::read_to_string(operated.file())?;
    fs::write(
        operated.file(),
        format!("chunk_size = 4096\nmax_connections = 77\n{before}"),
    )?;
    let diff = operated.ask(&["config", "diff"])?;
    ensure!(diff.contains("chunk_size") && diff.contains("77"), "{diff}");
    let reloaded = operated.json(&["reload"])?;
    let changes = reloaded["data"]["changes"]
        .as_array()
        .context("no changes")?;
    assert_eq!(changes.len(), 2, "{reloaded}");
    ensure!(
        operated
            .ask(&["config", "show"])?
            .contains("max_connections = 77")
    );

    fs::write(operated.file(), format!("max_conections = 7\n{before}"))?;
    let (status, _, said) = operated.run(&["reload"])?;
    assert_eq!(status, exit::INVALID, "{said}");
    ensure!(
        said.contains(":1:1: unknown key `max_conections`"),
        "{said}"
    );
    ensure!(
        operated
            .ask(&["config", "show"])?
            .contains("max_connections = 77")
    );
    Ok(())
}

#[test]
fn the_fleet_of_a_server_is_listed() -> Result<()> {
    let operated = Operated::start()?;
    ensure!(operated.json(&["fleet"])?["total"] == 0);
    let file = operated.folder.path().join("edge.toml");
    fs::write(
        &file,
        format!(
            "{TOP}\nhttp_api.enabled = false\nfleet.enabled = false\n\
             [heartbeat]\nenabled = true\ninterval = \"300ms\"\nsummaries = true\n\
             device_id = \"edge-7\"\nurl = \"http://{}/api/v1/servers\"\n",
            operated.server.api_address()?
        ),
    )?;
    let mut edge = TestServer::start_from(&file)?;
    let line = |state: &str| {
        wait_for(SOON, state, || {
            let table = operated.ask(&["fleet"])?;
            let line = table.lines().find(|line| line.starts_with("edge-7"));
            Ok(line.filter(|line| line.contains(state)).map(str::to_owned))
        })
    };
    let up = line(" up ")?;
    ensure!(up.contains("0.1.0"), "{up}");
    edge.stop();
    line(" late ")?;
    let fleet = operated.json(&["fleet"])?;
    assert_eq!(fleet["servers"][0]["state"], "late", "{fleet}");
    let events = operated.ask(&["events"])?;
    ensure!(events.contains("edge-7"), "{events}");
    Ok(())
}

#[test]
fn the_schema_of_the_configuration_needs_no_server() -> Result<()> {
    let mut tool = Tool::start(["config", "schema"])?;
    assert_eq!(tool.wait()?, exit::DONE);
    let schema: Value = serde_json::from_slice(&tool.printed()?)?;
    ensure!(schema["properties"]["http_api"].is_object(), "{schema:#}");
    Ok(())
}

const TOP: &str = "listen = [\"127.0.0.1:0\"]";
