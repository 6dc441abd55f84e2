//! The ways in which encoders publish.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::{Bytes, BytesMut};
use srs::control::counters::Incident;
use srs_amf0::{Limits, Object, Value};
use srs_media::metadata::Metadata;
use srs_rtmp::MediaKind;
use srs_rtmp::message::MessageType;

use crate::clients::wire::{connect_object, message};
use crate::clients::{Heard, Peer, Sample, Show, at, serve};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flash_media_live_encoder_publishes_again_on_its_connection() -> Result<()> {
    let server = serve("")?;
    let mut player = at(server.addresses()[0], "live/show").play().await?;
    let mut encoder = Peer::connect(server.addresses()[0], "live").await?;
    for number in 1..=3 {
        let show = Show::new(number);
        assert_eq!(
            encoder.call("releaseStream", vec!["show".into()]).await?,
            Value::Undefined
        );
        assert_eq!(
            encoder.call("FCPublish", vec!["show".into()]).await?,
            Value::Undefined
        );
        let id = encoder.create_stream().await?;
        encoder
            .request("publish", id, vec!["show".into(), "live".into()])
            .await?;
        let start = |heard: &Heard| heard.status() == Some("NetStream.Publish.Start");
        let heard = encoder.hear_until("the start", start).await?;
        assert_eq!(commands(&heard), ["onFCPublish", "onStatus"]);

        encoder.send_media(id, show.beginning(1_000)).await?;
        player.up_to(&show.sound(980).payload).await?;

        encoder
            .request("FCUnpublish", 0, vec!["show".into()])
            .await?;
        let end = |heard: &Heard| heard.status() == Some("NetStream.Unpublish.Success");
        let heard = encoder.hear_until("the end", end).await?;
        assert_eq!(commands(&heard), ["onFCUnpublish", "_result", "onStatus"]);
        encoder
            .request("deleteStream", 0, vec![f64::from(id).into()])
            .await?;
        encoder.ping().await?;
        assert_eq!(server.service().hub.streams()[0].publisher(), None);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publish_without_a_name_is_of_the_stream_that_was_announced() -> Result<()> {
    let server = serve("")?;
    let mut encoder = Peer::connect(server.addresses()[0], "live").await?;
    encoder.call("FCPublish", vec!["show".into()]).await?;
    let id = encoder.create_stream().await?;
    encoder.publish(id, "").await?;
    assert_eq!(server.service().hub.streams()[0].name().stream, "show");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flash_player_publishes_and_closes_and_publishes() -> Result<()> {
    let server = serve("")?;
    let mut player = at(server.addresses()[0], "live/show").play().await?;
    let (mut encoder, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    for number in 1..=3 {
        let show = Show::new(number);
        encoder
            .request("publish", id, vec!["show".into(), "live".into()])
            .await?;
        let start = |heard: &Heard| heard.status() == Some("NetStream.Publish.Start");
        let heard = encoder.hear_until("the start", start).await?;
        assert_eq!(commands(&heard), ["onStatus"], "Flash knows no onFCPublish");
        encoder.send_media(id, show.beginning(1_000)).await?;
        player.up_to(&show.sound(980).payload).await?;
        encoder.request("closeStream", id, vec![]).await?;
        encoder.ping().await?;
        assert_eq!(server.service().hub.streams()[0].publisher(), None);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_behind_the_end_of_a_publish_is_nobodys() -> Result<()> {
    let server = serve("")?;
    let mut player = at(server.addresses()[0], "live/show").play().await?;
    let show = Show::new(1);
    let (mut encoder, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    encoder.send_media(id, show.beginning(1_000)).await?;
    encoder.publish(id, "show").await?;
    encoder.send_media(id + 1, show.beginning(1_000)).await?;
    encoder.send_media(id, show.beginning(2_000)).await?;
    encoder.request("closeStream", id, vec![]).await?;
    encoder.send_media(id, show.beginning(1_000)).await?;
    encoder.publish(id, "show").await?;
    encoder.send_media(id, show.media(2_000..3_000)).await?;
    let seen = player.up_to(&show.sound(2_980).payload).await?;
    assert_eq!(seen.len(), show.beginning(3_000).count());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_on_message_stream_zero_belong_to_the_stream_that_is_published() -> Result<()> {
    let server = serve("")?;
    let mut player = at(server.addresses()[0], "live/show").play().await?;
    let show = Show::new(1);
    let (mut encoder, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    encoder.publish(id, "show").await?;
    encoder.send_media(0, show.beginning(1_000)).await?;
    let seen = player.up_to(&show.sound(980).payload).await?;
    assert_eq!(seen.len(), show.beginning(1_000).count());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_without_a_message_stream_is_of_the_only_publish() -> Result<()> {
    let server = serve("")?;
    let address = server.addresses()[0];
    let mut player = at(address, "live/show").play().await?;
    let show = Show::new(1);
    let (mut encoder, id) = Peer::with_stream(address, "live").await?;
    encoder.publish(id, "show").await?;
    encoder.send_media(0, show.beginning(1_000)).await?;
    player.up_to(&show.sound(980).payload).await?;

    // Of two publishes it would be anybody's guess.
    let other = encoder.create_stream().await?;
    encoder.publish(other, "other").await?;
    encoder.send_media(0, show.media(1_000..2_000)).await?;
    encoder.send_media(id, show.media(2_000..3_000)).await?;
    let seen = player.up_to(&show.sound(2_980).payload).await?;
    assert_eq!(seen.len(), show.media(2_000..3_000).count());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publish_without_a_message_stream_is_served() -> Result<()> {
    let server = serve("")?;
    let mut player = at(server.addresses()[0], "live/show").play().await?;
    for id in [0, 1, 7] {
        let show = Show::new(id);
        let mut encoder = Peer::connect(server.addresses()[0], "live").await?;
        encoder.publish(id, "show").await?;
        encoder.send_media(id, show.beginning(1_000)).await?;
        player.up_to(&show.sound(980).payload).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_may_come_in_the_envelope_of_amf3() -> Result<()> {
    let server = serve("")?;
    let address = server.addresses()[0];
    let show = Show::new(1);

    let mut player = Peer::dial(address).await?;
    player.shake_hands().await?;
    player.speak_amf3();
    let tc_url = format!("rtmp://{address}/live");
    let answer = player
        .connect_with(connect_object(&tc_url).with("objectEncoding", 3.0))
        .await?;
    let information = answer.arguments[0].as_object().context("information")?;
    assert_eq!(
        information.get("objectEncoding").and_then(Value::as_f64),
        Some(3.0)
    );
    let id = player.create_stream().await?;
    player.play(id, "show").await?;

    let mut encoder = Peer::dial(address).await?;
    encoder.shake_hands().await?;
    encoder.speak_amf3();
    encoder
        .connect_with(connect_object(&tc_url).with("objectEncoding", 3.0))
        .await?;
    encoder.call("releaseStream", vec!["show".into()]).await?;
    encoder.call("FCPublish", vec!["show".into()]).await?;
    let id = encoder.create_stream().await?;
    encoder.publish(id, "show").await?;
    for sample in show.beginning(1_000) {
        let mut message = message(id, sample);
        if message.message_type == MessageType::DataAmf0 {
            message.message_type = MessageType::DataAmf3;
            message.payload = [&[0], &message.payload[..]].concat().into();
        }
        encoder.send(&message).await?;
    }
    let seen = player.up_to(&show.sound(980).payload).await?;
    assert_eq!(seen.len(), show.beginning(1_000).count());
    let metadata = Metadata::decode(&seen[0].payload)?;
    assert_eq!(
        metadata.properties().get("width").and_then(Value::as_f64),
        Some(64.0)
    );

    encoder
        .request("FCUnpublish", 0, vec!["show".into()])
        .await?;
    encoder.status("NetStream.Unpublish.Success").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_that_sends_nothing_is_told_and_disconnected() -> Result<()> {
    for (settings, samples) in [
        ("first_packet_timeout = \"300ms\"", 0),
        ("timeout = \"300ms\"", 20),
        ("first_packet_timeout = \"10m\"\ntimeout = \"300ms\"", 1),
    ] {
        let server = serve(&format!("[vhost.\"__defaultVhost__\".publish]\n{settings}"))?;
        let mut publisher = at(server.addresses()[0], "live/show").publish().await?;
        let start = Instant::now();
        publisher
            .send(Show::new(1).beginning(1_000).take(samples))
            .await?;
        let words = publisher.ended().await?;
        let took = start.elapsed();
        assert!(words.contains("timeout"), "{settings}: {words}");
        assert!(
            took >= Duration::from_millis(290),
            "{settings}: after {took:?}"
        );
        assert!(took < Duration::from_secs(3), "{settings}: after {took:?}");
        assert_eq!(
            server.service().counters.get(Incident::PublishTimeout),
            1,
            "{settings}"
        );
        assert_eq!(server.service().counters.total(), 1, "{settings}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_that_sends_anything_in_time_stays() -> Result<()> {
    let settings = "[vhost.\"__defaultVhost__\".publish]\ntimeout = \"500ms\"";
    let server = serve(settings)?;
    let show = Show::new(1);
    let (mut encoder, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    encoder.publish(id, "show").await?;
    let (start, mut time) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_millis(1_200) {
        encoder.send_media(id, [show.sound(time)]).await?;
        encoder.ping().await?;
        time += 20;
    }
    assert_eq!(server.service().counters.total(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metadata_of_every_kind_reaches_players_and_ends_nobody() -> Result<()> {
    let server = serve("")?;
    let mut player = at(server.addresses()[0], "live/show").play().await?;
    let show = Show::new(1);
    let (mut encoder, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    encoder.publish(id, "show").await?;
    let data = |values: &[Value]| {
        let mut payload = BytesMut::new();
        for value in values {
            srs_amf0::encode(value, &mut payload);
        }
        Sample {
            kind: MediaKind::Data,
            timestamp: 0,
            payload: payload.freeze(),
        }
    };
    let properties = Object::new()
        .with("title", "x".repeat(70_000))
        .with("width", 64.0);
    let date = Bytes::from_static(
        b"\x02\0\x0aonMetaData\x08\0\0\0\0\0\x07created\x0b\x42\x76\0\0\0\0\0\0\0\0\0\0\x09",
    );
    let reaching = [
        data(&["onMetaData".into(), properties.clone().into()]),
        data(&[
            "@setDataFrame".into(),
            "onMetaData".into(),
            Value::EcmaArray(properties),
        ]),
        data(&[
            "onTextData".into(),
            Object::new().with("text", "word").into(),
        ]),
        data(&[
            "onCuePoint".into(),
            Object::new().with("name", "advert").into(),
        ]),
        Sample {
            kind: MediaKind::Data,
            timestamp: 0,
            payload: date,
        },
    ];
    let silent = [
        data(&["@clearDataFrame".into(), "onMetaData".into()]),
        data(&[Value::Number(1.0)]),
        Sample {
            kind: MediaKind::Data,
            timestamp: 0,
            payload: Bytes::from_static(b"\xFF\xFE"),
        },
        Sample {
            kind: MediaKind::Data,
            timestamp: 0,
            payload: Bytes::from_static(b"\x02\0\x50on"),
        },
    ];
    encoder.send_media(id, reaching.clone()).await?;
    encoder.send_media(id, silent).await?;
    encoder.send_media(id, [show.sound(0)]).await?;
    let seen = player.up_to(&show.sound(0).payload).await?;
    let names: Vec<String> = seen
        .iter()
        .filter(|media| media.kind == MediaKind::Data)
        .map(|media| {
            let name = srs_amf0::Decoder::new(&media.payload, Limits::default()).decode();
            name.ok()
                .and_then(|name| name.as_str().map(str::to_owned))
                .unwrap_or_default()
        })
        .collect();
    assert_eq!(
        names,
        [
            "onMetaData",
            "onMetaData",
            "onTextData",
            "onCuePoint",
            "onMetaData"
        ]
    );
    let counters = &server.service().counters;
    assert_eq!(counters.get(Incident::DataUnreadable), 3);
    assert_eq!(counters.total(), 3, "and nobody is cut off for it");
    Ok(())
}

/// The names of the commands in `heard`.
fn commands(heard: &[Heard]) -> Vec<&str> {
    heard
        .iter()
        .filter_map(|heard| match heard {
            Heard::Command { command, .. } => Some(command.name.as_str()),
            _ => None,
        })
        .collect()
}
