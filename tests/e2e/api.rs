//! The HTTP API of the daemon, as programs see it that were written for SRS, and others.

mod document;
mod fields;
mod figures;
mod health;
pub(crate) mod http;
mod lists;
mod logs;
mod parts;
mod schema;

use std::io::{Read as _, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use testkit::{Process, Recording, SOON, Srs, clips, ffmpeg, wait_for};

pub(crate) use self::http::Api;
use crate::{build_srs, seconds, srs};

/// A daemon with a publisher and a player, both of ffmpeg.
struct Busy {
    srs: Srs,
    _publisher: Process,
    _player: Recording,
    _folder: tempfile::TempDir,
}

impl Busy {
    fn start() -> Result<Self> {
        let srs = srs()?;
        let url = srs.rtmp_url("live/show");
        let publisher = ffmpeg::publish(clips::demo(), &url)
            .realtime()
            .looped()
            .start_live()?;
        let folder = tempfile::tempdir()?;
        let player = ffmpeg::record(&url, folder.path().join("seen.flv")).start_playing()?;
        Ok(Self {
            srs,
            _publisher: publisher,
            _player: player,
            _folder: folder,
        })
    }
}

#[test]
fn the_daemon_says_that_it_serves() -> Result<()> {
    let srs = srs()?;
    let api = Api::of(&srs);
    for url in ["/healthz", "/readyz"] {
        // The first client may be here before all addresses are known.
        let ok = wait_for(SOON, url, || {
            let answer = api.get(url)?;
            Ok((answer.status == 200).then_some(answer))
        })?;
        assert_eq!(ok.json()?["status"], "ok");
    }
    Ok(())
}

#[test]
fn another_token_is_wanted_as_soon_as_it_is_in_force() -> Result<()> {
    let settings = |token: &str| {
        format!("[http_api]\nlisten = [\"127.0.0.1:0\"]\nauth = \"always\"\ntoken = \"{token}\"\n")
    };
    let mut srs = build_srs().settings(&settings("first")).start()?;
    let api = Api::over_tcp(&srs)?;
    let status = |token: &str| -> Result<u16> {
        let proof = format!("Authorization: Bearer {token}");
        Ok(api.ask("GET", "/api/v1/clients", &[&proof], "")?.status)
    };
    assert_eq!(api.get("/api/v1/clients")?.status, 401);
    assert_eq!((status("first")?, status("second")?), (200, 401));
    let mut watching = api.events_with("", &["Authorization: Bearer first"])?;
    ensure!(watching.any(|line| line == "event: start"));
    srs.reload(&settings("second"))?;
    assert_eq!((status("first")?, status("second")?), (401, 200));
    ensure!(
        watching.last().is_some(),
        "who watched by the old token is let go"
    );

    // Where nothing is served any more, nobody goes on with what was opened before.
    let mut open = TcpStream::connect(api.address()?)?;
    open.set_read_timeout(Some(SOON))?;
    srs.reload("[http_api]\nenabled = false\n")?;
    assert_eq!(open.read(&mut [0; 64])?, 0, "it is closed");
    let log = srs.process().log().tail();
    ensure!(!log.contains("first") && !log.contains("second"), "{log}");
    Ok(())
}

#[test]
fn strangers_fill_no_log_and_no_query_is_in_it() -> Result<()> {
    let settings = "[http_api]\nlisten = [\"127.0.0.1:0\"]\nauth = \"always\"\ntoken = \"t0ken\"\n";
    let mut srs = build_srs().settings(settings).start()?;
    let api = Api::over_tcp(&srs)?;
    for _ in 0..50 {
        let answer = api.get("/api/v1/clients?token=s3cret")?;
        assert_eq!(answer.status, 401);
    }
    let proof = "Authorization: Bearer t0ken";
    let answer = api.ask("DELETE", "/api/v1/clients/1?token=s3cret", &[proof], "")?;
    assert_eq!(answer.status, 404);
    let asked = srs.wait_for_log("API: asked for a change", SOON)?;
    ensure!(asked.contains("path=/api/v1/clients/1 "), "{asked}");
    srs.stop()?;
    let log = srs.process().log();
    let refusals = log.lines_with("API: refused a request");
    // Five in ten seconds, which a busy machine may need more of.
    ensure!((5..=10).contains(&refusals.len()), "{refusals:#?}");
    let of_path = |line: &String| line.contains("path=/api/v1/clients ");
    ensure!(refusals.iter().all(of_path), "{refusals:#?}");
    let mut refused = refusals.len();
    for summary in log.lines_with(" from 127.0.0.1, the last: ") {
        let (_, untold) = summary.split_once("untold=").context(summary.clone())?;
        refused += untold.parse::<usize>().context(summary)?;
    }
    assert_eq!(refused, 50);
    ensure!(!log.contains("s3cret"), "{}", log.tail());
    Ok(())
}

#[test]
fn a_reload_is_answered_with_what_became_of_it() -> Result<()> {
    let mut srs = srs()?;
    let api = Api::of(&srs);
    srs.configure("chunk_size = 4096")?;
    let tried = api
        .ask("POST", "/api/v1/reload?dry_run=true", &[], "")?
        .json()?;
    assert_eq!(
        tried["data"]["changes"][0]["setting"], "chunk_size",
        "{tried}"
    );
    assert_eq!(tried["data"]["dry_run"], true);
    let done = api.ask("POST", "/api/v1/reload", &[], "")?.json()?;
    assert_eq!(done["data"]["outcome"], "done");
    assert_eq!(done["data"]["generation"], 1);
    let config = api.get("/api/v1/config")?.json()?;
    let toml = config["data"]["toml"].as_str().context("no TOML")?;
    ensure!(toml.contains("chunk_size = 4096"), "{toml}");

    srs.configure("chunk_siz = 1")?;
    let failed = api.ask("POST", "/api/v1/reload", &[], "")?;
    assert_eq!(failed.status, 422);
    let failed = failed.json()?;
    assert_eq!(failed["code"], 1061);
    let message = failed["message"].as_str().context("no message")?;
    ensure!(
        message.contains(":2:1: unknown key `chunk_siz`"),
        "{message}"
    );
    Ok(())
}

#[test]
fn who_watches_is_told_as_it_happens_and_does_not_hold_up_the_end() -> Result<()> {
    let mut srs = srs()?;
    let api = Api::of(&srs);
    let mut lines = api.events("")?;
    let mut next = |event: &str| {
        let line = format!("event: {event}");
        lines.any(|it| it == line)
    };
    ensure!(next("start"));
    srs.reload("chunk_size = 4096")?;
    ensure!(next("reload"));
    let _publisher = ffmpeg::publish(clips::demo(), &srs.rtmp_url("live/show"))
        .realtime()
        .start_live()?;
    ensure!(next("publish"));

    let finished = srs.stop()?;
    assert_eq!(finished.status.code(), Some(0));
    ensure!(finished.took < seconds(1), "it took {:?}", finished.took);
    ensure!(next("unpublish"), "the end of the publisher is told");
    ensure!(!next("anything"), "the stream ends");
    Ok(())
}

#[test]
fn prometheus_finds_nothing_wrong_with_a_busy_daemon() -> Result<()> {
    let busy = Busy::start()?;
    let answer = Api::of(&busy.srs).get("/metrics")?;
    ensure!(answer.head.contains("version=0.0.4"), "{}", answer.head);
    for series in [
        "process_cpu_seconds_total ",
        "process_resident_memory_bytes ",
        "process_open_fds ",
        "srs_clients{type=\"play\"} 1",
        "srs_stream_viewers{vhost=\"__defaultVhost__\",app=\"live\",stream=\"show\"} 1",
        "srs_vhost_receive_bytes_total{vhost=\"__defaultVhost__\"} ",
    ] {
        let is_there = answer.body.lines().any(|line| line.starts_with(series));
        ensure!(is_there, "{series} in\n{}", answer.body);
    }
    let mut tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("promtool, of Debian's package prometheus")?;
    let mut input = tool.stdin.take().context("its input")?;
    input.write_all(answer.body.as_bytes())?;
    drop(input);
    let output = tool.wait_with_output()?;
    let said = String::from_utf8([output.stdout, output.stderr].concat())?;
    ensure!(
        output.status.success() && said.is_empty(),
        "{said}\n{}",
        answer.body
    );
    Ok(())
}
