//! Lines of the log by the API, of a daemon that logs to the console and then to a file.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use testkit::{SOON, clips, ffmpeg, wait_for};

use super::http::Api;
use crate::srs;

/// The lines that come by a stream of events.
fn lines(events: impl Iterator<Item = String>) -> impl Iterator<Item = Value> {
    events.filter_map(|line| serde_json::from_str(line.strip_prefix("data:")?).ok())
}

/// The messages of what is kept.
fn kept(api: &Api, query: &str) -> Result<Vec<String>> {
    let events = api.stream(&format!("/api/v1/logs?follow=false{query}"), &[])?;
    let text = |line: Value| line["message"].as_str().unwrap_or_default().to_owned();
    Ok(lines(events).map(text).collect())
}

/// The id of the client that publishes.
fn publisher(api: &Api) -> Result<String> {
    wait_for(SOON, "a publisher", || {
        let clients = api.get("/api/v1/clients?type=publish")?.json()?;
        let id = clients["clients"][0]["id"].as_str();
        Ok(id.map(str::to_owned))
    })
}

#[test]
fn one_clients_lines_are_told_wherever_the_log_goes() -> Result<()> {
    let mut srs = srs()?;
    let api = Api::of(&srs);
    let stream = "/api/v1/logs?stream=live/show";
    let mut followed = lines(api.stream(stream, &[])?);
    let mut follow = |text: &str| {
        let is_it = |line: &Value| line["message"].as_str().is_some_and(|it| it.contains(text));
        followed.find(is_it).with_context(|| format!("no {text}"))
    };
    for place in ["the console", "a file"] {
        let show = ffmpeg::publish(clips::demo(), &srs.rtmp_url("live/show"))
            .realtime()
            .start_live()?;
        let id = publisher(&api)?;
        let line = follow("publish")?;
        ensure!(line["client"] == id.as_str(), "{place}: {line}");
        ensure!(line["stream"] == "__defaultVhost__/live/show", "{line}");
        ensure!(
            line["level"] == "info" && line["time_ms"].is_i64(),
            "{line}"
        );
        let of_client = kept(&api, &format!("&client={id}"))?;
        ensure!(!of_client.is_empty(), "{place}");
        let newest = kept(&api, &format!("&client={id}&count=1"))?;
        ensure!(newest == of_client[of_client.len() - 1..], "{newest:?}");
        if place == "the console" {
            // Without time, level, process and client, it is what stands in the log.
            for message in &of_client {
                let told = srs.wait_for_log(&format!("[{id}] {message}"), SOON)?;
                ensure!(told.ends_with(message.as_str()), "{told}");
            }
            drop(show);
            follow("unpublish")?;
            wait_for(SOON, "no publisher", || {
                let clients = api.get("/api/v1/clients?type=publish")?.json()?;
                Ok((clients["total"] == 0).then_some(()))
            })?;
            let file = srs.folder().join("srs.log");
            srs.configure(&format!("[log]\ntarget = \"file\"\nfile = {file:?}"))?;
            let done = api.ask("POST", "/api/v1/reload", &[], "")?.json()?;
            ensure!(done["data"]["outcome"] == "done", "{done}");
        }
    }
    let changed = kept(&api, "&level=info")?;
    let is_told = changed
        .iter()
        .any(|it| it.contains("the log continues in the file"));
    ensure!(is_told, "{changed:?}");
    ensure!(kept(&api, "&level=error")?.is_empty());

    let folder = srs.folder().display().to_string();
    let disk = wait_for(SOON, "the disk of the log", || {
        let summaries = api.get("/api/v1/summaries")?.json()?;
        let disks = summaries["data"]["srs"]["disks"].as_array().cloned();
        let of_log = |disk: &Value| disk["path"] == folder.as_str();
        Ok(disks.unwrap_or_default().into_iter().find(of_log))
    })?;
    let [total, free] = ["total_bytes", "free_bytes"].map(|key| disk[key].as_u64());
    ensure!(total > Some(0) && free <= total, "{disk}");

    srs.stop()?;
    ensure!(followed.count() < 100, "the stream ends");
    Ok(())
}
