//! Settings that change, one by one.

use anyhow::{Context, Result, bail};
use testkit::{SOON, Srs};
use tokio::task::block_in_place;

use super::reload;
use crate::build_srs;
use crate::clients::player::parts;
use crate::clients::{Dial, Part, Peer, Player, Publisher, Show, at, refusal};

/// A stream that is on the air.
struct OnAir {
    publisher: Publisher,
    witness: Player,
    time: u32,
}

impl OnAir {
    async fn at(dial: &Dial) -> Result<Self> {
        let mut publisher = dial.publish().await?;
        publisher.send(Show::new(1).headers()).await?;
        let mut witness = dial.play().await?;
        witness.take(3).await?;
        Ok(Self {
            publisher,
            witness,
            time: 0,
        })
    }

    /// Sends so much more, which the witness must get whole.
    async fn go_on(&mut self, millis: u32) -> Result<()> {
        let (show, from) = (Show::new(1), self.time);
        self.time += millis;
        self.publisher.send(show.media(from..self.time)).await?;
        let seen = self
            .witness
            .up_to(&show.sound(self.time - 20).payload)
            .await?;
        let sent = show.media(from..self.time).count();
        anyhow::ensure!(seen.len() == sent, "{} of {sent} messages", seen.len());
        Ok(())
    }
}

