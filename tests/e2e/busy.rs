//! A stream is never busy when nobody publishes it, whatever happened before.
//!
//! Encoders come, fight, end in order, die in several ways and fall silent, at random and several at
//! once. Now and then one makes sure that no other is at a stream, and must then be let in soon.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use srs::control::counters::Incident;
use srs_net::client::ClientError;
use tokio::sync::RwLock;
use tokio::task::JoinSet;

use crate::clients::wire::message;
use crate::clients::{Dial, Dice, Peer, Player, Publisher, Show, at, serve, until, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_never_busy_when_nobody_publishes_it() -> Result<()> {
    let server = serve(SETTINGS)?;
    let stage = Arc::new(Stage::new(server.addresses()[0]));
    let mut troupe = JoinSet::new();
    for seed in 0..ACTORS {
        let actor = Actor::new(Arc::clone(&stage), SEED + seed);
        troupe.spawn(async move { actor.act().await.with_context(|| format!("actor {seed}")) });
    }
    while let Some(result) = troupe.join_next().await {
        result??;
    }

    let service = server.service();
    let let_in = stage.let_in.load(Ordering::Relaxed);
    let refused = service.counters.get(Incident::PublishRefused);
    let replaced = service.counters.get(Incident::PublisherReplaced);
    for (what, count) in [
        ("let in", let_in),
        ("refused", refused),
        ("replaced", replaced),
    ] {
        assert!(count > ACTORS * STEPS / 50, "only {count} were {what}");
    }
    // Everybody has gone now, the silent ones with them.
    until("an end of all streams", || service.hub.streams().is_empty())?;
    until("an end of all clients", || service.clients.is_empty())?;
    Ok(())
}

/// Where the encoders meet.
struct Stage {
    server: SocketAddr,
    streams: Vec<Stream>,
    shows: AtomicU32,
    /// How many published while others might.
    let_in: AtomicU64,
}

struct Stream {
    host: &'static str,
    name: String,
    /// Read by those who publish and may be disturbed, written by those who want to be alone.
    presence: RwLock<()>,
}

impl Stage {
    fn new(server: SocketAddr) -> Self {
        let mut streams = Vec::new();
        for host in HOSTS {
            for name in ["one", "two"] {
                streams.push(Stream {
                    host,
                    name: name.into(),
                    presence: RwLock::default(),
                });
            }
        }
        Self {
            server,
            streams,
            shows: AtomicU32::new(0),
            let_in: AtomicU64::new(0),
        }
    }

    /// A show that nobody else gives.
    fn next_show(&self) -> Show {
        Show::new(self.shows.fetch_add(1, Ordering::Relaxed))
    }
}

/// One who does the next thing at random.
struct Actor {
    stage: Arc<Stage>,
    dice: Dice,
    /// Publishers that say nothing any more and are still connected.
    silent: VecDeque<Publisher>,
    /// Players that do not read any more.
    asleep: VecDeque<Player>,
}

impl Actor {
    fn new(stage: Arc<Stage>, seed: u64) -> Self {
        Self {
            stage,
            dice: Dice::new(seed),
            silent: VecDeque::new(),
            asleep: VecDeque::new(),
        }
    }

    async fn act(mut self) -> Result<()> {
        for step in 0..STEPS {
            let stage = Arc::clone(&self.stage);
            let stream = self.dice.one_of(&stage.streams);
            let done = match self.dice.within(0..100) {
                0..55 => self.publish_among_others(stream).await,
                55..75 => self.publish_alone(stream).await,
                75..90 => self.play(stream).await,
                _ => self.break_off(stream).await,
            };
            done.with_context(|| format!("step {step}, {}/{}", stream.host, stream.name))?;
        }
        Ok(())
    }

    async fn publish_among_others(&mut self, stream: &Stream) -> Result<()> {
        let _present = stream.presence.read().await;
        match self.dial(stream).publish().await {
            Ok(publisher) => {
                self.stage.let_in.fetch_add(1, Ordering::Relaxed);
                self.publish(publisher).await
            }
            Err(ClientError::Refused { code, .. }) => {
                assert_eq!(code, "NetStream.Publish.BadName");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn publish_alone(&mut self, stream: &Stream) -> Result<()> {
        let _alone = stream.presence.write().await;
        let (publisher, _) = self
            .dial(stream)
            .publish_within(Duration::from_secs(1))
            .await?;
        self.publish(publisher).await
    }

    /// Publishes a little, then ends in one way or another.
    async fn publish(&mut self, mut publisher: Publisher) -> Result<()> {
        let show = self.stage.next_show();
        let mut samples = show.beginning(10_000);
        for _ in 0..self.dice.within(0..4) {
            let some = samples.by_ref().take(self.dice.length(1..100));
            if publisher.send(some).await.is_err() {
                // Replaced, or too slow.
                return Ok(());
            }
        }
        match self.dice.within(0..4) {
            // It may have been replaced by then.
            0 => drop(publisher.finish().await),
            1 => drop(publisher),
            2 => publisher.reset()?,
            _ => {
                self.silent.push_back(publisher);
                if self.silent.len() > KEPT {
                    self.silent.pop_front();
                }
            }
        }
        Ok(())
    }

    /// Gets no further than half of a message on the way to a published stream.
    async fn break_off(&mut self, stream: &Stream) -> Result<()> {
        let _present = stream.presence.read().await;
        let mut peer = Peer::dial(self.stage.server).await?;
        let steps = self.dice.within(0..5);
        if steps > 0 {
            peer.shake_hands().await?;
        }
        if steps > 1 {
            peer.connect_to(&format!("rtmp://{}/live", stream.host))
                .await?;
        }
        if steps > 2 {
            // Refused or let in, it goes on as if it was let in.
            peer.request("publish", 0, vec![stream.name.as_str().into()])
                .await?;
        }
        if steps > 3 {
            // Replaced in the meantime, it may be closed.
            let _ = peer.ping().await;
            let picture = peer.encode(&message(0, self.stage.next_show().picture(0)));
            let half = &picture[..self.dice.length(1..picture.len())];
            let _ = peer.send_bytes(half).await;
        }
        Ok(())
    }

    async fn play(&mut self, stream: &Stream) -> Result<()> {
        let mut player = self.dial(stream).play().await?;
        for _ in 0..self.dice.within(0..50) {
            // There may be nothing to see, or an end of it.
            let media = within(Duration::from_millis(2), "media", player.next()).await;
            if !matches!(media, Ok(Ok(_))) {
                break;
            }
        }
        match self.dice.within(0..3) {
            0 => drop(player.finish().await),
            1 => drop(player),
            _ => {
                self.asleep.push_back(player);
                if self.asleep.len() > KEPT {
                    self.asleep.pop_front();
                }
            }
        }
        Ok(())
    }

    /// A connection with any parameters, from any address.
    fn dial(&mut self, stream: &Stream) -> Dial {
        let params = self.dice.one_of(&["", "?key=a", "?key=b"]);
        let from = *self
            .dice
            .one_of(&[Ipv4Addr::new(127, 0, 0, 1), Ipv4Addr::new(127, 0, 0, 2)]);
        let path = format!("live/{}{params}", stream.name);
        at(self.stage.server, &path).host(stream.host).from(from)
    }
}

const HOSTS: [&str; 3] = ["reject.test", "takeover.test", "same.test"];

/// One vhost for each policy. Nobody keeps a stream for long who does not send: at the latest after
/// `timeout`, so that even a stranger is let in soon.
const SETTINGS: &str = r#"
[vhost."reject.test".publish]
takeover = "reject"
dead_after = "100ms"
first_packet_timeout = "200ms"
timeout = "150ms"
keep_players = "100ms"

[vhost."takeover.test".publish]
takeover = "takeover"
first_packet_timeout = "10m"
timeout = "10m"
keep_players = 0

[vhost."same.test".publish]
takeover = "takeover-same"
first_packet_timeout = "150ms"
timeout = "200ms"

[vhost."same.test".play]
wait = "100ms"
"#;

const ACTORS: u64 = 8;
/// What each actor does.
const STEPS: u64 = 250;
/// The first actor's seed; the others count on.
const SEED: u64 = 2_026;
/// Silent connections that an actor keeps at a time.
const KEPT: usize = 10;
