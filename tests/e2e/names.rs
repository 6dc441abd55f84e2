//! A name that is asked for and given up leaves nothing behind, however many there are.

use std::net::SocketAddr;
use std::ops::Range;

use anyhow::Result;
use bytes::BytesMut;
use srs_amf0::Value;
use srs_rtmp::message::command::Command;
use tokio::task::JoinSet;

use crate::build_srs;
use crate::clients::{Peer, Show, serve};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_leave_no_streams_behind() -> Result<()> {
    let server = serve("")?;
    let address = server.addresses()[0];
    use_names(address, 0..8_000).await?;
    assert!(server.service().hub.streams().is_empty());
    assert_eq!(server.service().counters.total(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_leave_no_memory_behind() -> Result<()> {
    // Two lines of the log for each name would be a test of the log.
    let mut srs = build_srs().start()?;
    let address = srs.addresses()[0];
    use_names(address, 0..4_000).await?;
    let before = srs.process().rss_kb()?;
    use_names(address, 4_000..104_000).await?;
    let after = srs.process().rss_kb()?;
    assert!(after < before + 3_000, "from {before} kB to {after} kB");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_lives_as_long_as_somebody_cares() -> Result<()> {
    let server = serve("")?;
    let (mut peer, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    let (mut other, other_id) = Peer::with_stream(server.addresses()[0], "live").await?;
    peer.publish(id, "show").await?;
    peer.send_media(id, Show::new(1).beginning(100)).await?;
    other.play(other_id, "show").await?;
    peer.request("closeStream", id, vec![]).await?;
    peer.ping().await?;
    assert_eq!(
        server.service().hub.streams().len(),
        1,
        "it is still watched"
    );
    other.request("closeStream", other_id, vec![]).await?;
    other.ping().await?;
    assert!(server.service().hub.streams().is_empty());
    Ok(())
}

/// Asks for streams of different names, in all the ways there are, on a few connections at once.
async fn use_names(address: SocketAddr, names: Range<u32>) -> Result<()> {
    let quarter = (names.end - names.start) / 4;
    let mut tasks = JoinSet::new();
    for (index, way) in (0..).zip([
        play_and_close,
        publish_and_close,
        play_on,
        create_and_delete,
    ]) {
        let from = names.start + index * quarter;
        tasks.spawn(async move {
            let (mut peer, _) = Peer::with_stream(address, "live").await?;
            for batch in (from..from + quarter).collect::<Vec<_>>().chunks(BATCH) {
                let mut bytes = BytesMut::new();
                for number in batch {
                    for (message_stream_id, command) in way(&format!("name-{number}")) {
                        bytes
                            .extend_from_slice(&peer.encode(&command.encode(3, message_stream_id)));
                    }
                }
                peer.send_bytes(&bytes).await?;
                peer.ping().await?;
            }
            peer.request("closeStream", 1, vec![]).await?;
            peer.ping().await?;
            anyhow::Ok(peer)
        });
    }
    // All stay connected to the end.
    let mut peers = Vec::new();
    while let Some(peer) = tasks.join_next().await {
        peers.push(peer??);
    }
    Ok(())
}

type Commands = Vec<(u32, Command)>;

fn play_and_close(name: &str) -> Commands {
    vec![
        (1, command("play", vec![name.into()])),
        (1, command("closeStream", vec![])),
    ]
}

fn publish_and_close(name: &str) -> Commands {
    vec![
        (1, command("publish", vec![name.into()])),
        (1, command("closeStream", vec![])),
    ]
}

/// Each play ends the one before.
fn play_on(name: &str) -> Commands {
    vec![(1, command("play", vec![name.into()]))]
}

fn create_and_delete(name: &str) -> Commands {
    vec![
        (0, command("createStream", vec![])),
        (2, command("play", vec![name.into()])),
        (0, command("deleteStream", vec![2.0.into()])),
    ]
}

fn command(name: &str, arguments: Vec<Value>) -> Command {
    Command {
        name: name.into(),
        transaction_id: 9.0,
        object: Value::Null,
        arguments,
    }
}

/// So many names are asked for before an answer is waited for.
const BATCH: usize = 250;
