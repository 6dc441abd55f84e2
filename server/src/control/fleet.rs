//! The fleet: the servers that send their heartbeats here.
//!
//! Any srs can be the central one of others, of servers of SRS, and of whatever posts the same
//! document. What comes in is not trusted: names are checked, numbers that cannot be are left out,
//! and there are never more servers than `fleet.max_servers`. A new server that comes when the
//! fleet is full takes the place of one that sent a single heartbeat and is late; servers that are
//! known better keep their place until they are forgotten, so that no flood of names pushes out
//! the one that an operator must hear of because it is down.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use srs_api::{EventKind, Heartbeat, Server};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use self::file::{FleetFile, Followed};
use self::roster::{News, Roster};
use super::events::Events;
use super::logging::MessageId;
use super::wall_clock;
use crate::config::{Config, FleetConfig};

mod figures;
mod file;
mod member;
mod roster;

/// The servers of the fleet. Clones share them.
#[derive(Clone, Debug)]
pub struct Fleet {
    shared: Arc<Shared>,
    events: Events,
}

#[derive(Debug)]
struct Shared {
    /// What times in the roster are counted from.
    epoch: Instant,
    /// Whole at any time. Held for as long as it takes to look at every server once, at most.
    roster: Mutex<Roster>,
}

/// Why a heartbeat is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FleetError {
    /// This server collects none.
    #[error("this server collects no heartbeats (fleet.enabled is false)")]
    Disabled,
    /// There is nothing to know the server by.
    #[error("expected a device_id, since the heartbeat comes from no network address")]
    Unnamed,
    /// A name is longer than any can be.
    #[error("expected {field} of at most {most} bytes")]
    TooLong {
        /// Which.
        field: &'static str,
        /// How long it may be.
        most: usize,
    },
    /// A name holds what no terminal should get.
    #[error("expected {field} without control characters")]
    Unprintable {
        /// Which.
        field: &'static str,
    },
    /// There are too many servers already.
    #[error("the fleet is full: it has {most} servers (fleet.max_servers)")]
    Full {
        /// How many there may be.
        most: usize,
    },
}

impl Fleet {
    /// An empty fleet, which tells `events` who comes and who is late. [`run`] watches over it.
    pub fn new(config: &FleetConfig, events: Events) -> Self {
        Self {
            shared: Arc::new(Shared {
                epoch: Instant::now(),
                roster: Mutex::new(Roster::new(config.clone())),
            }),
            events,
        }
    }

    /// Takes in a heartbeat that came from `peer`, if it came over a network. Returns the name that
    /// the server is known by.
    ///
    /// # Errors
    /// [`FleetError`]; the fleet is as before.
    pub fn beat(
        &self,
        heartbeat: Heartbeat,
        peer: Option<IpAddr>,
        now: Instant,
    ) -> Result<String, FleetError> {
        let now = self.time(now);
        let taken = self.roster().beat(heartbeat, peer, now);
        match taken {
            Ok((name, news)) => {
                self.tell(news);
                Ok(name)
            }
            Err(error @ FleetError::Full { .. }) => {
                if self.roster().is_time_to_complain(now) {
                    tracing::warn!("{error}; heartbeats of further ones are refused");
                }
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// The servers, by name.
    pub fn servers(&self, now: Instant) -> Vec<Server> {
        let now = self.time(now);
        self.roster().servers(now, wall_clock::unix_millis())
    }

    /// Notices who is late, and forgets who is gone.
    fn look(&self, now: Instant) {
        let now = self.time(now);
        let news = self.roster().look(now);
        self.tell(news);
    }

    fn tell(&self, news: impl IntoIterator<Item = News>) {
        for news in news {
            let message = news.to_string();
            let (kind, name) = match &news {
                News::First { name, .. } | News::Back { name, .. } => {
                    tracing::info!(
                        message_id = MessageId::ServerSeen.as_str(),
                        device = name,
                        "{message}"
                    );
                    (EventKind::ServerSeen, name)
                }
                News::Late { name, .. } => {
                    tracing::warn!(
                        message_id = MessageId::ServerLate.as_str(),
                        device = name,
                        "{message}"
                    );
                    (EventKind::ServerLate, name)
                }
                News::Forgotten { name, .. } => {
                    tracing::info!(device = name, "{message}");
                    continue;
                }
            };
            self.events.tell(kind, |event| {
                event.device = Some(name.clone());
                event.message = message;
            });
        }
    }

    /// `now` as the roster counts it: milliseconds, negative for what was before this process.
    fn time(&self, now: Instant) -> i64 {
        let since = now.saturating_duration_since(self.shared.epoch);
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn roster(&self) -> MutexGuard<'_, Roster> {
        self.shared
            .roster
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches over the fleet until `stop`: reads its file, notices who is late, forgets who is gone,
/// and keeps the file current. What changes in `[fleet]` takes effect at once.
pub async fn run(fleet: Fleet, mut config: watch::Receiver<Arc<Config>>, stop: CancellationToken) {
    let mut file = FleetFile::default();
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut can_change = true;
    follow(&fleet, &mut config, &mut file).await;
    let mut next_save = tokio::time::Instant::now() + SAVE_EVERY;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            changed = config.changed(), if can_change => match changed {
                Ok(()) => follow(&fleet, &mut config, &mut file).await,
                Err(_) => can_change = false,
            },
            now = looks.tick() => {
                fleet.look(now.into_std());
                if now >= next_save {
                    save(&fleet, &mut file).await;
                    next_save = now + SAVE_EVERY;
                }
            }
        }
    }
    save(&fleet, &mut file).await;
}

/// Puts the configuration in force.
async fn follow(fleet: &Fleet, config: &mut watch::Receiver<Arc<Config>>, file: &mut FleetFile) {
    let config = config.borrow_and_update().fleet.clone();
    let place = config.enabled.then(|| config.file.clone());
    if place.is_none() {
        // The last chance: a fleet that is not wanted is empty.
        save(fleet, file).await;
    }
    fleet.roster().configure(config);
    match file.follow(place.as_ref()).await {
        Followed::Unchanged => {}
        Followed::Opened(kept) => {
            let now = fleet.time(Instant::now());
            fleet.roster().restore(kept, now, wall_clock::unix_millis());
        }
        Followed::Moved => {
            fleet.roster().set_changed();
            save(fleet, file).await;
        }
    }
}

/// Writes the file if there is something new to keep.
async fn save(fleet: &Fleet, file: &mut FleetFile) {
    let servers = {
        let mut roster = fleet.roster();
        if !file.is_open() || !roster.take_changed() {
            return;
        }
        roster.servers(fleet.time(Instant::now()), wall_clock::unix_millis())
    };
    if !file.write(servers).await {
        // What could not be kept now may be later.
        fleet.roster().set_changed();
    }
}

/// How soon it is noticed that a server is late.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A fleet changes all the time; what a crash loses is when a server was last seen.
const SAVE_EVERY: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
