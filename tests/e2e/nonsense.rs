//! What no client would send, and sessions that break off: nobody else notices.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::{Bytes, BytesMut};
use srs::control::counters::Incident;
use srs_amf0::Value;
use srs_rtmp::message::command::Command;
use tokio::task::JoinSet;

use crate::clients::wire::{connect_object, message};
use crate::clients::{Dice, Peer, Scene, Show, at, serve, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_instead_of_a_handshake_hurts_nobody() -> Result<()> {
    let mut scene = Scene::new("[limits]\nhandshake_timeout = \"500ms\"").await?;
    let mut peer = scene.dial().await?;
    peer.send_bytes(b"GET /live/show.flv HTTP/1.1\r\nHost: example.com\r\n\r\n")
        .await?;
    peer.closed().await?;
    scene.check(Incident::ProtocolError, 1).await?;

    let mut tasks = JoinSet::new();
    for seed in 0..200 {
        let mut peer = scene.dial().await?;
        tasks.spawn(async move {
            let mut dice = Dice::new(seed);
            let len = dice.length(1..6_000);
            let mut bytes = dice.bytes(len);
            if dice.within(0..2) == 0 {
                bytes[0] = 3;
            }
            // It may well be closed in the middle of that.
            let _ = peer.send_bytes(&bytes).await;
            peer.gone().await.with_context(|| format!("seed {seed}"))
        });
    }
    while let Some(result) = tasks.join_next().await {
        result??;
    }
    scene.check_others().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_behind_the_handshake_hurts_nobody() -> Result<()> {
    let mut scene = Scene::new("[limits]\nidentify_timeout = \"500ms\"").await?;
    let address = scene.server.addresses()[0];
    let mut tasks = JoinSet::new();
    for seed in 0..300 {
        tasks.spawn(async move {
            let mut dice = Dice::new(seed);
            let mut peer = Peer::dial(address).await?;
            peer.shake_hands().await?;
            let wants_to_connect = dice.within(0..2) == 0;
            if wants_to_connect {
                // On a busy machine the server's patience may end before that is said.
                let connected = peer.connect_to(&format!("rtmp://{address}/live")).await;
                if connected.is_err() {
                    peer.gone().await.with_context(|| format!("seed {seed}"))?;
                    return anyhow::Ok(false);
                }
            }
            let len = dice.length(1..4_000);
            let mut bytes = dice.bytes(len);
            // Half of it with headers that begin well.
            if dice.within(0..2) == 0 {
                let types = [1, 2, 3, 4, 5, 6, 8, 9, 15, 17, 18, 20, 22];
                let header = [3, 0, 0, 0, 0, 0, 100, *dice.one_of(&types), 0, 0, 0, 0];
                bytes.splice(..0, header);
            }
            let _ = peer.send_bytes(&bytes).await;
            peer.gone().await.with_context(|| format!("seed {seed}"))?;
            anyhow::Ok(wants_to_connect)
        });
    }
    let mut connected = 0;
    while let Some(result) = tasks.join_next().await {
        connected += usize::from(result??);
    }
    ensure!(connected > 0, "nobody came so far as to be connected");
    scene.check_others().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_may_break_off_at_any_byte() -> Result<()> {
    let mut scene = Scene::new("").await?;
    let address = scene.server.addresses()[0];
    let clients = scene.server.service().clients.len();
    let len = recorded_session(address, "broken").await?.len();
    // All of what is said, and here and there in the handshake, which is 3073 bytes of anything.
    let cuts: Vec<usize> = (0..3_073).step_by(97).chain(3_073..=len).collect();
    let mut tasks = JoinSet::new();
    for (number, cuts) in cuts.chunks(cuts.len().div_ceil(8)).enumerate() {
        let session = recorded_session(address, &format!("broke{number}")).await?;
        let cuts = cuts.to_vec();
        tasks.spawn(async move {
            for cut in cuts {
                let mut peer = Peer::dial(address).await?;
                peer.send_bytes(&session[..cut]).await?;
                peer.hang_up().await?;
                peer.gone().await.with_context(|| format!("cut at {cut}"))?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(result) = tasks.join_next().await {
        result??;
    }
    until("the others alone", || {
        scene.server.service().clients.len() == clients
    })?;
    until("their stream alone", || {
        scene.server.service().hub.streams().len() == 1
    })?;
    let counters = &scene.server.service().counters;
    assert_eq!(counters.total(), 0, "to hang up is no crime: {counters}");
    scene.check_others().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_may_come_byte_by_byte() -> Result<()> {
    let server = serve("")?;
    let mut player = at(server.addresses()[0], "live/broken").play().await?;
    let session = recorded_session(server.addresses()[0], "broken").await?;
    let mut peer = Peer::dial(server.addresses()[0]).await?;
    let start = Instant::now();
    for byte in session.chunks(1) {
        peer.send_bytes(byte).await?;
    }
    player.up_to(&Show::new(1).sound(80).payload).await?;
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "it took {:?}",
        start.elapsed()
    );
    assert_eq!(server.service().counters.total(), 0);
    Ok(())
}

/// All bytes of a client that publishes `stream`, which it sends without waiting for any answer.
async fn recorded_session(address: SocketAddr, stream: &str) -> Result<Bytes> {
    // For its way to encode; it says nothing itself.
    let mut peer = Peer::dial(address).await?;
    let mut session = BytesMut::from(&[3][..]);
    session.resize(3_073, 7);
    let command = |name: &str, transaction_id, object: Value, arguments| Command {
        name: name.into(),
        transaction_id,
        object,
        arguments,
    };
    let connect = connect_object("rtmp://127.0.0.1/live").into();
    let commands = [
        (0, command("connect", 1.0, connect, vec![])),
        (
            0,
            command("releaseStream", 2.0, Value::Null, vec![stream.into()]),
        ),
        (
            0,
            command("FCPublish", 3.0, Value::Null, vec![stream.into()]),
        ),
        (0, command("createStream", 4.0, Value::Null, vec![])),
        (
            1,
            command(
                "publish",
                5.0,
                Value::Null,
                vec![stream.into(), "live".into()],
            ),
        ),
    ];
    for (message_stream_id, command) in commands {
        session.extend_from_slice(&peer.encode(&command.encode(3, message_stream_id)));
    }
    let show = Show::new(1);
    let samples = show.headers().into_iter().chain(show.media(40..100));
    for sample in samples {
        session.extend_from_slice(&peer.encode(&message(1, sample)));
    }
    Ok(session.freeze())
}