fn first(srs: &Srs) -> Dial {
    at(srs.addresses()[0], "live/show")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_limit_on_clients_moves_while_they_are_there() -> Result<()> {
    let mut srs = build_srs().start()?;
    let dial = first(&srs);
    let mut show = OnAir::at(&dial).await?;
    for (settings, room) in [
        ("max_connections = 2", false),
        ("max_connections = 3", true),
        ("max_connections = 1", false),
        ("", true),
        ("[limits]\nconnections_per_address = 2", false),
        ("[limits]\nconnections_per_address = 3", true),
        ("[limits]\nconnections_per_address = 0", true),
    ] {
        reload(&mut srs, settings)?;
        let third = dial.play().await;
        assert_eq!(third.is_ok(), room, "{settings}: {third:?}");
        if let Ok(third) = third {
            third.finish().await?;
        }
        show.go_on(500).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_clients_than_there_can_be_files_are_refused() -> Result<()> {
    let mut srs = build_srs().start()?;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    if limit.maximum.is_none_or(|most| most >= 1_000_000) {
        // This process lends its limit to the daemon.
        eprintln!("skipped: a million files may be open here");
        return Ok(());
    }
    let said = super::reload_in_vain(&mut srs, "max_connections = 1000000")?;
    assert!(said.contains("LimitNOFILE="), "{said}");
    OnAir::at(&first(&srs)).await?.go_on(500).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_stream_takes_the_settings_of_its_vhost() -> Result<()> {
    let mut srs = build_srs().start()?;
    let dial = first(&srs);
    let mut show = OnAir::at(&dial).await?;
    show.go_on(2_500).await?;
    let mut late = dial.play().await?;
    assert_eq!(parts(&late.take(4).await?)[3], Part::KeyFrame);

    reload(&mut srs, "[vhost.\"__defaultVhost__\"]\ngop_cache = false")?;
    let mut late = dial.play().await?;
    late.take(3).await?;
    show.go_on(1_000).await?;
    let seen = late.up_to(&Show::new(1).sound(3_480).payload).await?;
    let pictures: Vec<Part> = parts(&seen)
        .into_iter()
        .filter(|part| *part != Part::Sound)
        .collect();
    assert_eq!(pictures[0], Part::KeyFrame);
    let from = seen.first().context("media")?;
    assert!(
        from.payload == Show::new(1).picture(3_000).payload
            || from.payload == Show::new(1).sound(2_500).payload,
        "nothing from before it came"
    );

    reload(&mut srs, "")?;
    let mut late = dial.play().await?;
    let seen = late.take(4).await?;
    assert_eq!(seen[3].payload, Show::new(1).picture(3_000).payload);
    show.go_on(500).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_session_has_agreed_on_is_for_new_ones() -> Result<()> {
    let mut srs = build_srs().start()?;
    let dial = first(&srs);
    let mut show = OnAir::at(&dial).await?;
    reload(
        &mut srs,
        "chunk_size = 4096\n[vhost.\"__defaultVhost__\".refer]\nenabled = true\nplay = [\"example.com\"]",
    )?;
    show.go_on(1_000).await?;
    let (code, words) = refusal(dial.play().await)?;
    assert!(words.contains("allowed"), "{code}: {words}");
    let allowed = dial.clone().page("http://example.com/").play().await?;
    allowed.finish().await?;
    let (mut peer, id) = Peer::with_stream(srs.addresses()[0], "live").await?;
    peer.publish(id, "other").await?;
    assert_eq!(peer.chunk_size_heard(), 4_096);
    show.go_on(1_000).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vhost_that_comes_takes_nobody_from_where_they_are() -> Result<()> {
    let mut srs = build_srs().start()?;
    let dial = first(&srs).host("new.test");
    let mut show = OnAir::at(&dial).await?;
    reload(&mut srs, "[vhost.\"new.test\"]\nplay.wait = 0")?;
    show.go_on(1_000).await?;
    // It is another stream from now on, which nobody publishes.
    let (code, _) = refusal(dial.play().await)?;
    assert_eq!(code, "NetStream.Play.StreamNotFound");
    let mut other = OnAir::at(&dial).await?;
    other.go_on(1_000).await?;
    first(&srs).play().await?.take(4).await?;
    show.go_on(1_000).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sums_are_printed_at_the_new_interval() -> Result<()> {
    let mut srs = build_srs()
        .settings("[pithy_print]\npublish = 0\nplay = 0")
        .start()?;
    let mut show = OnAir::at(&first(&srs)).await?;
    show.go_on(500).await?;
    reload(&mut srs, "[pithy_print]\npublish = 1\nplay = 0")?;
    block_in_place(|| srs.wait_for_log("<- CPB", SOON))?;
    if srs.process().log().contains("-> PLA") {
        bail!("players are not to be told of");
    }
    reload(&mut srs, "[pithy_print]\npublish = 0\nplay = 1")?;
    block_in_place(|| srs.wait_for_log("-> PLA", SOON))?;
    show.go_on(500).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clients_of_a_vhost_that_goes_are_ended_and_no_others() -> Result<()> {
    const BOTH: &str = "[vhost.\"a.test\"]\n[vhost.\"b.test\"]";
    const OFF: &str = "[vhost.\"a.test\"]\nenabled = false\n[vhost.\"b.test\"]";
    for (settings, is_refused) in [("[vhost.\"b.test\"]", false), (OFF, true)] {
        let mut srs = build_srs().settings(BOTH).start()?;
        let dial = first(&srs);
        let in_a = dial.clone().host("a.test");
        let mut gone = OnAir::at(&in_a).await?;
        let mut other = OnAir::at(&dial.clone().host("b.test")).await?;
        let mut ours = OnAir::at(&dial).await?;
        let mut idle = Peer::dial(srs.addresses()[0]).await?;
        idle.shake_hands().await?;
        idle.connect_to("rtmp://a.test/live").await?;
        // By the name of its stream.
        let mut by_name = Peer::connect(srs.addresses()[0], "live").await?;
        by_name.publish(0, "other?vhost=a.test").await?;
        // It has not said yet where it wants to go.
        let mut late = Peer::dial(srs.addresses()[0]).await?;
        late.shake_hands().await?;

        reload(&mut srs, settings)?;
        block_in_place(|| srs.wait_for_log("ended 4 clients of vhost a.test", SOON))?;
        gone.publisher.ended().await?;
        gone.witness.ended().await?;
        idle.closed().await?;
        by_name.closed().await?;
        other.go_on(1_000).await?;
        ours.go_on(1_000).await?;

        let late = late.connect_to("rtmp://a.test/live").await;
        let again = in_a.play().await;
        assert_eq!(late.is_err(), is_refused, "{late:?}");
        if is_refused {
            let (_, words) = refusal(again)?;
            assert!(words.contains("vhost a.test is not enabled"), "{words}");
        } else {
            // What the default vhost has under that name.
            again?.take(4).await?;
        }
        ours.go_on(1_000).await?;
    }
    Ok(())
}
