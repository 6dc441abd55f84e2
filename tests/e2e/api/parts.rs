//! What the daemon runs beside its clients.

use std::net::TcpListener;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use testkit::{SOON, clips, ffmpeg, wait_for};

use super::http::Api;
use crate::build_srs;

/// The parts of a kind.
fn parts(api: &Api, kind: &str) -> Result<Vec<Value>> {
    let answer = api.get("/api/v1/parts?count=1000")?.json()?;
    let parts = answer["parts"].as_array().context("no parts")?;
    ensure!(answer["total"] == parts.len(), "{answer}");
    let is_it = |part: &&Value| part["kind"] == kind;
    Ok(parts.iter().filter(is_it).cloned().collect())
}

#[test]
fn parts_tell_what_they_work_with_and_how_that_goes() -> Result<()> {
    // Nobody listens there any more.
    let dead = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let srs = build_srs()
        .settings(&format!(
            "[heartbeat]\nenabled = true\ninterval = \"300ms\"\nurl = \"http://{dead}/?token=s3cret\""
        ))
        .start()?;
    let api = Api::of(&srs);
    let rtmp = srs.addresses()[0].to_string();
    let listener = |target: &str| -> Result<Option<Value>> {
        let is_it = |part: &Value| part["target"] == target;
        Ok(parts(&api, "listener")?.into_iter().find(is_it))
    };
    let of_api = format!("unix:{}", srs.api_socket().display());
    let told = listener(&of_api)?.context("no listener of the API")?;
    ensure!(told["progress"] == "1 client", "whoever asks: {told}");
    let told = wait_for(SOON, "the listener of RTMP", || listener(&rtmp))?;
    ensure!(told["progress"] == "0 clients", "{told}");
    let _publisher = ffmpeg::publish(clips::demo(), &srs.rtmp_url("live/show"))
        .realtime()
        .start_live()?;
    wait_for(SOON, "a client of the listener", || {
        Ok(listener(&rtmp)?.filter(|part| part["progress"] == "1 client"))
    })?;

    let tasks = parts(&api, "task")?;
    let runs = |part: &Value| part["state"] == "running" && part["restarts"] == 0;
    ensure!(tasks.len() >= 5 && tasks.iter().all(runs), "{tasks:?}");

    let heartbeat = wait_for(SOON, "failed heartbeats", || {
        let parts = parts(&api, "heartbeat")?;
        Ok(parts.into_iter().find(|part| part["restarts"] != 0))
    })?;
    ensure!(heartbeat["state"] == "retrying", "{heartbeat}");
    ensure!(
        heartbeat["target"] == format!("http://{dead}/"),
        "{heartbeat}"
    );
    ensure!(heartbeat["next_try_ms"].is_i64(), "{heartbeat}");
    let error = heartbeat["error"].as_str().context("no error")?;
    ensure!(error.contains("refused"), "{error}");
    let summaries = api.get("/api/v1/summaries")?.json()?;
    let srs = &summaries["data"]["srs"];
    ensure!(srs["state"] == "degraded", "{srs}");
    let problems = srs["problems"].to_string();
    ensure!(problems.contains("the heartbeat to http://"), "{problems}");
    ensure!(!problems.contains("s3cret"), "{problems}");
    Ok(())
}
