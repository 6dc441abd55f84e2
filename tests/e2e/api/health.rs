//! How streams and clients of ffmpeg are, and were.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use testkit::{clips, ffmpeg, wait_for};

use super::Busy;
use super::http::Api;
use crate::{seconds, srs};

/// The value of a field of a stream's details.
fn detail<'a>(fields: &'a Value, name: &str) -> Option<&'a str> {
    let mut fields = fields.as_array()?.iter();
    fields.find(|field| field["name"] == name)?["value"].as_str()
}

#[test]
fn a_stream_of_ffmpeg_is_good_and_its_headers_say_what_it_is() -> Result<()> {
    let busy = Busy::start()?;
    let api = Api::of(&busy.srs);
    let stream = wait_for(
        seconds(20),
        "a good stream with frames that were counted",
        || {
            let answer = api.get("/api/v1/streams?sort=-out&recent=5&filter=^live/show$")?;
            let stream = answer.json()?["streams"][0].clone();
            let is_there = stream["video"]["fps"].as_f64().is_some_and(|fps| fps > 0.0)
                && stream["recent_kbps"]
                    .as_array()
                    .is_some_and(|kbps| kbps.len() == 5);
            Ok(is_there.then_some(stream))
        },
    )?;
    assert_eq!(stream["health"]["state"], "good", "{stream}");
    assert_eq!(stream["players"]["rtmp"], 1);
    assert_eq!(stream["details"], Value::Null, "{stream}");

    let id = stream["id"].as_str().context("no id")?;
    let one = api.get(&format!("/api/v1/streams/{id}"))?.json()?;
    let details = &one["stream"]["details"];
    let expected = ffmpeg::streams(clips::demo())?;
    let (width, height) = expected
        .iter()
        .find_map(|stream| stream.size)
        .context("no picture")?;
    let size = format!("{width}x{height}");
    assert_eq!(detail(&details["video"], "size"), Some(&*size), "{details}");
    assert_eq!(detail(&details["video"], "chroma format"), Some("4:2:0"));
    assert_eq!(detail(&details["audio"], "object type"), Some("LC"));
    let said = detail(&details["metadata"], "width").context("no metadata")?;
    assert_eq!(said, width.to_string());
    ensure!(
        detail(&details["metadata"], "server").is_none(),
        "{details}"
    );
    Ok(())
}

#[test]
fn each_connection_has_a_round_trip() -> Result<()> {
    let busy = Busy::start()?;
    let api = Api::of(&busy.srs);
    let listed = wait_for(seconds(10), "two clients that do something", || {
        let listed = api
            .get("/api/v1/clients?sort=-rtt&filter=(play|publish)%20127")?
            .json()?;
        Ok((listed["total"] == 2).then_some(listed))
    })?;
    let trips: Vec<f64> = listed["clients"]
        .as_array()
        .context("no list")?
        .iter()
        .filter_map(|client| client["rtt_ms"].as_f64())
        .collect();
    let [longer, shorter] = trips[..] else {
        anyhow::bail!("{listed}");
    };
    ensure!(
        longer >= shorter && shorter > 0.0 && longer < 1_000.0,
        "{listed}"
    );
    Ok(())
}

#[test]
fn history_goes_on_when_the_publisher_returns() -> Result<()> {
    let srs = srs()?;
    let api = Api::of(&srs);
    let url = srs.rtmp_url("live/show");
    let publish = || {
        ffmpeg::publish(clips::demo(), &url)
            .realtime()
            .looped()
            .start_live()
    };
    // Samples in which something was received, of the stream and of all.
    let busy_samples = || -> Result<(usize, usize)> {
        let streams = api.get("/api/v1/streams")?.json()?;
        let id = streams["streams"][0]["id"]
            .as_str()
            .unwrap_or("none")
            .to_owned();
        let count = |url: &str| -> Result<usize> {
            let history = api.get(url)?.json()?["history"].clone();
            let received = history["recv_kbps"].as_array();
            let is_busy = |kbps: &&Value| kbps.as_u64().is_some_and(|kbps| kbps > 0);
            Ok(received.map_or(0, |kbps| kbps.iter().filter(is_busy).count()))
        };
        let of_stream = count(&format!("/api/v1/streams/{id}/history?range=5m"))?;
        Ok((of_stream, count("/api/v1/history?range=1m")?))
    };
    let publisher = publish()?;
    let before = wait_for(seconds(20), "some seconds of history", || {
        let (of_stream, of_all) = busy_samples()?;
        Ok((of_stream >= 4 && of_all >= 4).then_some(of_stream))
    })?;
    drop(publisher);
    wait_for(seconds(10), "an end of the stream", || {
        let streams = api.get("/api/v1/streams")?.json()?;
        Ok((streams["total"] == 0).then_some(()))
    })?;
    let _publisher = publish()?;
    wait_for(seconds(20), "what was before, and more", || {
        Ok((busy_samples()?.0 > before).then_some(()))
    })
}
