//! Players that are served together: each gets the same as if it were served alone.

use anyhow::{Context, Result};
use srs_rtmp::Media;
use testkit::{SOON, clips, ffmpeg};
use tokio::task::JoinSet;

use crate::clients::{Dial, Heard, Part, Peer, Sample, Show, at, serve, until};
use crate::{build_srs, demo_packets, seconds};

/// `[vhost.….play]` with this in it.
fn play(settings: &str) -> String {
    format!("[vhost.\"__defaultVhost__\"]\nqueue_length = \"10m\"\n{settings}")
}

/// Publishes `sent` in parts, and adds players before each of them. Gives what each player saw.
async fn watch(dial: &Dial, sent: &[Sample], players: usize) -> Result<Vec<Vec<Media>>> {
    const PARTS: usize = 5;
    let last = sent.last().context("a show")?.payload.clone();
    let mut publisher = dial.publish().await?;
    let mut watching = JoinSet::new();
    for part in sent.chunks(sent.len().div_ceil(PARTS)) {
        publisher.send(part.iter().cloned()).await?;
        for _ in 0..players / PARTS {
            let mut player = dial.play().await?;
            let last = last.clone();
            watching.spawn(async move { player.up_to(&last).await });
        }
    }
    let mut seen = Vec::new();
    while let Some(player) = watching.join_next().await {
        seen.push(player??);
    }
    Ok(seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timestamps_of_days_reach_every_player_through_small_chunks() -> Result<()> {
    for merge in ["0s", "30ms"] {
        let settings = format!(
            "chunk_size = 128\ntime_jitter = \"off\"\n\
             [vhost.\"__defaultVhost__\".play]\nmerge = \"{merge}\""
        );
        let server = serve(&play(&settings))?;
        let dial = at(server.addresses()[0], "live/show");
        // From here on timestamps need four bytes more.
        let extended = 0xFF_FFFF;
        let begin = extended - 4_000;
        let show = Show::new(1);
        let sent: Vec<Sample> = show
            .beginning(8_000)
            .map(|sample| sample.later_by(begin))
            .collect();

        for seen in watch(&dial, &sent, 20).await? {
            let begin = seen
                .iter()
                .position(|media| !Part::of(media).is_header())
                .context("no media")?;
            let from = sent
                .iter()
                .position(|sample| sample.payload == seen[begin].payload)
                .context("a packet that was never sent")?;
            assert_eq!(seen.len() - begin, sent.len() - from, "merge = {merge}");
            for (media, sample) in seen[begin..].iter().zip(&sent[from..]) {
                assert_eq!(media.payload, sample.payload, "at {}", sample.timestamp);
                assert_eq!(media.timestamp, sample.timestamp, "merge = {merge}");
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_is_answered_between_two_merged_writes() -> Result<()> {
    let server = serve(&play("[vhost.\"__defaultVhost__\".play]\nmerge = \"20ms\""))?;
    let show = Show::new(1);
    let dial = at(server.addresses()[0], "live/show");
    let mut publisher = dial.show(show.beginning(1_000)).await?;
    let (mut player, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    player.play(id, "show").await?;

    let mut seen = Vec::new();
    for step in 50..150 {
        publisher
            .send(show.media(step * 20..(step + 1) * 20))
            .await?;
        // The answer comes behind whole messages, or the player would not understand it.
        let heard = player.ping().await?;
        seen.extend(heard.into_iter().filter_map(Heard::media));
    }
    let last = show.sound(2_980).payload;
    if seen.last().is_none_or(|media| media.payload != last) {
        seen.extend(player.up_to(&last).await?);
    }
    let sounds: Vec<u32> = seen
        .iter()
        .filter(|media| Part::of(media) == Part::Sound)
        .map(|media| media.timestamp)
        .collect();
    let expected: Vec<u32> = (0..sounds.len())
        .map(|index| u32::try_from(index * 20))
        .collect::<Result<_, _>>()?;
    assert_eq!(sounds, expected, "all of it, and once");
    assert!(sounds.len() >= 100);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_players_get_together_is_counted_for_each() -> Result<()> {
    let server = serve("")?;
    let show = Show::new(1);
    let dial = at(server.addresses()[0], "live/show");
    let mut publisher = dial.show(show.beginning(1_000)).await?;
    let mut players = Vec::new();
    for _ in 0..10 {
        players.push(dial.play().await?);
    }
    let service = server.service();
    until("all players to be served together", || {
        service.fan_out.seated() == 10
    })?;
    publisher.send(show.media(1_000..4_000)).await?;
    let mut received = 0;
    for player in &mut players {
        player.up_to(&show.sound(3_980).payload).await?;
        received += player.received();
    }
    drop(players);
    until("the players to have left", || {
        service.clients.players().0 == 0
    })?;
    let (_, total) = service.clients.players();
    // The handshake came before they were players.
    let handshakes = 10 * 3_073;
    assert!(total.bytes_out <= received);
    assert!(total.bytes_out + handshakes + 10 * 2_000 >= received);
    assert_eq!(
        total.packets(),
        10 * u64::try_from(show.beginning(4_000).count())?
    );
    assert_eq!(service.fan_out.seated(), 0);
    Ok(())
}

#[test]
fn ffmpeg_plays_merged_writes_without_a_gap() -> Result<()> {
    let srs = build_srs()
        .settings("[vhost.__defaultVhost__.play]\nmerge = \"350ms\"\nsend_buffer = \"64KB\"\n")
        .start()?;
    let url = srs.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;
    let _publisher = ffmpeg::publish(clips::demo(), &url)
        .realtime()
        .start_live()?;
    let mut player = ffmpeg::record(&url, folder.path().join("seen.flv"))
        .duration(seconds(4))
        .start_playing()?;
    let seen = player.finish(SOON)?;
    let run = seen.run_of(&demo_packets()?)?;
    assert!(run.video.len() >= 90, "{run:?}");
    ffmpeg::decode(player.file())
}
