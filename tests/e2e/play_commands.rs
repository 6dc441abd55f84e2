//! What a player may say while it plays: pause, switch tracks off, and what Flash says besides.

use anyhow::{Context, Result};
use srs_amf0::Value;
use srs_rtmp::message::control::{Control, UserControl};

use crate::clients::player::{check_times_rise, parts};
use crate::clients::{Heard, Part, Peer, Show, at, serve};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_player_goes_on_where_it_stopped() -> Result<()> {
    let server = serve("")?;
    let show = Show::new(1);
    let (mut player, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    let mut witness = at(server.addresses()[0], "live/show").play().await?;
    player.play(id, "show").await?;
    let mut publisher = at(server.addresses()[0], "live/show")
        .show(show.beginning(1_000))
        .await?;
    let mut seen = player.up_to(&show.sound(980).payload).await?;

    player
        .request("pause", id, vec![true.into(), 980.0.into()])
        .await?;
    player.status("NetStream.Pause.Notify").await?;
    publisher.send(show.media(1_000..2_500)).await?;
    witness.up_to(&show.sound(2_480).payload).await?;
    assert!(
        player.ping().await?.iter().all(Heard::is_control),
        "nothing comes while it is paused"
    );

    player
        .request("pause", id, vec![false.into(), 980.0.into()])
        .await?;
    player.status("NetStream.Unpause.Notify").await?;
    seen.extend(player.up_to(&show.sound(2_480).payload).await?);
    assert_eq!(seen.len(), show.beginning(2_500).count());
    check_times_rise(&seen, 20)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_that_paused_for_too_long_goes_on_at_the_newest_key_frame() -> Result<()> {
    let server = serve("[vhost.\"__defaultVhost__\"]\nqueue_length = \"2s\"")?;
    let show = Show::new(1);
    let (mut player, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    let mut witness = at(server.addresses()[0], "live/show").play().await?;
    player.play(id, "show").await?;
    let mut publisher = at(server.addresses()[0], "live/show")
        .show(show.beginning(1_000))
        .await?;
    let mut seen = player.up_to(&show.sound(980).payload).await?;

    player
        .request("pause", id, vec![true.into(), 980.0.into()])
        .await?;
    player.status("NetStream.Pause.Notify").await?;
    for second in 1..10 {
        publisher
            .send(show.media(second * 1_000..(second + 1) * 1_000))
            .await?;
        // Otherwise the witness itself might be too slow.
        witness
            .up_to(&show.sound(second * 1_000 + 980).payload)
            .await?;
    }
    player
        .request("pause", id, vec![false.into(), 980.0.into()])
        .await?;
    player.status("NetStream.Unpause.Notify").await?;
    let rest = player.up_to(&show.sound(9_980).payload).await?;
    let first = rest.first().context("media")?;
    assert_eq!(first.payload, show.picture(9_000).payload);
    assert_eq!(first.timestamp, 9_000);
    seen.extend(rest);
    check_times_rise(&seen, 10_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_player_may_stop_and_play_anew() -> Result<()> {
    let server = serve("")?;
    let show = Show::new(1);
    let _publisher = at(server.addresses()[0], "live/show")
        .show(show.beginning(1_000))
        .await?;
    let (mut player, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    player.play(id, "show").await?;
    player
        .request("pause", id, vec![true.into(), 0.0.into()])
        .await?;
    player.status("NetStream.Pause.Notify").await?;
    player.request("closeStream", id, vec![]).await?;
    player.play(id, "show").await?;
    player.up_to(&show.sound(980).payload).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_and_picture_are_switched_off_and_on() -> Result<()> {
    let server = serve("")?;
    let show = Show::new(1);
    let (mut player, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    player.play(id, "show").await?;
    let mut publisher = at(server.addresses()[0], "live/show")
        .show(show.beginning(1_000))
        .await?;
    player.up_to(&show.sound(980).payload).await?;

    receive(&mut player, id, "receiveAudio", false).await?;
    publisher.send(show.media(1_000..2_000)).await?;
    let seen = player.up_to(&show.picture(1_960).payload).await?;
    assert_eq!(seen.len(), 25);
    assert!(!parts(&seen).contains(&Part::Sound));

    receive(&mut player, id, "receiveAudio", true).await?;
    receive(&mut player, id, "receiveVideo", false).await?;
    publisher.send(show.media(2_000..3_500)).await?;
    let seen = player.up_to(&show.sound(3_480).payload).await?;
    assert_eq!(parts(&seen), vec![Part::Sound; 75]);

    // In the middle of a group of pictures: the rest of it is of no use.
    receive(&mut player, id, "receiveVideo", true).await?;
    publisher.send(show.media(3_500..5_000)).await?;
    let seen = player.up_to(&show.sound(4_980).payload).await?;
    let first = seen
        .iter()
        .find(|media| Part::of(media) != Part::Sound)
        .context("a picture")?;
    assert_eq!(first.payload, show.picture(4_000).payload);
    assert_eq!(first.timestamp, 4_000);
    assert_eq!(seen.len(), 75 + 25);
    check_times_rise(&seen, 20)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_headers_come_even_for_what_is_switched_off() -> Result<()> {
    let server = serve("")?;
    let (first, second) = (Show::new(1), Show::new(2));
    let (mut player, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    player.play(id, "show").await?;
    let publisher = at(server.addresses()[0], "live/show")
        .show(first.beginning(1_000))
        .await?;
    player.up_to(&first.sound(980).payload).await?;
    receive(&mut player, id, "receiveVideo", false).await?;
    drop(publisher);

    let mut publisher = at(server.addresses()[0], "live/show")
        .show(second.beginning(500))
        .await?;
    let seen = player.up_to(&second.sound(480).payload).await?;
    assert_eq!(
        parts(&seen)[..3],
        [Part::Metadata, Part::VideoHeader, Part::AudioHeader]
    );
    assert!(!parts(&seen).contains(&Part::KeyFrame));
    receive(&mut player, id, "receiveVideo", true).await?;
    publisher.send(second.media(500..1_500)).await?;
    let seen = player.up_to(&second.sound(1_480).payload).await?;
    let first = seen
        .iter()
        .find(|media| Part::of(media) != Part::Sound)
        .context("a picture")?;
    assert_eq!(first.payload, second.picture(1_000).payload);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_play_of_some_duration_ends_by_itself() -> Result<()> {
    let server = serve("")?;
    let show = Show::new(1);
    let (mut player, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    player
        .request(
            "play",
            id,
            vec!["show".into(), (-2.0).into(), 1_500.0.into()],
        )
        .await?;
    player.status("NetStream.Play.Start").await?;
    let _publisher = at(server.addresses()[0], "live/show")
        .show(show.beginning(5_000))
        .await?;
    let seen = player.end_of_play(id).await?;
    assert_eq!(seen.len(), show.beginning(1_500).count());
    assert_eq!(seen.last().map(|media| media.timestamp), Some(1_480));

    // The next play on the connection has its own time.
    player.play(id, "show").await?;
    player.up_to(&show.sound(4_980).payload).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_flash_says_besides_is_accepted() -> Result<()> {
    let server = serve("")?;
    let show = Show::new(1);
    let _publisher = at(server.addresses()[0], "live/show")
        .show(show.beginning(1_000))
        .await?;
    let (mut player, id) = Peer::with_stream(server.addresses()[0], "live").await?;

    player
        .request("FCSubscribe", 0, vec!["show".into()])
        .await?;
    let answer = player.command_named("onFCSubscribe").await?;
    let code = answer
        .arguments
        .first()
        .and_then(Value::as_object)
        .and_then(|o| o.get("code"));
    assert_eq!(code.and_then(Value::as_str), Some("NetStream.Play.Start"));

    let buffer = |millis| {
        Control::User(UserControl::SetBufferLength {
            message_stream_id: id,
            millis,
        })
    };
    player.send_control(&buffer(3_000)).await?;
    player.play(id, "show").await?;
    player.send_control(&buffer(10)).await?;
    player.up_to(&show.sound(980).payload).await?;

    assert_eq!(
        player.call("getStreamLength", vec!["show".into()]).await?,
        Value::Null
    );
    player.request("seek", id, vec![1_000.0.into()]).await?;
    player.command_named("_result").await?;
    // An answer to onBWDone, and to nothing.
    for name in ["_result", "_error", "onStatus"] {
        player.request(name, 0, vec![Value::Null]).await?;
    }
    player.ping().await?;

    // NetStream.play(false) stops.
    player.request("play", id, vec![false.into()]).await?;
    player.ping().await?;
    assert_eq!(server.service().hub.streams()[0].subscribers(), 0);
    Ok(())
}

/// Switches sound or picture, and waits until the server has done so.
async fn receive(player: &mut Peer, id: u32, what: &str, wanted: bool) -> Result<()> {
    player.request(what, id, vec![wanted.into()]).await?;
    player.ping().await?;
    Ok(())
}
