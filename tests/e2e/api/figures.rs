//! The figures of the API are those of what was sent, and a kick ends whom it names.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use testkit::{SOON, Srs, clips, ffmpeg, wait_for, wait_until};
use tokio::task::block_in_place;

use super::Busy;
use super::http::Api;
use crate::clients::{Show, at};
use crate::{demo_packets, seconds, srs};

/// Whether `value` is `expected`, give or take a twentieth.
fn is_near(value: &Value, expected: f64) -> bool {
    value
        .as_f64()
        .is_some_and(|value| (value - expected).abs() <= expected / 20.0)
}

/// The first of the list at `url`.
fn first(api: &Api, url: &str, list: &str) -> Result<Value> {
    let answer = api.get(url)?.json()?;
    Ok(answer[list].get(0).cloned().unwrap_or(Value::Null))
}

#[test]
fn rates_and_codecs_are_those_of_what_ffmpeg_sends() -> Result<()> {
    let busy = Busy::start()?;
    let api = Api::of(&busy.srs);
    let clip = std::fs::metadata(clips::demo())?.len();
    let kbps = clip as f64 * 8.0 / 1e3 / CLIP_SECONDS;

    let player = "/api/v1/clients?type=play";
    let expectations = [
        ("/api/v1/streams", "streams", "recv_30s"),
        ("/api/v1/streams", "streams", "send_30s"),
        ("/api/v1/vhosts", "vhosts", "recv_1m"),
        (player, "clients", "send_30s"),
        ("/api/v1/clients?type=publish", "clients", "recv_5m"),
    ];
    // The group of pictures that a player gets first counts less as time goes on. What is near then
    // stays near for as long as the clip goes round once more.
    let mut near_since = None;
    wait_until(
        seconds(60),
        &format!("all rates near {kbps:.0} for a while"),
        || {
            let is_near = expectations.iter().all(|(url, list, rate)| {
                first(&api, url, list).is_ok_and(|item| is_near(&item["kbps"][*rate], kbps))
            });
            if !is_near {
                near_since = None;
            }
            is_near && near_since.get_or_insert_with(Instant::now).elapsed() > seconds(5)
        },
    )?;
    let summaries = api.get("/api/v1/summaries")?.json()?;
    let own = &summaries["data"]["srs"];
    ensure!(is_near(&own["kbps"]["recv_30s"], kbps), "{own}");
    assert_eq!(own["streams"], 1);
    assert_eq!(
        (&own["publishers"], &own["players"]),
        (&1.into(), &1.into())
    );

    let stream = first(&api, "/api/v1/streams", "streams")?;
    let expected = ffmpeg::streams(clips::demo())?;
    let picture = expected.iter().find_map(|stream| stream.size);
    let sound = expected.iter().find_map(|stream| stream.sound);
    let (video, audio) = (&stream["video"], &stream["audio"]);
    assert_eq!(video["codec"], "H264");
    assert_eq!(
        (&video["profile"], &video["level"]),
        (&"High".into(), &"3.0".into())
    );
    let (width, height) = picture.context("no picture")?;
    assert_eq!(
        (&video["width"], &video["height"]),
        (&width.into(), &height.into())
    );
    ensure!(
        is_near(&video["fps"], 25.0) && is_near(&video["nominal_fps"], 25.0),
        "{video}"
    );
    // Where the clip begins again, its last pictures wait for the end of the sound.
    ensure!(is_near(&video["gop_ms"], 2_000.0), "{video}");
    let (rate, channels) = sound.context("no sound")?;
    assert_eq!(
        (&audio["codec"], &audio["profile"]),
        (&"AAC".into(), &"LC".into())
    );
    assert_eq!(
        (&audio["sample_rate"], &audio["channel"]),
        (&rate.into(), &channels.into())
    );
    assert_eq!(
        (&stream["viewers"], &stream["clients"]),
        (&1.into(), &2.into())
    );
    Ok(())
}

#[test]
fn every_packet_is_counted_once() -> Result<()> {
    let srs = srs()?;
    let api = Api::of(&srs);
    let url = srs.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;
    let waiting = ffmpeg::record(&url, folder.path().join("seen.flv")).start_waiting()?;
    let mut publisher = ffmpeg::publish(clips::demo(), &url).start()?;
    publisher.succeed(SOON)?;

    // Metadata, both sequence headers and the end of the pictures are packets, too.
    let packets = demo_packets()?.len() + 4;
    let stream = wait_for(SOON, "all packets to be counted", || {
        let stream = first(&api, "/api/v1/streams", "streams")?;
        let is_whole = stream["recv_packets"] == packets && stream["send_packets"] == packets;
        Ok(is_whole.then_some(stream))
    })?;
    let clip = std::fs::metadata(clips::demo())?.len() as f64;
    ensure!(is_near(&stream["recv_bytes"], clip), "{stream}");
    ensure!(is_near(&stream["send_bytes"], clip), "{stream}");
    assert_eq!(stream["frames"], FRAMES);
    assert_eq!(stream["publish"]["active"], false);
    assert_eq!(
        (&stream["viewers"], &stream["viewers_peak"]),
        (&1.into(), &1.into())
    );
    ensure!(stream["publish_seconds"].as_f64() > Some(0.0), "{stream}");
    let vhost = first(&api, "/api/v1/vhosts", "vhosts")?;
    ensure!(is_near(&vhost["recv_bytes"], clip), "{vhost}");
    drop(waiting);

    // The stream is gone with its last player; what its vhost and the server counted stays.
    wait_until(SOON, "the end of the stream", || {
        first(&api, "/api/v1/streams", "streams").is_ok_and(|stream| stream.is_null())
    })?;
    let vhost = first(&api, "/api/v1/vhosts", "vhosts")?;
    assert_eq!(vhost["recv_packets"], packets);
    Ok(())
}

