//! Reloads while much is published and played.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use testkit::{SOON, wait_until};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::reload;
use crate::build_srs;
use crate::clients::{Dial, Dice, Player, Publisher, Show, at, soon};

/// Publishes in real time until it is told to end, then sends what ends the stream for players.
/// `sent` tells how many milliseconds it has sent.
async fn publish(
    mut publisher: Publisher,
    number: u32,
    end: Arc<AtomicBool>,
    sent: watch::Sender<u32>,
) -> Result<()> {
    let show = Show::new(number);
    let mut ticks = interval(Duration::from_millis(40));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut time = 0;
    while !end.load(Ordering::Relaxed) {
        ticks.tick().await;
        publisher.send(show.media(time..time + 40)).await?;
        time += 40;
        sent.send_replace(time);
    }
    publisher.send([show.sound(LAST)]).await?;
    // It stays until all have seen it.
    std::future::pending().await
}

/// Plays from the beginning on and checks that nothing is missing, nothing is changed and nothing
/// comes twice.
async fn watch(mut player: Player, number: u32) -> Result<usize> {
    let show = Show::new(number);
    for header in show.headers().iter().skip(1) {
        let seen = player.next().await?;
        ensure!(
            seen.payload == header.payload,
            "another header than was sent"
        );
    }
    let mut seen = 0;
    let last = show.sound(LAST).payload;
    let mut expected = (0..u32::MAX)
        .step_by(40)
        .flat_map(|time| show.media(time..time + 40));
    loop {
        let media = player
            .next()
            .await
            .with_context(|| format!("after {seen} messages"))?;
        if media.payload == last {
            return Ok(seen);
        }
        let sample = expected.next().context("a message more")?;
        ensure!(
            media.payload == sample.payload && media.timestamp == sample.timestamp,
            "message {seen} is not that of {} ms",
            sample.timestamp
        );
        seen += 1;
    }
}

/// Streams that are published and played while a test goes on.
struct Load {
    end: Arc<AtomicBool>,
    publishers: JoinSet<Result<()>>,
    /// What each publisher has sent, in milliseconds.
    sent: Vec<watch::Receiver<u32>>,
    players: JoinSet<Result<usize>>,
}

impl Load {
    async fn start(dials: Vec<Dial>, players_each: usize) -> Result<Self> {
        let mut load = Self {
            end: Arc::default(),
            publishers: JoinSet::new(),
            sent: Vec::new(),
            players: JoinSet::new(),
        };
        for (number, dial) in (1..).zip(dials) {
            let mut publisher = dial.publish().await?;
            publisher.send(Show::new(number).headers()).await?;
            for _ in 0..players_each {
                let mut player = dial.play().await?;
                // Its metadata shows that it is served, with all that comes from now on.
                player.next().await?;
                load.players.spawn(watch(player, number));
            }
            let (sender, sent) = watch::channel(0);
            load.sent.push(sent);
            let end = Arc::clone(&load.end);
            load.publishers
                .spawn(publish(publisher, number, end, sender));
        }
        Ok(load)
    }

    /// Lets each send so many milliseconds more; nobody may have failed meanwhile.
    async fn go_on(&mut self, millis: u32) -> Result<()> {
        for sent in &mut self.sent {
            let until = *sent.borrow() + millis;
            soon("media to be sent", sent.wait_for(|sent| *sent >= until)).await??;
        }
        if let Some(player) = self.players.try_join_next() {
            bail!("a player ended: {:?}", player?);
        }
        if let Some(publisher) = self.publishers.try_join_next() {
            bail!("a publisher ended: {:?}", publisher?);
        }
        Ok(())
    }

