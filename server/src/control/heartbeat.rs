//! Our heartbeat: a POST to a central server, again and again, that says that we are there.
//!
//! The body is that of SRS, so that collectors written for SRS take it, and so does another srs
//! (`POST /api/v1/servers`, see [`fleet`](super::fleet)). It runs beside everything else: whatever
//! the collector does, it costs a connection and, per change of state, a line in the log.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use srs_api::{Answer, EventKind, Heartbeat, HeartbeatState, PartKind, Summaries};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use self::backoff::Backoff;
use self::post::{PostError, Poster};
use super::events::Events;
use super::logging::MessageId;
use super::parts::{PartHandle, Parts};
use super::wall_clock;
use crate::config::{Config, HeartbeatConfig};

mod address;
mod backoff;
mod post;

/// How the heartbeat goes. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct HeartbeatHandle {
    /// Whole at any time.
    state: Arc<Mutex<HeartbeatState>>,
}

impl HeartbeatHandle {
    /// How it goes now.
    pub fn state(&self) -> HeartbeatState {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, HeartbeatState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What learns how the heartbeat goes.
#[derive(Clone, Debug)]
pub struct Told {
    /// For whoever asks.
    pub handle: HeartbeatHandle,
    /// For those who watch.
    pub events: Events,
    /// The parts that it is one of.
    pub parts: Parts,
}

/// Beats by the configuration in force until it is dropped. What changes in `[heartbeat]` or
/// `stats.network` takes effect at once, with a beat.
///
/// `summaries` gives the answer of `/api/v1/summaries`, for those who want it in their heartbeats.
pub async fn run(
    mut config: watch::Receiver<Arc<Config>>,
    summaries: impl Fn() -> Answer<Summaries> + Send,
    told: Told,
) {
    let mut heart = Heart {
        summaries,
        part: None,
        told,
        reach: Reach::Unknown,
    };
    loop {
        let wanted = Wanted::by(&config.borrow_and_update());
        heart.follow(&wanted);
        tokio::select! {
            () = heart.beat_by(&wanted) => {}
            () = change(&mut config, &wanted) => {}
        }
    }
}

/// Waits until something else than `wanted` is wanted.
async fn change(config: &mut watch::Receiver<Arc<Config>>, wanted: &Wanted) {
    let change = config.wait_for(|config| Wanted::by(config) != *wanted);
    if change.await.is_err() {
        // Nobody is left who could change anything.
        std::future::pending().await
    }
}

/// The name that this server has in a fleet: `heartbeat.device_id`, else the host's name.
pub fn device_id(config: &HeartbeatConfig) -> String {
    if config.device_id.is_empty() {
        let host = rustix::system::uname();
        host.nodename().to_string_lossy().into_owned()
    } else {
        config.device_id.clone()
    }
}

/// The part of the configuration that heartbeats depend on.
#[derive(Clone, Debug, PartialEq)]
struct Wanted {
    heartbeat: HeartbeatConfig,
    network: usize,
}

impl Wanted {
    fn by(config: &Config) -> Self {
        Self {
            heartbeat: config.heartbeat.clone(),
            network: config.stats.network,
        }
    }
}

/// Whether the collector takes heartbeats.
#[derive(Clone, Copy, Debug)]
enum Reach {
    /// Nothing was sent to it yet.
    Unknown,
    /// It does.
    Up,
    /// It has not taken any for some time.
    Down { since: Instant, failed: u32 },
}

/// Sends, and tells how it goes.
struct Heart<F> {
    summaries: F,
    told: Told,
    /// Another one for each collector.
    part: Option<PartHandle>,
    reach: Reach,
}

impl<F: Fn() -> Answer<Summaries>> Heart<F> {
    /// Shows what is to be done from now on.
    fn follow(&mut self, wanted: &Wanted) {
        let config = &wanted.heartbeat;
        let url = if config.enabled {
            without_parameters(config.url.as_str()).to_owned()
        } else {
            String::new()
        };
        let mut state = self.told.handle.lock();
        if state.enabled != config.enabled || state.url != url {
            // Another collector is another story.
            self.reach = Reach::Unknown;
            state.ok = false;
            state.error.clear();
        }
        let is_same = self.part.is_some() && state.enabled == config.enabled && state.url == url;
        state.enabled = config.enabled;
        state.url = url;
        drop(state);
        if !is_same {
            let target = without_parameters(config.url.as_str());
            let part = self.told.parts.register(PartKind::Heartbeat, target, "");
            if !config.enabled {
                part.idle();
            }
            self.part = Some(part);
        }
    }

    /// Beats for ever, if it is wanted.
    async fn beat_by(&mut self, wanted: &Wanted) {
        let config = &wanted.heartbeat;
        if !config.enabled {
            return std::future::pending().await;
        }
        let mut poster = Poster::new(config);
        let mut backoff = Backoff::new(config.interval);
        let mut next = Instant::now();
        loop {
            sleep_until(next).await;
            match poster.post(&self.body(wanted)).await {
                Ok(()) => {
                    backoff.reset();
                    self.arrived(config);
                    // Evenly, but never to make up for beats that were missed.
                    next = (next + config.interval).max(Instant::now());
                }
                Err(error) => {
                    let pause = backoff.next();
                    self.failed(config, &error, pause);
                    next = Instant::now() + pause;
                }
            }
        }
    }

    fn body(&self, wanted: &Wanted) -> Heartbeat {
        let config = &wanted.heartbeat;
        Heartbeat {
            device_id: device_id(config),
            ip: address::local_ipv4(wanted.network),
            summaries: config.summaries.then(&self.summaries),
        }
    }

    fn arrived(&mut self, config: &HeartbeatConfig) {
        let sent = {
            let mut state = self.told.handle.lock();
            state.ok = true;
            state.sent += 1;
            state.last_ok_ms = wall_clock::unix_millis();
            state.error.clear();
            state.sent
        };
        if let Some(part) = &self.part {
            part.running();
            part.progress(format!("sent {sent}"));
        }
        let message = match self.reach {
            Reach::Up => return,
            Reach::Unknown => "the collector takes heartbeats".to_owned(),
            Reach::Down { since, failed } => {
                let seconds = since.elapsed().as_secs();
                format!(
                    "the collector takes heartbeats again, after {failed} that did not arrive in {seconds} s"
                )
            }
        };
        self.reach = Reach::Up;
        let url = without_parameters(config.url.as_str());
        tracing::info!(
            message_id = MessageId::OutputWorks.as_str(),
            url,
            "{message}"
        );
        self.tell(message);
    }

    fn failed(&mut self, config: &HeartbeatConfig, error: &PostError, pause: Duration) {
        let error = error.to_string();
        {
            let mut state = self.told.handle.lock();
            state.ok = false;
            state.failed += 1;
            state.error.clone_from(&error);
        }
        if let Some(part) = &self.part {
            part.retrying(&error, pause);
        }
        if let Reach::Down { failed, .. } = &mut self.reach {
            *failed = failed.saturating_add(1);
            return;
        }
        self.reach = Reach::Down {
            since: Instant::now(),
            failed: 1,
        };
        let url = without_parameters(config.url.as_str());
        let message = format!("heartbeats do not arrive: {error}");
        tracing::warn!(
            message_id = MessageId::OutputFailed.as_str(),
            url,
            "{message}; it is tried again and again"
        );
        self.tell(message);
    }

    fn tell(&self, message: String) {
        let events = &self.told.events;
        events.tell(EventKind::Heartbeat, |event| event.message = message);
    }
}

/// A URL as it may be shown: what is behind its path may be a secret.
fn without_parameters(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

#[cfg(test)]
mod tests;
