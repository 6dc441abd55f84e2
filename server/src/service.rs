//! What the parts of a running server share.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use srs_api::Identity;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::control::api::ApiState;
use crate::control::clients::Clients;
use crate::control::complaints::Complaints;
use crate::control::counters::Counters;
use crate::control::events::Events;
use crate::control::fleet::Fleet;
use crate::control::heartbeat::HeartbeatHandle;
use crate::control::logging::{self, LogLines};
use crate::control::manager::Manager;
use crate::control::parts::Parts;
use crate::control::reload::Reloader;
use crate::control::sysinfo::Sysinfo;
use crate::control::wall_clock;
use crate::control::watchdog::Beats;
use crate::control::watchdog::pulse::Pulse;
use crate::hub::Hub;
use crate::output::fan_out::FanOut;

/// Shared by every part and every connection of one server.
#[derive(Debug)]
pub struct Service {
    /// The configuration in force; each connection keeps the one that it began with.
    config: watch::Sender<Arc<Config>>,
    max_connections: AtomicUsize,
    /// Where it listens.
    addresses: watch::Sender<Addresses>,
    /// Puts another configuration in force.
    pub reloader: Reloader,
    /// The live streams.
    pub hub: Hub,
    /// Serves the players that have caught up.
    pub fan_out: FanOut,
    /// The connected clients.
    pub clients: Clients,
    /// What went wrong.
    pub counters: Arc<Counters>,
    /// What the log only counts, for strangers could fill it.
    pub complaints: Arc<Complaints>,
    /// What happens.
    pub events: Events,
    /// The newest lines of the log.
    pub log_lines: LogLines,
    /// What runs beside the clients.
    pub parts: Parts,
    /// What all who serve the API share.
    pub api: ApiState,
    /// What the kernel says about the process and its host.
    pub sysinfo: Sysinfo,
    /// How the server's own heartbeat goes.
    pub heartbeat: HeartbeatHandle,
    /// The servers that send their heartbeats here.
    pub fleet: Fleet,
    /// Who is told how the server goes.
    pub manager: Manager,
    /// Who must show that it turns.
    pub pulse: Pulse,
    /// How the watchdog goes.
    pub beats: Beats,
    /// Who answers requests.
    pub identity: Identity,
    /// When it began, in Unix milliseconds.
    pub started_ms: i64,
    /// Cancelled when the server stops.
    pub stop: CancellationToken,
    /// Every task of the server, so that a stop can wait for them.
    pub tasks: TaskTracker,
    /// Those among the tasks that keep what must not be lost: a stop waits for them longer.
    pub keepers: TaskTracker,
}

impl Service {
    /// A service by `config`, which admits at most `max_connections` clients.
    pub fn new(config: Arc<Config>, max_connections: usize) -> Self {
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let started_ms = wall_clock::unix_millis();
        let events = Events::since(started_ms);
        let fleet = Fleet::new(&config.fleet, events.clone());
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            reloader: Reloader::new(Arc::clone(&config)),
            config: watch::Sender::new(config),
            max_connections: AtomicUsize::new(max_connections),
            addresses: watch::Sender::default(),
            hub: Hub::default(),
            fan_out: FanOut::new(cores, tasks.clone(), stop.clone()),
            clients: Clients::new(stop.clone()),
            counters: Arc::default(),
            complaints: Arc::default(),
            events,
            log_lines: logging::no_lines(),
            parts: Parts::default(),
            api: ApiState::default(),
            sysinfo: Sysinfo::new(),
            heartbeat: HeartbeatHandle::default(),
            fleet,
            manager: Manager::nobody(),
            pulse: Pulse::default(),
            beats: Beats::default(),
            identity: identity(),
            started_ms,
            stop,
            tasks,
            keepers: TaskTracker::new(),
        }
    }

    /// The configuration in force.
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.borrow())
    }

    /// The configuration in force, and each one that will be.
    pub fn follow_config(&self) -> watch::Receiver<Arc<Config>> {
        self.config.subscribe()
    }

    /// Puts a configuration in force, for whoever looks at it from now on.
    pub(crate) fn set_config(&self, config: Arc<Config>, max_connections: usize) {
        self.max_connections
            .store(max_connections, Ordering::Relaxed);
        self.config.send_replace(config);
    }

    /// How many clients there may be: `max_connections`, or what the descriptor limit leaves.
    pub fn max_connections(&self) -> usize {
        self.max_connections.load(Ordering::Relaxed)
    }

    /// Where it listens now.
    pub fn addresses(&self) -> Addresses {
        self.addresses.borrow().clone()
    }

    pub(crate) fn set_addresses(&self, addresses: Addresses) {
        self.addresses.send_replace(addresses);
    }
}

/// Names that no other server has, nor this one after a restart.
fn identity() -> Identity {
    // Without randomness the process id and the time must do: nothing is secret here.
    let random = getrandom::u64().unwrap_or_else(|_| wall_clock::unix_millis().unsigned_abs());
    Identity {
        server: format!("vid-{:08x}", random >> 32),
        service: format!("{:08x}", random & 0xFFFF_FFFF),
        pid: std::process::id().to_string(),
    }
}

/// Where a server listens, with the ports that the kernel picked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// For RTMP.
    pub rtmp: Vec<SocketAddr>,
    /// For the API.
    pub api: Vec<ApiAddress>,
    /// For media over HTTP.
    pub http: Vec<SocketAddr>,
    /// Where it should listen, by its configuration, and does not.
    pub missing: Vec<String>,
}

/// An address that the API is served at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiAddress {
    /// A unix socket.
    Unix(PathBuf),
    /// A TCP address.
    Tcp(SocketAddr),
}

impl fmt::Display for ApiAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(address) => address.fmt(f),
        }
    }
}