#[test]
fn what_a_slow_player_loses_and_an_encoder_that_comes_back_are_counted() -> Result<()> {
    let srs = srs()?;
    let api = Api::of(&srs);
    let url = srs.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;
    let mut publisher = ffmpeg::publish(clips::demo(), &url)
        .realtime()
        .start_live()?;
    let mut stuck = ffmpeg::record(&url, folder.path().join("stuck.flv")).start_playing()?;
    let stream = first(&api, "/api/v1/streams", "streams")?;
    for figure in ["drops", "jumps", "reconnects"] {
        assert_eq!(stream[figure], 0, "{stream}");
    }
    // Five minutes in a moment, of which the player's queue holds half a minute.
    stuck.process().freeze()?;
    publisher.kill()?;
    ffmpeg::publish(clips::demo(), &url)
        .repeated(30)
        .start()?
        .succeed(SOON)?;
    stuck.process().thaw()?;

    // On a busy machine it may jump more than once on its way to the end, and a stream's figures
    // are those of the last second: both say the same once it is there.
    let mut seen = (Value::Null, Value::Null);
    let told = wait_for(SOON, "the player to jump to the end", || {
        let player = first(&api, "/api/v1/clients?type=play", "clients")?;
        let stream = first(&api, "/api/v1/streams", "streams")?;
        let number = |value: &Value, figure: &str| value[figure].as_u64().unwrap_or(0);
        let (lost, all) = (number(&stream, "drops"), number(&stream, "recv_packets"));
        let are_same = ["drops", "jumps"]
            .iter()
            .all(|figure| stream[figure] == player[figure]);
        let is_there = lost > all / 2 && number(&stream, "jumps") > 0 && are_same;
        seen = (stream, player);
        Ok(is_there.then_some((lost, all)))
    });
    let (stream, player) = seen;
    let (lost, all) = told.with_context(|| format!("{stream}, {player}"))?;
    ensure!(lost < all, "{lost} of {all}: {stream}");
    assert_eq!(stream["reconnects"], 1);
    let seconds = |figure: &str| stream[figure].as_f64().unwrap_or(0.0);
    ensure!(
        seconds("play_seconds") > 0.0 && seconds("publish_seconds") > 0.0,
        "{stream}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kick_ends_exactly_the_client_that_it_names() -> Result<()> {
    let srs: Srs = srs()?;
    let api = Api::of(&srs);
    let dial = at(srs.addresses()[0], "live/show");
    let show = Show::new(1);
    let mut samples = show.beginning(3_000).collect::<Vec<_>>().into_iter();
    let mut publisher = dial.publish().await?;
    publisher.send(samples.by_ref().take(60)).await?;
    let mut players = Vec::new();
    for _ in 0..3 {
        players.push(dial.play().await?);
    }
    let ids = block_in_place(|| {
        wait_for(SOON, "three players", || {
            let answer = api.get("/api/v1/clients?type=play")?.json()?;
            let clients = answer["clients"].as_array().context("no list")?;
            let ids = clients.iter().filter_map(|client| client["id"].as_str());
            Ok(Some(ids.map(str::to_owned).collect::<Vec<_>>()).filter(|ids| ids.len() == 3))
        })
    })?;
    let kicked = format!("/api/v1/clients/{}", ids[1]);
    let answer = block_in_place(|| api.ask("DELETE", &kicked, &[], ""))?;
    assert_eq!(answer.status, 200, "{answer:?}");

    let (_, why) = players.remove(1).ended().await?;
    assert_eq!(why, "NetStream.Play.UnpublishNotify");
    // The others go on to the end.
    let rest: Vec<_> = samples.collect();
    let last = rest.last().context("a show")?.payload.clone();
    publisher.send(rest).await?;
    for player in &mut players {
        player.up_to(&last).await?;
    }

    block_in_place(|| {
        wait_until(SOON, "the client to be gone", || {
            api.get(&kicked).is_ok_and(|answer| answer.status == 404)
        })?;
        let again = api.ask("DELETE", &kicked, &[], "")?;
        assert_eq!((again.status, &again.json()?["code"]), (404, &2_049.into()));
        publisher_is_kicked_like_anybody(&api)
    })?;
    ensure!(
        publisher
            .ended()
            .await?
            .contains("disconnected by the operator")
    );

    let told = block_in_place(|| events(&api))?;
    let order = [
        "start",
        "publish",
        "play",
        "play",
        "play",
        "kick",
        "stop",
        "kick",
        "unpublish",
    ];
    assert_eq!(told, order);
    Ok(())
}

fn publisher_is_kicked_like_anybody(api: &Api) -> Result<()> {
    let publisher = first(api, "/api/v1/clients?type=publish", "clients")?;
    let id = publisher["id"].as_str().context("no publisher")?;
    let answer = api.ask("DELETE", &format!("/api/v1/clients/{id}"), &[], "")?;
    assert_eq!(answer.status, 200, "{answer:?}");
    wait_until(SOON, "no publisher", || {
        events(api).is_ok_and(|told| told.last().is_some_and(|last| last == "unpublish"))
    })
}

/// What has happened so far, in order.
fn events(api: &Api) -> Result<Vec<String>> {
    let lines = api.events("?follow=false")?;
    let kinds = lines.filter_map(|line| Some(line.strip_prefix("event: ")?.to_owned()));
    Ok(kinds.collect())
}

/// The demo clip's length, and its pictures.
const CLIP_SECONDS: f64 = 10.0;
const FRAMES: u64 = 250;