    /// Ends it; every player must have seen everything. Gives how many messages there were.
    async fn finish(mut self) -> Result<usize> {
        self.end.store(true, Ordering::Relaxed);
        let mut sum = 0;
        while let Some(seen) = self.players.join_next().await {
            sum += seen??;
        }
        self.publishers.abort_all();
        Ok(sum)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_players_notice_no_reload() -> Result<()> {
    let mut srs = build_srs().start()?;
    let address = srs.addresses()[0];
    let dials = (0..4)
        .map(|number| at(address, &format!("live/{number}")))
        .collect();
    let mut load = Load::start(dials, 50).await?;
    let folder = srs.folder().to_owned();
    for settings in [
        "max_connections = 300".to_owned(),
        "[log]\nlevel = \"debug\"".to_owned(),
        "[vhost.\"new.test\"]\n[vhost.\"__defaultVhost__\"]\nqueue_length = \"60s\"".to_owned(),
        "[vhost.\"__defaultVhost__\"]\nplay.merge = \"0s\"\npublish.takeover = \"reject\""
            .to_owned(),
        format!(
            "pid = \"{}/srs.pid\"\n[limits]\nstream_memory = \"32MiB\"",
            folder.display()
        ),
        "chunk_size = 4096\n[limits]\nmedia_message = \"2MB\"".to_owned(),
        "[http_api]\nenabled = false".to_owned(),
    ] {
        srs.set_listen(["127.0.0.1:0", "127.0.0.1:0"]);
        reload(&mut srs, &settings).with_context(|| settings.clone())?;
        super::reload_in_vain(&mut srs, "chunk_size = \"many\"")?;
        srs.set_listen(["127.0.0.1:0"]);
        reload(&mut srs, &settings).with_context(|| settings.clone())?;
        load.go_on(200).await.with_context(|| settings.clone())?;
    }
    let seen = load.finish().await?;
    assert!(seen > 200 * 75, "{seen} messages in all");
    assert!(srs.process().is_running()?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_configurations_by_chance_are_put_in_force_under_load() -> Result<()> {
    let mut srs = build_srs().start()?;
    let files = srs.process().open_fds()?;
    let dial = at(srs.addresses()[0], "live/show");
    let mut load = Load::start(vec![dial], 20).await?;
    let seed = std::process::id().into();
    let mut dice = Dice::new(seed);
    let began = Instant::now();
    for round in 0..50 {
        let settings = by_chance(&mut dice);
        let addresses = dice.length(1..4);
        srs.set_listen(vec!["127.0.0.1:0"; addresses]);
        reload(&mut srs, &settings)
            .with_context(|| format!("seed {seed}, round {round}: {settings}"))?;
        assert_eq!(
            srs.addresses().len(),
            addresses,
            "seed {seed}, round {round}"
        );
        // Whoever comes now is served, by any address.
        let newest = *srs.addresses().last().context("an address")?;
        let show = Show::new(9);
        let mut publisher = at(newest, "live/other").publish().await?;
        publisher.send(show.beginning(200)).await?;
        publisher.finish().await?;
        load.go_on(40).await?;
    }
    reload(&mut srs, "")?;
    eprintln!("fifty reloads took {:?}", began.elapsed());
    load.finish()
        .await
        .with_context(|| format!("seed {seed}"))?;
    // Nothing is left open.
    wait_until(SOON, "the clients to be gone", || {
        srs.process().open_fds().is_ok_and(|fds| fds <= files + 2)
    })?;
    Ok(())
}

/// Settings that leave the stream of the test alone, and everything else not.
fn by_chance(dice: &mut Dice) -> String {
    let mut lines = Vec::new();
    let mut number = |key: &str, range, unit: &str| match dice.length(0..2) {
        0 => String::new(),
        _ if unit.is_empty() => format!("{key} = {}\n", dice.within(range)),
        _ => format!("{key} = \"{}{unit}\"\n", dice.within(range)),
    };
    lines.push(number("max_connections", 100..1_000, ""));
    lines.push(number("chunk_size", 128..60_000, ""));
    lines.push("[limits]\n".to_owned());
    lines.push(number("identify_timeout", 1..30, "s"));
    lines.push(number("connections_per_address", 100..200, ""));
    lines.push(number("stream_memory", 10..100, "MB"));
    lines.push("[pithy_print]\n".to_owned());
    lines.push(number("play", 1..3, "s"));
    lines.push("[vhost.\"__defaultVhost__\"]\n".to_owned());
    lines.push(number("queue_length", 30..90, "s"));
    lines.push(number("play.merge", 0..500, "ms"));
    lines.push(number("publish.timeout", 10..60, "s"));
    for vhost in 0..dice.length(0..10) {
        let (enabled, gop_cache) = (dice.length(0..2) == 0, dice.length(0..2) == 0);
        lines.push(format!(
            "[vhost.\"v{vhost}.test\"]\nenabled = {enabled}\ngop_cache = {gop_cache}\n"
        ));
    }
    let level = dice.one_of(&["info", "debug", "trace"]);
    lines.push(format!("[log]\nlevel = \"{level}\"\n"));
    lines.concat()
}

/// The time of the sound that ends a show: no show is so long.
const LAST: u32 = 100_000_000;
