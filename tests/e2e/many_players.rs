//! What players get: all the same, from a place where a decoder can begin.

use std::time::Duration;

use anyhow::{Context, Result};
use srs_rtmp::Media;
use tokio::task::JoinSet;

use crate::clients::player::{check_times_rise, parts};
use crate::clients::{Part, Sample, Show, at, serve};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_players_see_the_same_bytes_in_the_same_order() -> Result<()> {
    for merge in ["auto", "0s", "40ms", "350ms"] {
        let seen = a_hundred_players(merge).await;
        seen.with_context(|| format!("merge = {merge:?}"))?;
    }
    Ok(())
}

async fn a_hundred_players(merge: &str) -> Result<()> {
    // Nobody has to jump, however slow this machine is.
    let server = serve(&format!(
        "[vhost.\"__defaultVhost__\"]\nqueue_length = \"10m\"\nplay.merge = \"{merge}\""
    ))?;
    let dial = at(server.addresses()[0], "live/show");
    let show = Show::new(1);
    let sent: Vec<Sample> = show.beginning(20_000).collect();
    let last = sent.last().context("a show")?.payload.clone();

    let mut publisher = dial.publish().await?;
    let mut players = JoinSet::new();
    let mut left = &sent[..];
    for tenth in 0..10 {
        let (now, later) = left.split_at(sent.len() / 10);
        publisher.send(now.iter().cloned()).await?;
        left = later;
        for _ in 0..10 {
            let mut player = dial.play().await?;
            let last = last.clone();
            players.spawn(async move {
                let seen = player.up_to(&last).await;
                seen.with_context(|| format!("a player that came after {tenth} tenths"))
            });
        }
    }
    publisher.send(left.iter().cloned()).await?;

    let mut starts = Vec::new();
    while let Some(seen) = players.join_next().await {
        starts.push(check_is_run_of(&seen??, &sent)?);
    }
    assert_eq!(starts.len(), 100);
    starts.sort_unstable();
    starts.dedup();
    assert!(starts.len() > 5, "they began at {starts:?}");
    Ok(())
}

