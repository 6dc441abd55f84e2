//! What one client may cost: whoever goes beyond is cut off, and nobody else notices.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::{Bytes, BytesMut};
use srs::control::counters::Incident;
use srs_amf0::{Object, Value};
use srs_rtmp::MediaKind;
use srs_rtmp::message::control::{Control, UserControl};
use srs_rtmp::message::{Message, MessageType};

use crate::clients::wire::{connect_object, message};
use crate::clients::{Peer, Sample, Scene, Show, at, refusal, until, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_takes_no_longer_than_it_may() -> Result<()> {
    let mut scene = Scene::new("[limits]\nhandshake_timeout = \"300ms\"").await?;
    for beginning in [0, 1, 1_000, 1_537, 1_537 + 1_535] {
        let mut peer = scene.dial().await?;
        peer.send_bytes(&vec![3; beginning]).await?;
        peer.gone()
            .await
            .with_context(|| format!("after {beginning} bytes"))?;
    }
    scene.check(Incident::HandshakeTimeout, 5).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_that_never_rests_takes_no_longer_either() -> Result<()> {
    let mut scene = Scene::new("[limits]\nhandshake_timeout = \"500ms\"").await?;
    let mut peer = scene.dial().await?;
    let start = Instant::now();
    loop {
        // A byte every ten milliseconds would take half a minute.
        if let Ok(heard) = within(Duration::from_millis(10), "the end", peer.hear()).await {
            ensure!(heard?.is_none(), "an answer to half a handshake");
            break;
        }
        ensure!(
            start.elapsed() < Duration::from_secs(10),
            "it is still served"
        );
        if peer.send_bytes(&[3]).await.is_err() {
            break;
        }
    }
    scene.check(Incident::HandshakeTimeout, 1).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_must_say_in_time_what_one_wants() -> Result<()> {
    let mut scene = Scene::new("[limits]\nidentify_timeout = \"300ms\"").await?;
    let address = scene.server.addresses()[0];
    let mut mute = Peer::dial(address).await?;
    mute.shake_hands().await?;
    let mut connected = Peer::connect(address, "live").await?;
    let (mut with_stream, _) = Peer::with_stream(address, "live").await?;
    for peer in [&mut mute, &mut connected, &mut with_stream] {
        peer.closed().await?;
    }
    scene.check(Incident::IdentifyTimeout, 3).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_is_refused_again_and_again_has_not_said_what_he_wants() -> Result<()> {
    let mut scene = Scene::new("[limits]\nidentify_timeout = \"400ms\"").await?;
    let address = scene.server.addresses()[0];
    for command in ["play", "publish"] {
        let (mut peer, id) = Peer::with_stream(address, "live").await?;
        let start = Instant::now();
        peer.request(command, id, vec!["".into()]).await?;
        peer.closed().await.context(command)?;
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{command}: {:?}",
            start.elapsed()
        );
    }
    let counters = &scene.server.service().counters;
    assert_eq!(counters.get(Incident::IdentifyTimeout), 2);
    scene.check_others().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_that_never_reads_is_cut_off() -> Result<()> {
    let mut scene = Scene::new("[limits]\nsend_timeout = \"500ms\"").await?;
    scene.check_others().await?;
    let stuck = at(scene.server.addresses()[0], "live/show").receive_buffer(4_096);
    let _stuck = stuck.play().await?;
    let players = scene.server.service().clients.len();
    for second in 1.. {
        // A megabyte each, so that the kernel's buffers are soon full.
        let samples = (0..25).map(|index| large_picture(second * 1_000 + index * 40, 40_000));
        scene.publisher.send(samples.collect::<Vec<_>>()).await?;
        scene.player.take(25).await?;
        ensure!(second < 1_000, "a gigabyte and it is still served");
        if scene.server.service().clients.len() < players {
            break;
        }
    }
    scene.time = 2_000_000;
    scene.check(Incident::SendTimeout, 1).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_asks_and_never_listens_is_cut_off() -> Result<()> {
    let mut scene = Scene::new("[limits]\nsend_timeout = \"500ms\"").await?;
    let socket = at(scene.server.addresses()[0], "")
        .receive_buffer(4_096)
        .socket()
        .await?;
    let mut peer = Peer::on(socket)?;
    peer.shake_hands().await?;
    peer.connect_to("rtmp://127.0.0.1/live").await?;
    let ping = peer.encode(&Control::User(UserControl::PingRequest(0)).encode());
    let pings = ping.repeat(1_000);
    let flood = async { while peer.send_bytes(&pings).await.is_ok() {} };
    within(Duration::from_secs(15), "the end of a flood", flood).await?;
    scene.check(Incident::SendTimeout, 1).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_no_longer_than_they_may_be() -> Result<()> {
    let settings = "[limits]\nmedia_message = 65536\ndata_message = 2048\ncommand_message = 1024";
    for (message_type, limit) in [
        (MessageType::Video, 65_536),
        (MessageType::Audio, 65_536),
        (MessageType::Aggregate, 65_536),
        (MessageType::DataAmf0, 2_048),
        (MessageType::DataAmf3, 2_048),
        (MessageType::CommandAmf0, 1_024),
        (MessageType::CommandAmf3, 1_024),
        (MessageType::SharedObjectAmf0, 1_024),
        (MessageType::Other(77), 1_024),
    ] {
        let mut scene = Scene::new(settings).await?;
        let (mut peer, id) = Peer::with_stream(scene.server.addresses()[0], "live").await?;
        peer.publish(id, "mine").await?;
        let of_len = |len: usize| Message {
            chunk_stream_id: 8,
            timestamp: 0,
            message_type,
            message_stream_id: id,
            payload: command_of_len(len),
        };
        if message_type != MessageType::Aggregate {
            peer.send(&of_len(limit)).await?;
            peer.ping()
                .await
                .with_context(|| format!("{limit} bytes of {message_type:?}"))?;
        }
        // The header alone is enough: nothing is held that will be refused.
        let header = peer.encode(&of_len(limit + 1)).slice(..12);
        peer.send_bytes(&header).await?;
        peer.closed()
            .await
            .with_context(|| format!("{message_type:?}"))?;
        scene.check(Incident::ProtocolError, 1).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_sent_messages_are_bounded_together() -> Result<()> {
    let mut scene = Scene::new("").await?;
    let (mut peer, id) = Peer::with_stream(scene.server.addresses()[0], "live").await?;
    peer.publish(id, "mine").await?;
    for chunk_stream_id in 10..13 {
        let picture = large_picture(0, 15_000_000);
        let mut large = message(id, picture);
        large.chunk_stream_id = chunk_stream_id;
        let beginning = peer.encode(&large).slice(..12 + 128);
        peer.send_bytes(&beginning).await?;
    }
    peer.closed().await?;
    scene.check(Incident::ProtocolError, 1).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunk_streams_are_bounded() -> Result<()> {
    let mut scene = Scene::new("[limits]\nchunk_streams = 8").await?;
    let (mut peer, id) = Peer::with_stream(scene.server.addresses()[0], "live").await?;
    peer.publish(id, "mine").await?;
    // Two are in use: that of control messages and that of commands.
    peer.ping().await?;
    for chunk_stream_id in 70..=76 {
        assert!(peer.is_served().await, "{chunk_stream_id}");
        let mut sound = message(id, Show::new(1).sound(0));
        sound.chunk_stream_id = chunk_stream_id;
        peer.send(&sound).await?;
    }
    peer.closed().await?;
    scene.check(Incident::ProtocolError, 1).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn message_streams_are_bounded() -> Result<()> {
    let mut scene = Scene::new("[limits]\nmessage_streams = 3").await?;
    let address = scene.server.addresses()[0];

    let mut peer = Peer::connect(address, "live").await?;
    for _ in 0..50 {
        let id = peer.create_stream().await?;
        peer.request("deleteStream", 0, vec![f64::from(id).into()])
            .await?;
    }
    for _ in 0..3 {
        peer.create_stream().await?;
    }
    peer.request("createStream", 0, vec![]).await?;
    peer.closed().await?;

    // Those that are made by the way count as well.
    let mut peer = Peer::connect(address, "live").await?;
    for id in 1..=3 {
        peer.play(id * 1_000, "show").await?;
    }
    peer.request("play", 4_000, vec!["show".into()]).await?;
    peer.closed().await?;
    scene.check(Incident::ProtocolError, 2).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_are_bounded_in_depth_and_number() -> Result<()> {
    let mut scene = Scene::new("[limits]\namf_depth = 4\namf_values = 64").await?;
    let address = scene.server.addresses()[0];
    let nested = |levels: usize| {
        let innermost = Value::from("innermost");
        (0..levels).fold(innermost, |value, _| Object::new().with("in", value).into())
    };
    let many = |number: u32| {
        (0..number).fold(Object::new(), |object, index| {
            object.with(index.to_string(), 1.0)
        })
    };
    let tc_url = format!("rtmp://{address}/live");
    let cases = [
        ("three levels within", nested(3), true),
        ("four levels within", nested(4), false),
        ("hundreds of levels", nested(400), false),
        ("fifty values", many(50).into(), true),
        ("seventy values", many(70).into(), false),
    ];
    for (what, value, served) in cases {
        let mut peer = Peer::dial(address).await?;
        peer.shake_hands().await?;
        peer.set_chunk_size(65_536).await?;
        let object = connect_object(&tc_url).with("more", value);
        let answer = peer.connect_with(object).await;
        assert_eq!(answer.is_ok(), served, "{what}: {answer:?}");
    }
    scene.check(Incident::ProtocolError, 3).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metadata_that_is_nested_without_end_hurts_nobody() -> Result<()> {
    let mut scene = Scene::new("").await?;
    let (mut peer, id) = Peer::with_stream(scene.server.addresses()[0], "live").await?;
    peer.publish(id, "mine").await?;
    peer.set_chunk_size(65_536).await?;
    // Objects in objects, as deep as 200 kB let them be.
    let mut payload = BytesMut::from(&b"\x02\0\x0aonMetaData"[..]);
    payload.extend_from_slice(&b"\x03\0\x01a".repeat(50_000));
    let payload = payload.freeze();
    let sample = Sample {
        kind: MediaKind::Data,
        timestamp: 0,
        payload,
    };
    peer.send_media(id, [sample, Show::new(1).sound(0)]).await?;
    let mut player = at(scene.server.addresses()[0], "live/mine").play().await?;
    peer.send_media(id, [Show::new(1).sound(20)]).await?;
    player.up_to(&Show::new(1).sound(20).payload).await?;
    scene.check_others().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_clients_are_served_than_may_be() -> Result<()> {
    let mut scene = Scene::new("max_connections = 5").await?;
    let address = scene.server.addresses()[0];
    let mut served = Vec::new();
    for _ in 0..3 {
        served.push(Peer::connect(address, "live").await?);
    }
    for _ in 0..3 {
        assert_eq!(Peer::dial(address).await?.closed().await?, []);
    }
    for peer in &mut served {
        assert!(peer.is_served().await);
    }
    scene.check(Incident::TooManyConnections, 3).await?;
    drop(served.pop());
    until("room", || scene.server.service().clients.len() < 5)?;
    Peer::connect(address, "live").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_clients_of_one_address_are_served_than_may_be() -> Result<()> {
    let mut scene = Scene::new("[limits]\nconnections_per_address = 3").await?;
    let address = scene.server.addresses()[0];
    let third = Peer::connect(address, "live").await?;
    assert_eq!(Peer::dial(address).await?.closed().await?, []);

    let mut elsewhere = Vec::new();
    for _ in 0..3 {
        elsewhere.push(at(address, "live/show").from([127, 0, 0, 9]).play().await?);
    }
    let one_more = at(address, "live/show").from([127, 0, 0, 9]).play().await;
    assert!(refusal(one_more).is_err(), "there is nobody to say no");
    scene.check(Incident::TooManyFromAddress, 2).await?;

    drop(third);
    until("room", || scene.server.service().clients.len() == 5)?;
    Peer::connect(address, "live").await?;
    Ok(())
}

/// A picture that is no key frame, of so many bytes.
fn large_picture(time: u32, len: usize) -> Sample {
    let mut payload = BytesMut::from(&[0x27, 1, 0, 0, 0][..]);
    payload.resize(len, 9);
    Sample {
        kind: MediaKind::Video,
        timestamp: time,
        payload: payload.freeze(),
    }
}

/// A call of nothing, of so many bytes.
fn command_of_len(len: usize) -> Bytes {
    let mut payload = BytesMut::from(&b"\x02\0\x07nothing\0\0\0\0\0\0\0\0\0\x05"[..]);
    payload.resize(len, 5);
    payload.freeze()
}
