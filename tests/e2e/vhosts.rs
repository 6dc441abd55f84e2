//! Which vhost a client gets, and what the vhost's settings do to it.

use anyhow::{Context, Result};
use srs::Server;
use srs::control::counters::Incident;
use srs_rtmp::{Media, MediaKind};

use crate::clients::player::{check_times_rise, parts};
use crate::clients::wire::connect_object;
use crate::clients::{Heard, Part, Peer, Sample, Show, at, refusal, serve};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vhost_is_named_in_many_ways() -> Result<()> {
    let server = serve("[vhost.\"one.test\"]\n[vhost.\"two.test\"]")?;
    let ours = "__defaultVhost__";
    for (tc_url, stream, vhost) in [
        ("rtmp://one.test/live", "show", "one.test"),
        ("rtmp://ONE.test./live", "show", "one.test"),
        ("rtmp://one.test:1935/live", "show", "one.test"),
        ("rtmp://elsewhere.test/live", "show", ours),
        ("rtmp://192.0.2.1/live", "show", ours),
        ("rtmp://[2001:db8::1]/live", "show", ours),
        ("rtmp://__defaultVhost__/live", "show", ours),
        (
            "rtmp://elsewhere.test/live?vhost=two.test",
            "show",
            "two.test",
        ),
        (
            "rtmp://one.test/live?vhost=two.test&key=x",
            "show",
            "two.test",
        ),
        (
            "rtmp://one.test/live?key=x&vhost=two.test",
            "show",
            "two.test",
        ),
        (
            "rtmp://one.test/live?key=x,vhost=two.test",
            "show",
            "two.test",
        ),
        (
            "rtmp://one.test/live...vhost...two.test",
            "show",
            "two.test",
        ),
        ("rtmp://one.test/live?vhost=unknown.test", "show", ours),
        (
            "rtmp://elsewhere.test/live",
            "show?vhost=two.test",
            "two.test",
        ),
        (
            "rtmp://elsewhere.test/live",
            "show?key=x&vhost=two.test",
            "two.test",
        ),
        // What was let in to one vhost stays there.
        (
            "rtmp://elsewhere.test/live?vhost=one.test",
            "show?vhost=two.test",
            "one.test",
        ),
    ] {
        let case = format!("{tc_url} {stream}");
        let mut peer = Peer::dial(server.addresses()[0]).await?;
        peer.shake_hands().await?;
        peer.connect_to(tc_url)
            .await
            .with_context(|| case.clone())?;
        peer.publish(0, stream)
            .await
            .with_context(|| case.clone())?;
        let streams = server.service().hub.streams();
        assert_eq!(streams.len(), 1, "{case}");
        assert_eq!(
            streams[0].name().to_string(),
            format!("{vhost}/live/show"),
            "{case}"
        );
        peer.request("closeStream", 0, vec![]).await?;
        peer.ping().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_hosts_share_their_streams_and_vhosts_do_not() -> Result<()> {
    let server = serve("[vhost.\"own.test\"]")?;
    let dial = |host: &str| at(server.addresses()[0], "live/show").host(host);
    let (ours, own) = (Show::new(1), Show::new(2));
    let mut first = dial("a.test").publish().await?;
    first.send(ours.beginning(500)).await?;
    let mut second = dial("own.test").publish().await?;
    second.send(own.beginning(500)).await?;

    for (host, show) in [("b.test", ours), ("own.test", own)] {
        let seen = dial(host)
            .play()
            .await?
            .up_to(&show.sound(480).payload)
            .await?;
        assert_eq!(seen.len(), show.beginning(500).count(), "{host}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vhost_that_is_switched_off_refuses_in_words() -> Result<()> {
    let server = serve("[vhost.\"off.test\"]\nenabled = false")?;
    let address = server.addresses()[0];
    let counters = &server.service().counters;

    let (code, words) = refusal(at(address, "live/show").host("off.test").publish().await)?;
    assert_eq!(code, "NetConnection.Connect.InvalidApp");
    assert!(
        words.contains("off.test") && words.contains("not enabled"),
        "{words}"
    );
    let refused = at(address, "live?vhost=off.test/show").play().await;
    assert_eq!(refusal(refused)?.0, "NetConnection.Connect.InvalidApp");
    assert_eq!(counters.get(Incident::ConnectRefused), 2);

    let (code, words) = refusal(at(address, "live/show?vhost=off.test").publish().await)?;
    assert_eq!(code, "NetStream.Publish.BadName");
    assert!(words.contains("off.test"), "{words}");
    let (code, words) = refusal(at(address, "live/show?vhost=off.test").play().await)?;
    assert_eq!(code, "NetStream.Play.StreamNotFound");
    assert!(words.contains("off.test"), "{words}");
    assert_eq!(counters.get(Incident::PublishRefused), 1);
    assert_eq!(counters.get(Incident::PlayRefused), 1);

    at(address, "live/show").publish().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_default_vhost_that_is_switched_off_leaves_only_the_named_ones() -> Result<()> {
    let settings = "[vhost.\"__defaultVhost__\"]\nenabled = false\n[vhost.\"own.test\"]";
    let server = serve(settings)?;
    let address = server.addresses()[0];
    refusal(at(address, "live/show").publish().await)?;
    at(address, "live/show").host("own.test").publish().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_makes_no_sense_is_refused_in_words() -> Result<()> {
    let server = serve("")?;
    for tc_url in [
        "",
        "live",
        "rtmp://",
        "rtmp:///live",
        "rtmp://host",
        "rtmp://host:0/live",
    ] {
        let mut peer = Peer::dial(server.addresses()[0]).await?;
        peer.shake_hands().await?;
        let mut object = connect_object(tc_url);
        object.remove("app");
        let connect = srs_rtmp::message::command::Command {
            name: "connect".into(),
            transaction_id: 1.0,
            object: object.into(),
            arguments: vec![],
        };
        peer.send_command(&connect, 0).await?;
        let heard = peer.closed().await?;
        let words = heard
            .iter()
            .map(Heard::words)
            .find(|words| !words.is_empty());
        assert!(words.is_some(), "{tc_url:?}: {heard:?}");
    }
    assert_eq!(server.service().counters.get(Incident::ConnectRefused), 6);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_looked_at_when_one_connects_publishes_or_plays() -> Result<()> {
    let server = serve(
        r#"
        [vhost."all.test".refer]
        enabled = true
        all = ["example.com"]
        [vhost."publish.test".refer]
        enabled = true
        publish = ["example.com"]
        [vhost."play.test".refer]
        enabled = true
        play = ["example.com", "example.net"]
        [vhost."off.test".refer]
        enabled = false
        all = ["example.com"]
        "#,
    )?;
    let (good, bad) = ("http://www.example.com/player.html", "http://example.org/");
    for (host, page, publish, play) in [
        ("all.test", good, None, None),
        (
            "all.test",
            bad,
            Some("NetConnection.Connect"),
            Some("NetConnection.Connect"),
        ),
        (
            "all.test",
            "",
            Some("NetConnection.Connect"),
            Some("NetConnection.Connect"),
        ),
        ("publish.test", good, None, None),
        ("publish.test", bad, Some("NetStream.Publish.Denied"), None),
        ("play.test", "https://example.net:8443", None, None),
        ("play.test", bad, None, Some("NetStream.Play.Failed")),
        ("off.test", bad, None, None),
    ] {
        let dial = at(server.addresses()[0], "live/show").host(host).page(page);
        let case = format!("{host} {page}");
        match publish {
            None => drop(dial.publish().await.with_context(|| case.clone())?),
            Some(expected) => {
                let (code, words) = refusal(dial.publish().await).context(case.clone())?;
                assert!(code.starts_with(expected), "{case}: {code}");
                assert!(words.contains("page"), "{case}: {words}");
            }
        }
        match play {
            None => drop(dial.play().await.with_context(|| case.clone())?),
            Some(expected) => {
                let (code, _) = refusal(dial.play().await).context(case.clone())?;
                assert!(code.starts_with(expected), "{case}: {code}");
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_vhost_has_its_own_size_of_chunks() -> Result<()> {
    let settings = "chunk_size = 5000\n[vhost.\"small.test\"]\nchunk_size = 128\n\
                    [vhost.\"large.test\"]\nchunk_size = 65536";
    let server = serve(settings)?;
    let address = server.addresses()[0];
    let show = Show::new(1);
    for (host, size) in [
        ("any.test", 5_000),
        ("small.test", 128),
        ("large.test", 65_536),
    ] {
        let mut publisher = at(address, "live/show").host(host).publish().await?;
        publisher.send(show.beginning(500)).await?;
        let mut player = Peer::dial(address).await?;
        player.shake_hands().await?;
        player.connect_to(&format!("rtmp://{host}/live")).await?;
        player.play(0, "show").await?;
        assert_eq!(player.chunk_size_heard(), size, "{host}");
        let seen = player.up_to(&show.sound(480).payload).await?;
        assert_eq!(seen.len(), show.beginning(500).count());

        // A stream's own vhost counts, not that of the connection.
        let mut guest = Peer::connect(address, "live").await?;
        guest.play(0, &format!("show?vhost={host}")).await?;
        assert_eq!(guest.chunk_size_heard(), size, "{host}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_gop_cache_a_late_joiner_waits_for_a_key_frame() -> Result<()> {
    let server = serve("[vhost.\"__defaultVhost__\"]\ngop_cache = false")?;
    let dial = at(server.addresses()[0], "live/show");
    let show = Show::new(1);
    let mut publisher = dial.publish().await?;
    let mut witness = dial.play().await?;
    publisher.send(show.beginning(1_500)).await?;
    witness.up_to(&show.sound(1_480).payload).await?;

    let mut player = dial.play().await?;
    // The headers come at once, and say that it has begun.
    let headers = player.take(3).await?;
    assert_eq!(
        parts(&headers),
        [Part::Metadata, Part::VideoHeader, Part::AudioHeader]
    );
    publisher.send(show.media(1_500..3_000)).await?;
    let seen = player.up_to(&show.sound(2_980).payload).await?;
    let pictures: Vec<&Media> = seen.iter().filter(|m| m.kind == MediaKind::Video).collect();
    assert_eq!(pictures[0].payload, show.picture(2_000).payload);
    assert_eq!(pictures.len(), 25);
    assert_eq!(seen.len(), 25 + 75, "sound comes before");
    check_times_rise(&seen, 20)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn players_get_the_time_that_the_vhost_says() -> Result<()> {
    const START: u32 = 0xFF_FFFF - 50;
    let server = serve(
        r#"
        [vhost."full.test"]
        time_jitter = "full"
        [vhost."zero.test"]
        time_jitter = "zero"
        [vhost."off.test"]
        time_jitter = "off"
        [vhost."atc.test"]
        atc = true
        [vhost."auto.test"]
        atc_auto = true
        [vhost."never.test"]
        atc_auto = false
        "#,
    )?;
    let show = Show::new(1);
    for (host, asks_for_atc, base) in [
        ("full.test", false, START),
        ("zero.test", false, START),
        ("off.test", false, 0),
        ("atc.test", false, 0),
        ("auto.test", false, START),
        ("auto.test", true, 0),
        ("full.test", true, 0),
        ("never.test", true, START),
    ] {
        let case = format!("{host}, asks for its own time: {asks_for_atc}");
        let dial = at(server.addresses()[0], "live/show").host(host);
        let mut publisher = dial.publish().await?;
        let mut headers = show.headers();
        if asks_for_atc {
            headers[0] = show.metadata(&[("bravo_atc", "true".into())]);
        }
        // A joiner from the middle: what is its zero is seen best there.
        let mut player = dial.play().await?;
        let samples = headers.into_iter().chain(show.media(0..2_000));
        publisher
            .send(samples.map(|sample| sample.later_by(START)))
            .await?;
        let early = player.up_to(&show.sound(1_980).payload).await?;
        let mut late = dial.play().await?;
        let late = late.up_to(&show.sound(1_980).payload).await?;

        let first_picture = |seen: &[Media]| {
            let is_picture = |media: &&Media| Part::of(media) == Part::KeyFrame;
            seen.iter()
                .find(is_picture)
                .map(|media| media.timestamp)
                .context("a key frame")
        };
        assert_eq!(first_picture(&early)?, START - base, "{case}");
        let late_zero = if base == 0 { 0 } else { START + 1_000 };
        assert_eq!(first_picture(&late)?, START + 1_000 - late_zero, "{case}");
        check_times_rise(&early, 20).context(case.clone())?;
        check_times_rise(&late, 20).context(case)?;
        publisher.finish().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uncorrected_times_jump_where_the_publisher_does() -> Result<()> {
    let server = serve("[vhost.\"__defaultVhost__\"]\ntime_jitter = \"off\"")?;
    let dial = at(server.addresses()[0], "live/show");
    let show = Show::new(1);
    let mut player = dial.play().await?;
    let mut publisher = dial.publish().await?;
    let samples = show.beginning(4_000).map(|sample| {
        let time = sample.timestamp % 2_000;
        sample.at(time + 90_000)
    });
    let sent: Vec<Sample> = samples.collect();
    publisher.send(sent.clone()).await?;
    let seen = player.up_to(&show.sound(3_980).payload).await?;
    let times = seen.iter().map(|media| media.timestamp);
    assert!(times.eq(sent.iter().map(|sample| sample.timestamp)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_it_is_wanted_tracks_are_put_in_order() -> Result<()> {
    let settings = "[vhost.\"mixed.test\"]\natc = true\nmix_correct = true\n\
                    [vhost.\"plain.test\"]\natc = true";
    let server = serve(settings)?;
    let show = Show::new(1);
    // The picture runs a fifth of a second ahead of the sound.
    let mut sent: Vec<Sample> = show.media(0..4_000).collect();
    let arrival = |sample: &Sample| match sample.kind {
        MediaKind::Audio => sample.timestamp + 200,
        _ => sample.timestamp,
    };
    sent.sort_by_key(arrival);
    for (host, in_order) in [("mixed.test", true), ("plain.test", false)] {
        let dial = at(server.addresses()[0], "live/show").host(host);
        let mut player = dial.play().await?;
        let mut publisher = dial.publish().await?;
        publisher.send(show.headers()).await?;
        publisher.send(sent.clone()).await?;
        publisher.finish().await?;
        let seen = player
            .up_to(&show.sound(3_980).payload)
            .await
            .context(host)?;
        assert_eq!(seen.len(), 3 + sent.len(), "{host}: nothing is lost");
        assert_eq!(check_times_rise(&seen, 1_000).is_ok(), in_order, "{host}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_vhost_has_its_own_rules_for_publishers() -> Result<()> {
    let settings = "[vhost.\"strict.test\".publish]\ntakeover = \"reject\"\n\
                    [vhost.\"free.test\".publish]\ntakeover = \"takeover\"";
    let server: Server = serve(settings)?;
    let dial = |host: &str| at(server.addresses()[0], "live/show").host(host);
    let (_strict, _free) = (
        dial("strict.test").publish().await?,
        dial("free.test").publish().await?,
    );
    refusal(dial("strict.test").publish().await)?;
    dial("free.test").publish().await?;
    Ok(())
}
