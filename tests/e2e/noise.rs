//! What strangers do a thousand times is not told a thousand times: the log counts it.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use srs_rtmp::MediaKind;
use testkit::Log;
use tokio::task::block_in_place;

use crate::clients::{Peer, Sample, Show, at};
use crate::{build_srs, seconds};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_junk_is_some_lines_that_add_up() -> Result<()> {
    let patience = "timeout = \"10m\"\nfirst_packet_timeout = \"10m\"";
    let limits = "connections_per_address = 3\nhandshake_timeout = \"10m\"";
    let settings = format!("[limits]\n{limits}\n[vhost.\"__defaultVhost__\".publish]\n{patience}");
    let mut srs = build_srs().settings(&settings).start()?;
    let (address, log) = (srs.addresses()[0], srs.process().log().clone());

    let (mut publisher, id) = Peer::with_stream(address, "live").await?;
    publisher.publish(id, "show").await?;
    publisher
        .send_media(id, Show::new(1).beginning(100))
        .await?;
    let silent = [Peer::dial(address).await?, Peer::dial(address).await?];
    for _ in 0..100 {
        // There are as many from here as may be.
        Peer::dial(address).await?.gone().await?;
    }
    drop(silent);
    for _ in 0..100 {
        // If the places of those before are not free yet, it is refused, which counts as well.
        talk_nonsense(Peer::dial(address).await?).await?;
    }
    let elsewhere = at(address, "").from([127, 0, 0, 9]).socket().await?;
    talk_nonsense(Peer::on(elsewhere)?).await?;

    // It comes when a window of ten seconds ends. What comes after that is told by the stop.
    block_in_place(|| log.wait_for(SUMMARY, seconds(40)))?;
    talk_nonsense(Peer::dial(address).await?).await?;
    publisher.send_bytes(&BEYOND_THE_LIMIT).await?;
    publisher.gone().await?;
    block_in_place(|| srs.stop())?;

    let (of_stream, of_strangers): (Vec<_>, Vec<_>) = warnings(&log)
        .into_iter()
        .partition(|line| line.contains("stream=show"));
    ensure!(of_stream.len() == 1, "{of_stream:#?}");
    let (here, there): (Vec<_>, Vec<_>) = of_strangers
        .into_iter()
        .partition(|line| line.contains("peer=127.0.0.1:"));
    ensure!(there.len() == 1, "{there:#?}");
    ensure!(there[0].contains("peer=127.0.0.9:"), "{there:#?}");
    let (told, untold) = sums(here, "127.0.0.1")?;
    ensure!(told + untold == 201, "{told} and {untold}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_without_end_are_some_lines_that_add_up() -> Result<()> {
    let mut srs = build_srs()
        .settings("[vhost.\"off.example\"]\nenabled = false")
        .start()?;
    let (address, log) = (srs.addresses()[0], srs.process().log().clone());
    let dial = async |host| Peer::on(at(address, "").from([127, 0, 0, host]).socket().await?);

    for _ in 0..150 {
        let mut peer = dial(2).await?;
        peer.shake_hands().await?;
        let refused = peer.connect_to("rtmp://off.example/live").await;
        ensure!(refused.is_err(), "it is not enabled");
    }
    for (host, wish) in [(3, "publish"), (4, "play")] {
        let mut peer = dial(host).await?;
        peer.shake_hands().await?;
        peer.connect_to(&format!("rtmp://{address}/live")).await?;
        let id = peer.create_stream().await?;
        for _ in 0..150 {
            let name = "show?vhost=off.example";
            peer.request(wish, id, vec![name.into()]).await?;
            // The answers are read, too, so that it takes the next.
            peer.ping().await?;
        }
    }
    block_in_place(|| srs.stop())?;

    // That it asked for so many streams on one connection is a complaint, too.
    for (host, what, complaints) in [(2, "connect", 150), (3, "publish", 151), (4, "play", 151)] {
        let of_host = format!("127.0.0.{host}");
        let mut lines = warnings(&log);
        lines.retain(|line| line.contains(&format!("peer={of_host}:")));
        let first = lines.first().context("a warning")?;
        ensure!(first.contains(&format!("refused to {what}: ")), "{first}");
        let (told, untold) = sums(lines, &of_host)?;
        ensure!(told + untold == complaints, "{what}: {told} and {untold}");
    }
    let incidents = log.lines_with("incidents since the start");
    let incidents = incidents.last().context("incidents")?;
    for kind in ["connect_refused", "publish_refused", "play_refused"] {
        let counted = format!("{kind}=150");
        ensure!(incidents.contains(&counted), "{counted}: {incidents}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_looks_closely_sees_each_line_of_a_flood() -> Result<()> {
    let mut srs = build_srs().settings("[log]\nlevel = \"debug\"").start()?;
    let (address, log) = (srs.addresses()[0], srs.process().log().clone());
    for _ in 0..20 {
        talk_nonsense(Peer::dial(address).await?).await?;
    }
    block_in_place(|| srs.stop())?;
    let told = |level: &str| {
        let lines = log.lines_with("broke the protocol");
        let of_client = |line: &&String| line.contains(level) && line.contains("disconnected");
        lines.iter().filter(of_client).count()
    };
    // Where they take long a window ends between two of them, and another one begins.
    let (warned, shown) = (told("[warn]"), told("[debug]"));
    ensure!(warned >= 5 && warned + shown == 20, "{warned} and {shown}");
    let mut untold = 0;
    for summary in log.lines_with(SUMMARY) {
        untold += untold_of(&summary)?;
    }
    ensure!(untold == shown, "{untold} of {shown}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_only_asks_for_streams_is_a_stranger_until_media_flow() -> Result<()> {
    let mut srs = build_srs().start()?;
    let (address, log) = (srs.addresses()[0], srs.process().log().clone());
    let (mut source, id) = Peer::with_stream(address, "live").await?;
    source.publish(id, "source").await?;
    source.send_media(id, Show::new(1).beginning(100)).await?;
    source.ping().await?;
    let dial = async |host| {
        let elsewhere = at(address, "").from([127, 0, 0, host]).socket().await?;
        let mut peer = Peer::on(elsewhere)?;
        peer.shake_hands().await?;
        peer.connect_to(&format!("rtmp://{address}/live")).await?;
        let id = peer.create_stream().await?;
        anyhow::Ok((peer, id))
    };
    let break_off = async |mut peer: Peer| {
        peer.send_bytes(&BEYOND_THE_LIMIT).await?;
        peer.gone().await
    };

    for _ in 0..40 {
        let (mut publisher, id) = dial(2).await?;
        publisher.publish(id, "empty").await?;
        break_off(publisher).await?;
        let (mut player, id) = dial(3).await?;
        player.play(id, "nobody").await?;
        break_off(player).await?;
        let (mut publisher, id) = dial(4).await?;
        publisher.publish(id, "show").await?;
        publisher.send_media(id, [Show::new(2).sound(0)]).await?;
        break_off(publisher).await?;
        let (mut player, id) = dial(5).await?;
        player.play(id, "source").await?;
        player.media().await?;
        break_off(player).await?;
    }
    block_in_place(|| srs.stop())?;

    let of_host = |host: u8| {
        let ip = format!("127.0.0.{host}");
        let mut lines = warnings(&log);
        lines.retain(|line| line.contains(&format!("peer={ip}:")));
        (ip, lines)
    };
    for host in [2, 3] {
        let (ip, lines) = of_host(host);
        let (told, untold) = sums(lines, &ip)?;
        ensure!(told + untold == 40, "{ip}: {told} and {untold}");
    }
    for host in [4, 5] {
        let (ip, lines) = of_host(host);
        let cut_off = lines.iter().filter(|line| line.contains("disconnected: "));
        ensure!(
            cut_off.count() == 40 && lines.len() == 40,
            "{ip}: {lines:#?}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encoder_that_changes_with_each_packet_is_some_lines_that_add_up() -> Result<()> {
    let mut srs = build_srs().start()?;
    let (address, log) = (srs.addresses()[0], srs.process().log().clone());
    let (mut publisher, id) = Peer::with_stream(address, "live").await?;
    publisher.publish(id, "show").await?;
    publisher.send_media(id, (0..2_000).map(header)).await?;
    publisher.request("closeStream", id, vec![]).await?;
    publisher.ping().await?;

    for number in 0..150 {
        publisher.publish(id, "show").await?;
        publisher.send_media(id, [header(number), JUNK]).await?;
    }
    publisher.ping().await?;
    block_in_place(|| srs.stop())?;

    let lines = log.lines_with("stream=show");
    let of_first = |line: &&String| !line.contains("unpublish: ");
    let first: Vec<_> = lines.iter().take_while(of_first).collect();
    let (mut told, mut untold) = (0, 0);
    for line in first.iter().filter(|line| line.contains("audio is ")) {
        told += 1;
        // The first of them have nothing to count.
        if line.contains("untold=") {
            untold += number_behind("untold=", line)?;
        }
    }
    let end = lines.get(first.len()).context("an unpublish")?;
    untold += number_behind("untold_headers=", end)?;
    ensure!((5..=10).contains(&told), "{first:#?}");
    ensure!(told + untold == 2_000, "{told} and {untold}");

    // Of the streams that it begins later than others would, there is nothing.
    let rest = &lines[first.len() + 1..];
    for what in ["audio is ", "left out a data message: "] {
        let told = rest.iter().filter(|line| line.contains(what)).count();
        ensure!(told == 98, "{told} times {what}");
    }
    let incidents = log.lines_with("incidents since the start");
    let incidents = incidents.last().context("incidents")?;
    ensure!(incidents.contains("data_unreadable=150"), "{incidents}");
    Ok(())
}

/// Each `number` has another.
fn header(number: u32) -> Sample {
    Sample {
        kind: MediaKind::Audio,
        timestamp: 0,
        payload: [&[0xAF, 0, 0x12, 0x10][..], &number.to_be_bytes()]
            .concat()
            .into(),
    }
}

/// Says what no client would, and waits for the end.
async fn talk_nonsense(mut peer: Peer) -> Result<()> {
    // It may be closed before that is sent.
    let _ = peer.send_bytes(b"nonsense").await;
    peer.gone().await
}

/// What the log warns of, about clients.
fn warnings(log: &Log) -> Vec<String> {
    let mut lines = log.lines_with("[warn]");
    lines.retain(|line| line.contains("peer="));
    lines
}

/// How many of the warnings about `ip` are about one connection or request, and how many more the
/// others count.
fn sums(warnings: Vec<String>, ip: &str) -> Result<(usize, usize)> {
    let (summaries, told): (Vec<_>, Vec<_>) = warnings
        .into_iter()
        .partition(|line| line.contains(SUMMARY));
    // On a busy machine a whole window may pass between two of them, and it begins anew.
    ensure!((5..=10).contains(&told.len()), "{told:#?}");
    ensure!((1..=10).contains(&summaries.len()), "{summaries:#?}");
    let mut untold = 0;
    for summary in &summaries {
        let count = untold_of(summary)?;
        let said = format!("{SUMMARY} {count} more connection");
        ensure!(summary.contains(&said), "{summary}");
        ensure!(
            summary.contains(&format!(" from {ip}, the last: ")),
            "{summary}"
        );
        untold += count;
    }
    Ok((told.len(), untold))
}

/// How many had no line of their own, as a program reads it.
fn untold_of(summary: &str) -> Result<usize> {
    number_behind("untold=", summary)
}

fn number_behind(name: &str, line: &str) -> Result<usize> {
    let (_, rest) = line.split_once(name).context(line.to_owned())?;
    let number = rest.split(' ').next().unwrap_or_default();
    number.parse().context(line.to_owned())
}

/// Data without a beginning.
const JUNK: Sample = Sample {
    kind: MediaKind::Data,
    timestamp: 0,
    payload: Bytes::from_static(&[0xFF]),
};
/// A chunk that begins a command of 16 MB.
const BEYOND_THE_LIMIT: [u8; 12] = [3, 0, 0, 0, 255, 255, 255, 20, 0, 0, 0, 0];
const SUMMARY: &str = "refused or cut off";
