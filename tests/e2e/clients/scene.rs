//! Bystanders: whoever else is served while somebody misbehaves.

use anyhow::Result;
use srs::Server;
use srs::control::counters::Incident;

use super::{Peer, Player, Publisher, Show, at, serve, until};

/// A server with a publisher and a player that want to be left alone.
pub(crate) struct Scene {
    pub(crate) server: Server,
    pub(crate) publisher: Publisher,
    pub(crate) player: Player,
    /// How much was published, in milliseconds.
    pub(crate) time: u32,
}

impl Scene {
    pub(crate) async fn new(settings: &str) -> Result<Self> {
        // It is silent for as long as the others take, which on a busy machine is more than the
        // ten seconds after which a publisher counts as gone.
        let patient = "[vhost.\"__defaultVhost__\".publish]\ntimeout = \"10m\"";
        let server = serve(&format!("{settings}\n{patient}"))?;
        let dial = at(server.addresses()[0], "live/show");
        let mut publisher = dial.publish().await?;
        publisher.send(Show::new(0).headers()).await?;
        let mut player = dial.play().await?;
        player.take(3).await?;
        Ok(Self {
            server,
            publisher,
            player,
            time: 0,
        })
    }

    pub(crate) async fn dial(&self) -> Result<Peer> {
        Peer::dial(self.server.addresses()[0]).await
    }

    /// Checks that `incident` has happened `count` times and nothing else has, and that the two are
    /// still served.
    pub(crate) async fn check(&mut self, incident: Incident, count: u64) -> Result<()> {
        let counters = &self.server.service().counters;
        until("the count of incidents", || counters.get(incident) >= count)?;
        let counted = format!("{counters}");
        assert_eq!(counters.get(incident), count, "{counted}");
        assert_eq!(counters.total(), count, "{counted}");
        self.check_others().await
    }

    pub(crate) async fn check_others(&mut self) -> Result<()> {
        let (show, time) = (Show::new(0), self.time);
        self.time += 1_000;
        self.publisher.send(show.media(time..time + 1_000)).await?;
        let seen = self.player.up_to(&show.sound(time + 980).payload).await?;
        assert_eq!(seen.len(), 75);
        Ok(())
    }
}
