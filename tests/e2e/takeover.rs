//! Who may take a stream over from whom, and what its players see of it.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use srs::Server;
use srs::control::counters::Incident;
use srs_rtmp::Media;

use crate::clients::player::check_times_rise;
use crate::clients::wire::message;
use crate::clients::{Dial, Heard, Peer, Sample, Show, at, refusal, serve, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_reject_the_second_hears_so_at_once_and_the_first_goes_on() -> Result<()> {
    let server = serve_with("takeover = \"reject\"")?;
    let dial = at(server.addresses()[0], "live/show");
    let show = Show::new(1);
    let mut first = dial.publish().await?;
    let mut player = dial.play().await?;
    first.send(show.beginning(1_000)).await?;

    let start = Instant::now();
    let (code, words) = refusal(dial.publish().await)?;
    assert_eq!(code, "NetStream.Publish.BadName");
    assert!(words.contains("published by client 100"), "{words}");
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "after {:?}",
        start.elapsed()
    );

    first.send(show.media(1_000..2_000)).await?;
    let seen = player.up_to(&show.sound(1_980).payload).await?;
    assert_eq!(seen.len(), show.beginning(2_000).count());
    assert_eq!(server.service().counters.get(Incident::PublishRefused), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_reject_a_refused_publisher_may_try_again_on_its_connection() -> Result<()> {
    let server = serve_with("takeover = \"reject\"")?;
    let address = server.addresses()[0];
    let first = at(address, "live/show").publish().await?;
    let (mut second, id) = Peer::with_stream(address, "live").await?;
    second.request("publish", id, vec!["show".into()]).await?;
    second.status("NetStream.Publish.BadName").await?;

    first.finish().await?;
    second.publish(id, "show").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_takeover_anybody_replaces_anybody_and_players_go_on() -> Result<()> {
    let server = serve_with("takeover = \"takeover\"")?;
    let address = server.addresses()[0];
    let mut player = at(address, "live/show").play().await?;
    let mut heard = Vec::new();
    let mut last: Option<crate::clients::Publisher> = None;
    for number in 1..=5 {
        let show = Show::new(number);
        let path = format!("live/show?key={number}");
        let from = Ipv4Addr::new(127, 0, 0, u8::try_from(number)?);
        let mut publisher = at(address, &path).from(from).publish().await?;
        if let Some(mut replaced) = last.take() {
            let words = replaced.ended().await?;
            assert!(words.contains("replaced by another publisher"), "{words}");
        }
        publisher.send(show.beginning(1_500)).await?;
        heard.extend(player.up_to(&show.sound(1_480).payload).await?);
        last = Some(publisher);
    }

    let sent: Vec<Sample> = (1..=5)
        .flat_map(|number| Show::new(number).beginning(1_500))
        .collect();
    check_same_payloads(&heard, &sent);
    // The step to the next publisher is as long as it took to come, which was not long.
    check_times_rise(&heard, 2_000)?;
    assert_eq!(
        server.service().counters.get(Incident::PublisherReplaced),
        4
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_takeover_same_only_the_same_encoder_replaces_itself() -> Result<()> {
    let server = serve_with("takeover = \"takeover-same\"\ndead_after = \"10m\"")?;
    let address = server.addresses()[0];
    let here = Ipv4Addr::new(127, 0, 0, 1);
    let elsewhere = Ipv4Addr::new(127, 0, 0, 2);
    for (number, (what, first, from, second, replaces)) in [
        ("the same address, no parameters", "", here, "", true),
        ("another address, no parameters", "", elsewhere, "", false),
        ("the same parameters", "?key=a", here, "?key=a", true),
        (
            "the same parameters from elsewhere",
            "?key=a",
            elsewhere,
            "?key=a",
            true,
        ),
        ("another key", "?key=a", here, "?key=b", false),
        (
            "another key from elsewhere",
            "?key=a",
            elsewhere,
            "?key=b",
            false,
        ),
        ("no key where one was", "?key=a", here, "", false),
        ("a key where none was", "", here, "?key=a", false),
    ]
    .into_iter()
    .enumerate()
    {
        let dial = |params: &str, from: Ipv4Addr| -> Dial {
            at(address, &format!("live/{number}{params}")).from(from)
        };
        let show = Show::new(1);
        let mut incumbent = dial(first, here).publish().await?;
        incumbent.send(show.beginning(1_000)).await?;
        let newcomer = dial(second, from).publish().await;
        if replaces {
            let _newcomer = newcomer?;
            assert!(incumbent.ended().await?.contains("replaced"), "{what}");
        } else {
            assert_eq!(refusal(newcomer)?.0, "NetStream.Publish.BadName", "{what}");
            // It is still the one that is heard.
            let mut player = dial("", here).play().await?;
            incumbent.send(show.media(1_000..1_100)).await?;
            player.up_to(&show.sound(1_080).payload).await?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_in_the_app_counts_like_one_in_the_stream() -> Result<()> {
    let server = serve_with("takeover = \"takeover-same\"\ndead_after = \"10m\"")?;
    let address = server.addresses()[0];
    let mut incumbent = Peer::connect(address, "live?key=a").await?;
    let id = incumbent.create_stream().await?;
    incumbent.publish(id, "show").await?;

    let refused = at(address, "live/show?key=b").publish().await;
    assert_eq!(refusal(refused)?.0, "NetStream.Publish.BadName");
    let _publisher = at(address, "live/show?key=a").publish().await?;
    incumbent.closed().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_reject_a_publisher_that_fell_silent_makes_way_for_itself() -> Result<()> {
    let server = serve_with("takeover = \"reject\"\ndead_after = \"800ms\"\ntimeout = \"10m\"")?;
    let address = server.addresses()[0];
    let show = Show::new(1);
    let mut silent = at(address, "live/show?key=a").publish().await?;
    silent.send(show.beginning(1_000)).await?;
    let mut player = at(address, "live/show").play().await?;
    player.up_to(&show.sound(980).payload).await?;

    let again = at(address, "live/show?key=a").from([127, 0, 0, 2]);
    let (mut publisher, took) = again.publish_within(Duration::from_secs(3)).await?;
    assert!(took > Duration::from_millis(100), "after {took:?} already");
    let words = silent.ended().await?;
    assert!(words.contains("replaced"), "{words}");

    let next = Show::new(2);
    publisher.send(next.beginning(1_000)).await?;
    player.up_to(&next.sound(980).payload).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_that_fell_silent_makes_way_for_nobody_else_until_its_time_is_over()
-> Result<()> {
    for takeover in ["reject", "takeover-same"] {
        let settings =
            format!("takeover = \"{takeover}\"\ndead_after = \"100ms\"\ntimeout = \"700ms\"");
        let server = serve_with(&settings)?;
        let address = server.addresses()[0];
        let mut silent = at(address, "live/show?key=a").publish().await?;
        silent.send(Show::new(1).beginning(1_000)).await?;

        let stranger = at(address, "live/show?key=b");
        let (_publisher, took) = stranger.publish_within(Duration::from_secs(2)).await?;
        assert!(
            took > Duration::from_millis(400),
            "{takeover}: after {took:?} already"
        );
        let words = silent.ended().await?;
        assert!(words.contains("timeout"), "{takeover}: {words}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_that_sends_is_not_taken_for_silent() -> Result<()> {
    let server = serve_with("takeover = \"reject\"\ndead_after = \"500ms\"")?;
    let dial = at(server.addresses()[0], "live/show");
    let show = Show::new(1);
    let mut publisher = dial.publish().await?;
    publisher.send(show.headers()).await?;
    let start = Instant::now();
    let mut time = 0;
    while start.elapsed() < Duration::from_secs(1) {
        publisher.send(show.media(time..time + 40)).await?;
        time += 40;
        assert_eq!(
            refusal(dial.publish().await)?.0,
            "NetStream.Publish.BadName"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_in_the_middle_of_a_long_picture_is_not_taken_for_silent() -> Result<()> {
    let server = serve_with("takeover = \"reject\"\ndead_after = \"500ms\"")?;
    let address = server.addresses()[0];
    let (mut encoder, id) = Peer::with_stream(address, "live").await?;
    encoder.publish(id, "show").await?;
    let picture = encoder.encode(&message(id, Show::new(1).picture(0)));
    let start = Instant::now();
    for byte in picture.chunks(1) {
        encoder.send_bytes(byte).await?;
        assert!(refusal(at(address, "live/show").publish().await).is_ok());
        if start.elapsed() > Duration::from_secs(1) {
            return Ok(());
        }
    }
    bail!("the picture was too short for this machine")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_notices_a_takeover_by_new_headers_alone() -> Result<()> {
    let server = serve_with("takeover = \"takeover\"")?;
    let address = server.addresses()[0];
    let (mut player, id) = Peer::with_stream(address, "live").await?;
    player.play(id, "show").await?;
    player.ping().await?;
    let (first, second) = (Show::new(1), Show::new(2));
    let mut publisher = at(address, "live/show").publish().await?;
    publisher.send(first.beginning(2_000)).await?;
    let mut seen = player.up_to(&first.sound(1_980).payload).await?;

    let mut publisher = at(address, "live/show").publish().await?;
    publisher.send(second.beginning(2_000)).await?;
    let last = second.sound(1_980).payload;
    let is_last = |heard: &Heard| matches!(heard, Heard::Media(media) if media.payload == last);
    let heard = player
        .hear_until("the end of the second show", is_last)
        .await?;

    let other: Vec<&Heard> = heard
        .iter()
        .filter(|heard| !matches!(heard, Heard::Media(_)))
        .collect();
    assert!(other.is_empty(), "no end, no pause: {other:?}");
    seen.extend(heard.into_iter().filter_map(Heard::media));
    let sent: Vec<Sample> = first
        .beginning(2_000)
        .chain(second.beginning(2_000))
        .collect();
    check_same_payloads(&seen, &sent);
    check_times_rise(&seen, 2_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_replaced_one_is_disconnected_even_if_it_goes_on_sending() -> Result<()> {
    let server = serve_with("takeover = \"takeover\"")?;
    let address = server.addresses()[0];
    let show = Show::new(1);
    let mut replaced = at(address, "live/show").publish().await?;
    replaced.send(show.beginning(1_000)).await?;
    let mut publisher = at(address, "live/show").publish().await?;
    let mut player = at(address, "live/show").play().await?;

    let mut time = 1_000;
    while replaced.send(show.media(time..time + 1_000)).await.is_ok() {
        time += 1_000;
    }
    until("one client fewer", || server.service().clients.len() == 2)?;
    let next = Show::new(2);
    publisher.send(next.beginning(1_000)).await?;
    let seen = player.up_to(&next.sound(980).payload).await?;
    let sent: Vec<Sample> = next.beginning(1_000).collect();
    check_same_payloads(&seen, &sent);
    Ok(())
}

/// A server with these lines for publishers.
fn serve_with(publish: &str) -> Result<Server> {
    serve(&format!("[vhost.\"__defaultVhost__\".publish]\n{publish}"))
}

/// Metadata aside, into which the server writes its name.
fn check_same_payloads(seen: &[Media], sent: &[Sample]) {
    assert_eq!(seen.len(), sent.len());
    for (index, (seen, sent)) in seen.iter().zip(sent).enumerate() {
        assert_eq!(seen.kind, sent.kind, "message {index}");
        if sent.kind != srs_rtmp::MediaKind::Data {
            assert_eq!(seen.payload, sent.payload, "message {index}");
        }
    }
}
