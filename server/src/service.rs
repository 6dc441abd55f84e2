//! What the parts of a running server share.

use std::num::NonZero;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::control::clients::Clients;
use crate::control::counters::Counters;
use crate::hub::Hub;
use crate::output::fan_out::FanOut;

/// Shared by every part and every connection of one server.
#[derive(Debug)]
pub struct Service {
    /// The configuration in force; each connection keeps the one that it began with.
    config: RwLock<Arc<Config>>,
    /// How many clients there may be: `max_connections`, or what the descriptor limit leaves.
    pub max_connections: usize,
    /// The live streams.
    pub hub: Hub,
    /// Serves the players that have caught up.
    pub fan_out: FanOut,
    /// The connected clients.
    pub clients: Clients,
    /// What went wrong.
    pub counters: Arc<Counters>,
    /// Cancelled when the server stops.
    pub stop: CancellationToken,
    /// Every task of the server, so that a stop can wait for them.
    pub tasks: TaskTracker,
}

impl Service {
    /// A service by `config`, which admits at most `max_connections` clients.
    pub fn new(config: Arc<Config>, max_connections: usize) -> Self {
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            config: RwLock::new(config),
            max_connections,
            hub: Hub::default(),
            fan_out: FanOut::new(cores, tasks.clone(), stop.clone()),
            clients: Clients::default(),
            counters: Arc::default(),
            stop,
            tasks,
        }
    }

    /// The configuration in force.
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }
}
