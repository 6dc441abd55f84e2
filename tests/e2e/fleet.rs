//! Two daemons: one sends its heartbeats to the other.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use testkit::{SOON, Srs, wait_for};

use crate::api::Api;
use crate::build_srs;

#[test]
fn a_server_is_seen_while_it_beats_and_remembered_over_a_restart() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("fleet.json");
    let mut central = collector(&file)?;
    let mut edge = edge_of(&central)?;

    let up = server(&central, "to be up, with figures", |it| {
        // The first beat may be sent before there is anything to tell.
        it["state"] == "up" && it["beats"].as_u64() > Some(1) && it["mem_kbyte"].is_u64()
    })?;
    assert_eq!(up["peer"], "127.0.0.1", "{up}");
    assert_eq!(up["version"], "0.1.0", "{up}");
    edge.wait_for_log("the collector takes heartbeats", SOON)?;

    edge.stop()?;
    let late = server(&central, "to be late", |it| it["state"] == "late")?;
    central.wait_for_log(&format!("server {NAME} is late"), SOON)?;

    central.stop()?;
    let central = collector(&file)?;
    let kept = server(&central, "to be remembered", |_| true)?;
    assert_eq!(kept["state"], "late", "{kept}");
    for key in ["beats", "ip", "peer", "version"] {
        assert_eq!(kept[key], late[key], "{key}");
    }
    for key in ["first_seen_ms", "last_seen_ms"] {
        same_time(&kept[key], &late[key])?;
    }

    let _edge = edge_of(&central)?;
    let back = server(&central, "to be back", |it| it["state"] == "up")?;
    same_time(&back["first_seen_ms"], &up["first_seen_ms"])?;
    ensure!(back["beats"].as_u64() > kept["beats"].as_u64(), "{back}");
    Ok(())
}

#[test]
fn a_collector_takes_nothing_from_who_has_another_token() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let central = collector(&folder.path().join("fleet.json"))?;
    let stranger = build_srs()
        .settings(&heartbeat(&central, "another")?)
        .start()?;
    let line = stranger.wait_for_log("heartbeats do not arrive", SOON)?;
    ensure!(line.contains("401"), "{line}");
    let servers = servers(&central)?;
    assert_eq!(servers.as_array().map(Vec::len), Some(0), "{servers}");
    Ok(())
}

/// A daemon that keeps its fleet in `file`, and soon calls others late.
fn collector(file: &Path) -> Result<Srs> {
    build_srs()
        .settings(&format!(
            "[http_api]\nlisten = [\"127.0.0.1:0\"]\nauth = \"always\"\ntoken = \"{TOKEN}\"\n\
             [fleet]\nfile = {file:?}\nlate_after = \"1s\""
        ))
        .start()
}

/// A daemon that sends its heartbeats to `central`.
fn edge_of(central: &Srs) -> Result<Srs> {
    build_srs().settings(&heartbeat(central, TOKEN)?).start()
}

/// Settings of heartbeats to `central` with `token`.
fn heartbeat(central: &Srs, token: &str) -> Result<String> {
    let Api::Tcp(address) = Api::over_tcp(central)? else {
        unreachable!("asked for TCP");
    };
    Ok(format!(
        "[heartbeat]\nenabled = true\ninterval = \"300ms\"\nsummaries = true\n\
         url = \"http://{address}/api/v1/servers\"\ndevice_id = \"{NAME}\"\ntoken = \"{token}\""
    ))
}

/// Waits for the one server of the fleet of `central` to be as wanted.
fn server(central: &Srs, what: &str, is_wanted: impl Fn(&Value) -> bool) -> Result<Value> {
    wait_for(SOON, &format!("the server {what}"), || {
        let servers = servers(central)?;
        ensure!(servers.as_array().context("a list")?.len() < 2, "{servers}");
        let server = &servers[0];
        Ok((server["device_id"] == NAME && is_wanted(server)).then(|| server.clone()))
    })
}

/// The fleet of `central`.
fn servers(central: &Srs) -> Result<Value> {
    let proof = format!("Authorization: Bearer {TOKEN}");
    let answer = Api::over_tcp(central)?.ask("GET", "/api/v1/servers", &[&proof], "")?;
    assert_eq!(answer.status, 200, "{answer:?}");
    Ok(answer.json()?["servers"].take())
}

/// Times are counted from the start of a process, and told in those of the wall clock.
fn same_time(one: &Value, other: &Value) -> Result<()> {
    let [one, other] = [one, other].map(|time| time.as_i64().context("no time"));
    let (one, other) = (one?, other?);
    ensure!((one - other).abs() < 100, "{one} is not {other}");
    Ok(())
}

const NAME: &str = "edge-7";
const TOKEN: &str = "sesame";
