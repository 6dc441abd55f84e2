//! Players wait, keep their place, and are told when it is over.

use std::time::{Duration, Instant};

use anyhow::Result;
use srs_rtmp::message::control::{Control, UserControl};

use crate::clients::player::{check_times_rise, parts};
use crate::clients::{Heard, Part, Peer, Sample, Show, at, serve};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_may_come_before_the_publisher() -> Result<()> {
    let server = serve("")?;
    let (mut player, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    player.play(id, "show").await?;
    assert!(
        player.ping().await?.iter().all(Heard::is_control),
        "there is nothing to see"
    );

    let show = Show::new(1);
    let _publisher = at(server.addresses()[0], "live/show")
        .show(show.beginning(1_000))
        .await?;
    let heard = player
        .hear_until("the end", carries(&show.sound(980)))
        .await?;
    let count = heard
        .iter()
        .filter(|heard| matches!(heard, Heard::Media(_)))
        .count();
    assert_eq!(count, show.beginning(1_000).count());
    assert_eq!(count, heard.len(), "the play has begun once: {heard:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_that_waited_in_vain_is_told_and_may_go_on() -> Result<()> {
    let server = serve("[vhost.\"__defaultVhost__\".play]\nwait = \"200ms\"")?;
    let (mut player, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    let start = Instant::now();
    player.play(id, "nothing").await?;
    player.end_of_play(id).await?;
    let took = start.elapsed();
    assert!((200..2_000).contains(&took.as_millis()), "after {took:?}");

    let show = Show::new(1);
    let _publisher = at(server.addresses()[0], "live/show")
        .show(show.beginning(1_000))
        .await?;
    player.play(id, "show").await?;
    player.up_to(&show.sound(980).payload).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_may_wait_a_stream_that_is_there_is_played_all_the_same() -> Result<()> {
    let server = serve("[vhost.\"__defaultVhost__\".play]\nwait = 0")?;
    let show = Show::new(1);
    let _publisher = at(server.addresses()[0], "live/show")
        .show(show.beginning(1_000))
        .await?;
    for _ in 0..20 {
        let mut player = at(server.addresses()[0], "live/show").play().await?;
        player.up_to(&show.sound(980).payload).await?;
    }
    let (mut player, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    player.request("play", id, vec!["nothing".into()]).await?;
    let refusal = player.status("NetStream.Play.StreamNotFound").await?;
    assert!(refusal.words().contains("live/nothing"), "{refusal:?}");
    assert_eq!(server.service().hub.streams().len(), 1);
    player.play(id, "show").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn players_keep_their_place_while_the_publisher_is_away() -> Result<()> {
    let server = serve("")?;
    let (mut player, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    player.play(id, "show").await?;
    let (first, second) = (Show::new(1), Show::new(2));

    let publisher = at(server.addresses()[0], "live/show")
        .show(first.beginning(2_000))
        .await?;
    let mut seen = player.up_to(&first.sound(1_980).payload).await?;
    drop(publisher);
    let dry = Heard::Control(Control::User(UserControl::StreamDry(id)));
    let heard = player
        .hear_until("word that the stream is dry", |heard| *heard == dry)
        .await?;
    assert_eq!(heard.len(), 1, "{heard:?}");

    let _publisher = at(server.addresses()[0], "live/show")
        .show(second.beginning(2_000))
        .await?;
    let begin = Heard::Control(Control::User(UserControl::StreamBegin(id)));
    let heard = player
        .hear_until("word that the stream goes on", |heard| *heard == begin)
        .await?;
    assert_eq!(heard.len(), 1, "{heard:?}");
    let again = player.up_to(&second.sound(1_980).payload).await?;

    let beginning = [
        Part::Metadata,
        Part::VideoHeader,
        Part::AudioHeader,
        Part::KeyFrame,
    ];
    assert_eq!(parts(&again)[..4], beginning);
    assert_eq!(again[1].payload, second.headers()[1].payload);
    assert_eq!(again[3].payload, second.picture(0).payload);
    seen.extend(again);
    check_times_rise(&seen, 2_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn players_whose_publisher_does_not_return_in_time_are_told() -> Result<()> {
    let settings = "[vhost.\"__defaultVhost__\".publish]\nkeep_players = \"300ms\"";
    let server = serve(settings)?;
    let (mut player, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    player.play(id, "show").await?;
    let show = Show::new(1);
    let publisher = at(server.addresses()[0], "live/show")
        .show(show.beginning(1_000))
        .await?;
    player.up_to(&show.sound(980).payload).await?;

    let start = Instant::now();
    publisher.finish().await?;
    player.end_of_play(id).await?;
    assert!(
        start.elapsed() >= Duration::from_millis(250),
        "after {:?}",
        start.elapsed()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_players_are_not_kept_they_get_all_and_then_the_end() -> Result<()> {
    let server = serve("[vhost.\"__defaultVhost__\".publish]\nkeep_players = 0")?;
    let mut player = at(server.addresses()[0], "live/show").play().await?;
    let show = Show::new(1);
    let publisher = at(server.addresses()[0], "live/show")
        .show(show.beginning(5_000))
        .await?;
    publisher.finish().await?;
    let (seen, code) = player.ended().await?;
    assert_eq!(code, "NetStream.Play.UnpublishNotify");
    assert_eq!(seen.len(), show.beginning(5_000).count());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_play_without_a_usable_name_is_refused_in_words() -> Result<()> {
    let server = serve("")?;
    let (mut player, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    for name in ["", "  ", "?key=a", "a/../b"] {
        player.request("play", id, vec![name.into()]).await?;
        let refusal = player.status("NetStream.Play.StreamNotFound").await?;
        assert!(!refusal.words().is_empty(), "{name:?}");
    }
    assert!(player.is_served().await);
    assert!(server.service().hub.streams().is_empty());
    Ok(())
}

fn carries(sample: &Sample) -> impl FnMut(&Heard) -> bool + use<> {
    let payload = sample.payload.clone();
    move |heard| matches!(heard, Heard::Media(media) if media.payload == payload)
}
