//! Several streams on one connection, one after another or at once.

use anyhow::Result;
use srs_rtmp::Media;

use crate::clients::player::check_times_rise;
use crate::clients::{Heard, Peer, Show, at, serve};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_plays_one_stream_after_another() -> Result<()> {
    let server = serve("")?;
    let (first, second) = (Show::new(1), Show::new(2));
    let mut one = at(server.addresses()[0], "live/one")
        .show(first.beginning(1_000))
        .await?;
    let _two = at(server.addresses()[0], "live/two")
        .show(second.beginning(1_000))
        .await?;
    let (mut player, id) = Peer::with_stream(server.addresses()[0], "live").await?;

    player.play(id, "one").await?;
    player.up_to(&first.sound(980).payload).await?;
    player.request("closeStream", id, vec![]).await?;
    player.ping().await?;
    one.send(first.media(1_000..2_000)).await?;
    let mut witness = at(server.addresses()[0], "live/one").play().await?;
    witness.up_to(&first.sound(1_980).payload).await?;

    player.play(id, "two").await?;
    let seen = player.up_to(&second.sound(980).payload).await?;
    assert_eq!(
        seen.len(),
        second.beginning(1_000).count(),
        "nothing of the first"
    );
    assert_eq!(seen[0].timestamp, 0);

    // The same on a new message stream, as players do that delete the old one.
    player
        .request("deleteStream", 0, vec![f64::from(id).into()])
        .await?;
    let id = player.create_stream().await?;
    player.play(id, "one").await?;
    let seen = player.up_to(&first.sound(1_980).payload).await?;
    assert!(seen.iter().all(|media| media.message_stream_id == id));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_play_replaces_what_its_message_stream_played() -> Result<()> {
    let server = serve("")?;
    let (first, second) = (Show::new(1), Show::new(2));
    let mut one = at(server.addresses()[0], "live/one")
        .show(first.beginning(1_000))
        .await?;
    let mut two = at(server.addresses()[0], "live/two")
        .show(second.beginning(1_000))
        .await?;
    let (mut player, id) = Peer::with_stream(server.addresses()[0], "live").await?;

    for reset in [true, false] {
        player.play(id, "one").await?;
        player.up_to(&first.sound(980).payload).await?;
        let arguments = vec!["two".into(), (-2.0).into(), (-1.0).into(), reset.into()];
        player.request("play", id, arguments).await?;
        let start = |heard: &Heard| heard.status() == Some("NetStream.Play.Start");
        let heard = player.hear_until("the start of the second", start).await?;
        let says_reset = heard
            .iter()
            .any(|h| h.status() == Some("NetStream.Play.Reset"));
        assert_eq!(says_reset, reset);
        player.up_to(&second.sound(980).payload).await?;
    }
    one.send(first.media(1_000..2_000)).await?;
    let mut witness = at(server.addresses()[0], "live/one").play().await?;
    witness.up_to(&first.sound(1_980).payload).await?;
    two.send(second.media(1_000..2_000)).await?;
    let seen = player.up_to(&second.sound(1_980).payload).await?;
    assert_eq!(
        seen.len(),
        second.media(1_000..2_000).count(),
        "nothing of the first"
    );
    assert_eq!(server.service().hub.streams().len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_plays_two_streams_at_once() -> Result<()> {
    let server = serve("")?;
    let (first, second) = (Show::new(1), Show::new(2));
    let (mut player, one) = Peer::with_stream(server.addresses()[0], "live").await?;
    let two = player.create_stream().await?;
    assert_ne!(one, two);
    player.play(one, "one").await?;
    player.play(two, "two").await?;

    let mut publishers = [
        at(server.addresses()[0], "live/one")
            .show(first.headers())
            .await?,
        at(server.addresses()[0], "live/two")
            .show(second.headers())
            .await?,
    ];
    for second_of_media in 0..5 {
        let (from, to) = (second_of_media * 1_000, (second_of_media + 1) * 1_000);
        publishers[0].send(first.media(from..to)).await?;
        publishers[1].send(second.media(from..to)).await?;
    }
    let (mut seen, mut ends) = (Vec::new(), 0);
    while ends < 2 {
        let media = player.media().await?;
        let is_end = [&first, &second]
            .iter()
            .any(|show| show.sound(4_980).payload == media.payload);
        ends += u32::from(is_end);
        seen.push(media);
    }
    for (id, show) in [(one, first), (two, second)] {
        let of_stream: Vec<Media> = seen
            .iter()
            .filter(|media| media.message_stream_id == id)
            .cloned()
            .collect();
        assert_eq!(of_stream.len(), show.beginning(5_000).count());
        check_times_rise(&of_stream, 20)?;
        let same = of_stream.iter().zip(show.beginning(5_000)).skip(1);
        assert!(
            same.into_iter()
                .all(|(media, sample)| media.payload == sample.payload)
        );
    }

    // One ends, the other goes on.
    player.request("closeStream", one, vec![]).await?;
    player.ping().await?;
    publishers[0].send(first.media(5_000..5_500)).await?;
    publishers[1].send(second.media(5_000..5_500)).await?;
    let seen = player.up_to(&second.sound(5_480).payload).await?;
    assert!(seen.iter().all(|media| media.message_stream_id == two));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_chat_each_connection_publishes_and_plays() -> Result<()> {
    let server = serve("")?;
    let mut guests = Vec::new();
    for name in ["anna", "bert"] {
        let (mut guest, out) = Peer::with_stream(server.addresses()[0], "chat").await?;
        let back = guest.create_stream().await?;
        guest.publish(out, name).await?;
        guests.push((guest, out, back));
    }
    let [anna, bert] = &mut guests[..] else {
        unreachable!("two guests")
    };
    anna.0.play(anna.2, "bert").await?;
    bert.0.play(bert.2, "anna").await?;

    let shows = [Show::new(1), Show::new(2)];
    for turn in 0..10 {
        let (from, to) = (turn * 200, (turn + 1) * 200);
        for (guest, show, other) in [(0, 0, 1), (1, 1, 0)] {
            let (peer, out, _) = &mut guests[guest];
            if turn == 0 {
                peer.send_media(*out, shows[show].headers()).await?;
            }
            peer.send_media(*out, shows[show].media(from..to)).await?;
            let (peer, _, back) = &mut guests[other];
            let seen = peer.up_to(&shows[show].sound(to - 20).payload).await?;
            assert!(seen.iter().all(|media| media.message_stream_id == *back));
        }
    }

    // Who stops speaking still hears.
    let (anna, out, _) = &mut guests[0];
    anna.request("closeStream", *out, vec![]).await?;
    anna.ping().await?;
    let (bert, out, _) = &mut guests[1];
    bert.send_media(*out, shows[1].media(2_000..2_200)).await?;
    let (anna, ..) = &mut guests[0];
    anna.up_to(&shows[1].sound(2_180).payload).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_may_watch_oneself() -> Result<()> {
    let server = serve("")?;
    let show = Show::new(1);
    let (mut peer, out) = Peer::with_stream(server.addresses()[0], "live").await?;
    let back = peer.create_stream().await?;
    peer.publish(out, "mirror").await?;
    peer.play(back, "mirror").await?;
    peer.send_media(out, show.beginning(2_000)).await?;
    let seen = peer.up_to(&show.sound(1_980).payload).await?;
    assert_eq!(seen.len(), show.beginning(2_000).count());
    drop(peer);
    crate::clients::until("no streams", || server.service().hub.streams().is_empty())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_play_without_a_message_stream_is_served() -> Result<()> {
    let server = serve("")?;
    let show = Show::new(1);
    let _publisher = at(server.addresses()[0], "live/show")
        .show(show.beginning(1_000))
        .await?;
    for id in [0, 1] {
        let mut player = Peer::connect(server.addresses()[0], "live").await?;
        player.play(id, "show").await?;
        let seen = player.up_to(&show.sound(980).payload).await?;
        assert!(seen.iter().all(|media| media.message_stream_id == id));
    }
    Ok(())
}