/// Checks that `seen` is `sent` from some key frame on, behind the headers; gives its time.
fn check_is_run_of(seen: &[Media], sent: &[Sample]) -> Result<u32> {
    let begin = seen
        .iter()
        .position(|media| !Part::of(media).is_header())
        .context("no media")?;
    let first = &seen[begin];
    assert_eq!(Part::of(first), Part::KeyFrame);
    let same = |sample: &Sample| sample.payload == first.payload;
    let from = sent
        .iter()
        .position(same)
        .context("a key frame that was never sent")?;
    let (seen, sent) = (&seen[begin..], &sent[from..]);
    assert_eq!(seen.len(), sent.len(), "from {} ms on", sent[0].timestamp);
    for (seen, sample) in seen.iter().zip(sent) {
        assert_eq!(seen.kind, sample.kind, "at {} ms", sample.timestamp);
        assert_eq!(seen.payload, sample.payload, "at {} ms", sample.timestamp);
        assert_eq!(seen.timestamp, sample.timestamp - sent[0].timestamp);
    }
    Ok(sent[0].timestamp)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_joiner_gets_metadata_and_headers_then_a_key_frame_at_time_zero() -> Result<()> {
    let server = serve("")?;
    let dial = at(server.addresses()[0], "live/show");
    let show = Show::new(1);
    let mut publisher = dial.publish().await?;
    let mut witness = dial.play().await?;
    publisher.send(show.beginning(7_300)).await?;
    witness.up_to(&show.sound(7_280).payload).await?;

    let mut player = dial.play().await?;
    let seen = player.up_to(&show.sound(7_280).payload).await?;

    let beginning = [
        Part::Metadata,
        Part::VideoHeader,
        Part::AudioHeader,
        Part::KeyFrame,
    ];
    assert_eq!(parts(&seen)[..4], beginning);
    assert_eq!(seen[1].payload, show.headers()[1].payload);
    assert_eq!(seen[2].payload, show.headers()[2].payload);
    assert_eq!(seen[3].payload, show.picture(7_000).payload);
    assert_eq!(seen[..4].iter().map(|media| media.timestamp).max(), Some(0));
    assert_eq!(seen.len(), 3 + show.media(7_000..7_300).count());
    check_times_rise(&seen, 20)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_joiner_of_sound_alone_hears_it_at_once() -> Result<()> {
    let server = serve("")?;
    let dial = at(server.addresses()[0], "live/radio");
    let show = Show::sound_only(1);
    let mut publisher = dial.publish().await?;
    let mut witness = dial.play().await?;
    publisher.send(show.beginning(5_500)).await?;
    witness.up_to(&show.sound(5_480).payload).await?;

    // Nothing is sent any more: what the player gets was kept for it.
    let mut player = dial.play().await?;
    let seen = player.up_to(&show.sound(5_480).payload).await?;

    assert_eq!(
        parts(&seen)[..3],
        [Part::Metadata, Part::AudioHeader, Part::Sound]
    );
    assert!(
        seen.len() <= 2 + 50,
        "a second at most was kept, not {} messages",
        seen.len()
    );
    assert_eq!(seen[2].timestamp, 0);
    check_times_rise(&seen, 20)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_joiner_of_a_picture_alone_begins_at_a_key_frame() -> Result<()> {
    let server = serve("")?;
    let dial = at(server.addresses()[0], "live/camera");
    let show = Show::picture_only(1);
    let mut publisher = dial.publish().await?;
    let mut witness = dial.play().await?;
    publisher.send(show.beginning(5_500)).await?;
    witness.up_to(&show.picture(5_480).payload).await?;

    let mut player = dial.play().await?;
    let seen = player.up_to(&show.picture(5_480).payload).await?;

    assert_eq!(
        parts(&seen)[..3],
        [Part::Metadata, Part::VideoHeader, Part::KeyFrame]
    );
    assert_eq!(seen.len(), 2 + show.media(5_000..5_500).count());
    check_times_rise(&seen, 40)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn players_that_wait_lose_nothing_of_the_beginning() -> Result<()> {
    let server = serve("")?;
    let dial = at(server.addresses()[0], "live/show");
    let show = Show::new(1);
    let mut players = Vec::new();
    for _ in 0..20 {
        players.push(dial.play().await?);
    }
    let mut publisher = dial.publish().await?;
    publisher.send(show.beginning(3_000)).await?;

    for player in &mut players {
        let seen = player.up_to(&show.sound(2_980).payload).await?;
        assert_eq!(seen.len(), show.beginning(3_000).count());
        let sent = show
            .beginning(3_000)
            .skip(1)
            .map(|sample| (sample.timestamp, sample.payload));
        let seen = seen
            .into_iter()
            .skip(1)
            .map(|media| (media.timestamp, media.payload));
        assert!(seen.eq(sent));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_players_survive_a_publisher_that_dies_and_returns() -> Result<()> {
    for takeover in ["reject", "takeover-same", "takeover"] {
        let publish = format!("[vhost.\"__defaultVhost__\".publish]\ntakeover = \"{takeover}\"");
        let server = serve(&publish)?;
        let dial = at(server.addresses()[0], "live/show");
        let mut players = Vec::new();
        for _ in 0..50 {
            players.push(dial.play().await?);
        }
        for number in 1..=3 {
            let show = Show::new(number);
            let (mut publisher, _) = dial.publish_within(Duration::from_secs(2)).await?;
            publisher.send(show.beginning(1_500)).await?;
            for player in &mut players {
                let seen = player.up_to(&show.sound(1_480).payload).await?;
                assert_eq!(seen.len(), show.beginning(1_500).count(), "{takeover}");
            }
            publisher.reset()?;
        }
        assert_eq!(
            server.service().clients.players().1.dropped,
            0,
            "{takeover}"
        );
    }
    Ok(())
}
