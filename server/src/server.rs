//! What runs: the parts of a server, built from a configuration; the order of start and stop.

mod parts;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use srs_api::{Answer, EventKind, LogPlace, PartKind};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use self::parts::Parts;
pub use self::parts::READ_WITHIN;
use crate::config::{Config, Loaded, Source};
use crate::control::heartbeat::Told;
use crate::control::logging::{LogHandle, MessageId};
use crate::control::manager::{self, Manager};
use crate::control::pid_file::{PidFile, PidFileError};
use crate::control::pithy_print::{self, Subject};
use crate::control::plural::plural;
use crate::control::{
    complaints, descriptors, fleet, heartbeat, report, sampling, sysinfo, watchdog,
};
use crate::listen::ListenError;
use crate::listen::passed::Passed;
use crate::listen::sockets::Sockets;
use crate::service::{ApiAddress, Service};
use crate::supervise;

/// Why a server cannot start, or a configuration cannot be put in force.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened at.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The pid file cannot be had.
    #[error(transparent)]
    PidFile(#[from] PidFileError),
    /// `max_connections` was set, and does not fit the limit on open files.
    #[error(transparent)]
    Descriptors(#[from] descriptors::TooFewDescriptors),
    /// There is no thread for the watchdog.
    #[error("cannot start the watchdog that systemd asks for (WatchdogSec=)")]
    Watchdog(#[source] std::io::Error),
}

/// A running server. It serves from [`Server::start`] to [`Server::stop`].
#[derive(Debug)]
pub struct Server {
    service: Arc<Service>,
    /// Gives back the parts when the server stops.
    parts: JoinHandle<Parts>,
}

/// What a server begins with.
#[derive(Debug)]
pub struct Start {
    /// The configuration.
    pub loaded: Loaded,
    /// Where a reload finds the next one; `None` if there is nothing to reload.
    pub source: Option<Source>,
    /// What a reload changes logging with.
    pub log: Option<LogHandle>,
    /// The sockets that were passed to the process.
    pub passed: Vec<Passed>,
    /// Who is told how it goes.
    pub manager: Manager,
}

impl Server {
    /// Starts to serve by `config`, which no reload changes.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left behind.
    pub fn start(config: Config) -> Result<Self, StartError> {
        Self::start_from(Start {
            loaded: Loaded {
                config,
                files: Vec::new(),
                warnings: Vec::new(),
            },
            source: None,
            log: None,
            passed: Vec::new(),
            manager: Manager::nobody(),
        })
    }

    /// Starts to serve: takes the pid file, binds every address, then accepts.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left behind.
    pub fn start_from(start: Start) -> Result<Self, StartError> {
        let Loaded {
            config,
            files,
            warnings,
        } = start.loaded;
        let config = Arc::new(config);
        let pid_file = config
            .pid
            .as_ref()
            .map(|path| PidFile::create(path.as_path()))
            .transpose()?;
        let room = room(&config)?;
        let mut sockets = Sockets::new(start.passed, &config);
        let bound = sockets.bind(sockets.wanted(&config))?;
        let unheeded = sockets.warnings(&config);
        for warning in warnings.iter().chain(&room.warning).chain(&unheeded) {
            tracing::warn!("{warning}");
        }
        let mut service = Service::new(Arc::clone(&config), room.connections);
        if let Some(log) = &start.log {
            service.log_lines = log.lines();
        }
        service.manager = start.manager;
        let service = Arc::new(service);
        // The last that can fail.
        if let Some(interval) = service.manager.watchdog() {
            watchdog::start(&service, interval).map_err(StartError::Watchdog)?;
        }
        let mut parts = Parts {
            service: Arc::clone(&service),
            source: start.source,
            log: start.log,
            pid_file,
            sockets,
        };
        // Whoever is let in by what follows may at once ask for a reload, for the configuration, and
        // for what happened so far.
        let requests = service.reloader.take_requests();
        parts.tell_running(config, parts::shown(&files));
        service.events.tell(EventKind::Start, |_| {});
        // There was none before, so there is none to close.
        let _ = parts.sockets.commit(&service, bound);
        watch_and_tell(&service);
        let parts = service.tasks.spawn(parts.run(requests));
        // Every address is bound, and the configuration in force: who needs us may start.
        service.manager.ready(&manager::status(&service));
        Ok(Self { service, parts })
    }

    /// Where it listens for RTMP, with the ports that the kernel picked.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.service.addresses().rtmp
    }

    /// Where it serves the API.
    pub fn api_addresses(&self) -> Vec<ApiAddress> {
        self.service.addresses().api
    }

    /// What its parts share: streams, clients, counters.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Ends in order: accepts nobody further, tells every client, and waits for them to be gone,
    /// which takes two seconds at most. What must not be lost is written first, however long that
    /// takes, up to a minute.
    pub async fn stop(self) {
        let Self { service, parts } = self;
        let clients = service.clients.len();
        tracing::info!(
            message_id = MessageId::Stopping.as_str(),
            clients,
            "stopping"
        );
        let status = format!("stopping: {} to be told", plural(clients, "client"));
        service.manager.stopping(&status);
        service.stop.cancel();
        service.tasks.close();
        service.keepers.close();
        let in_time = timeout(STOP_WITHIN, service.tasks.wait()).await.is_ok();
        if !in_time {
            let late = service.tasks.len();
            tracing::warn!("{late} tasks did not end in time and are cut off");
        }
        let is_kept = wait_for_keepers(&service).await;
        // Nobody is left who could be refused.
        service.complaints.tell_rest();
        if service.counters.total() > 0 {
            tracing::info!("incidents since the start: {}", service.counters);
        }
        if in_time && is_kept {
            tracing::info!(message_id = MessageId::Stopped.as_str(), "stopped");
        } else {
            tracing::warn!("stopped, and not all was in order");
        }
        if parts.is_finished() {
            // The pid file goes last.
            drop(parts.await);
        }
    }
}

/// Waits for those that write what must not be lost, and asks systemd for the time. False if they
/// have to be cut off.
async fn wait_for_keepers(service: &Service) -> bool {
    let patience = tokio::time::Instant::now() + KEEP_WITHIN;
    let mut is_told = false;
    while timeout(ASK_EVERY, service.keepers.wait()).await.is_err() {
        let keepers = plural(service.keepers.len(), "part");
        if tokio::time::Instant::now() >= patience {
            tracing::error!(
                "{keepers} had {KEEP_WITHIN:?} to write what must not be lost, and did not end; is a \
                 disk slow or gone?"
            );
            return false;
        }
        if !is_told {
            is_told = true;
            tracing::info!("waiting for {keepers} to write what must not be lost");
        }
        let status = format!("stopping: {keepers} to write what must not be lost");
        service.manager.extend(EXTEND_BY, &status);
    }
    true
}

/// How many connections there may be.
struct Room {
    connections: usize,
    /// Why that is less than `max_connections`, if it is.
    warning: Option<String>,
}

/// Starts what looks at clients, process and host, and what tells of them.
fn watch_and_tell(service: &Arc<Service>) {
    let shared = Arc::clone(service);
    keep_running(service, "sampling", move || {
        until_stop(&shared, sampling::run(Arc::clone(&shared)))
    });
    let shared = Arc::clone(service);
    keep_running(service, "looking at the host", move || {
        let written = Arc::clone(&shared);
        let folders = move || folders_written_to(&written);
        let looks = sysinfo::run(shared.sysinfo.clone(), shared.follow_config(), folders);
        until_stop(&shared, looks)
    });
    let shared = Arc::clone(service);
    keep_running(service, "summing up", move || {
        let subject = Subject {
            clients: shared.clients.clone(),
            hub: shared.hub.clone(),
            counters: Arc::clone(&shared.counters),
        };
        until_stop(&shared, pithy_print::run(subject, shared.follow_config()))
    });
    let shared = Arc::clone(service);
    keep_running(service, "counting the refused", move || {
        until_stop(&shared, complaints::run(Arc::clone(&shared.complaints)))
    });
    let shared = Arc::clone(service);
    keep_running(service, "the heartbeat", move || {
        let teller = Arc::clone(&shared);
        let summaries = move || Answer {
            code: 0,
            identity: teller.identity.clone(),
            data: report::summaries(&teller),
        };
        let told = Told {
            handle: shared.heartbeat.clone(),
            events: shared.events.clone(),
            parts: shared.parts.clone(),
        };
        let beats = heartbeat::run(shared.follow_config(), summaries, told);
        until_stop(&shared, beats)
    });
    let shared = Arc::clone(service);
    keep_running(service, "telling systemd", move || {
        until_stop(&shared, manager::run(Arc::clone(&shared)))
    });
    let shared = Arc::clone(service);
    // It ends by itself, with a last look at its file.
    let fleet = supervised(service, "the fleet", move || {
        let stop = shared.stop.clone();
        fleet::run(shared.fleet.clone(), shared.follow_config(), stop)
    });
    service.keepers.spawn(fleet);
}

fn keep_running<F>(service: &Service, name: &'static str, start: impl FnMut() -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    service.tasks.spawn(supervised(service, name, start));
}

/// What runs `start`, and again if it panics.
fn supervised<F, S>(
    service: &Service,
    name: &'static str,
    start: S,
) -> impl Future<Output = ()> + Send + use<F, S>
where
    F: Future<Output = ()> + Send + 'static,
    S: FnMut() -> F + Send + 'static,
{
    let stop = service.stop.clone();
    let part = service.parts.register(PartKind::Task, name, "");
    async move { supervise::keep_running(name, &part, &stop, start).await }
}

/// The folders that the server writes to: that of its log file, that of its state, and that of what
/// it keeps of the fleet, if it does.
fn folders_written_to(service: &Service) -> Vec<PathBuf> {
    let log = match service.reloader.log_place() {
        LogPlace::File { path } => Some(folder_of(Path::new(&path))),
        LogPlace::Console | LogPlace::Journald => None,
    };
    let fleet = &service.config().fleet;
    let fleet = fleet.enabled.then(|| folder_of(fleet.file.as_path()));
    log.into_iter()
        .chain([STATE_FOLDER.into()])
        .chain(fleet)
        .collect()
}

/// The folder that `file` is in; of a mere name, the working directory.
fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Runs `part` until the server stops.
fn until_stop<P: Future<Output = ()> + Send>(
    service: &Service,
    part: P,
) -> impl Future<Output = ()> + Send + use<P> {
    let stop = service.stop.clone();
    async move {
        stop.run_until_cancelled(part).await;
    }
}

/// `max_connections`, as far as the limit on open files lets it. A number that the operator wrote
/// must fit; the default gives way.
fn room(config: &Config) -> Result<Room, descriptors::TooFewDescriptors> {
    let limit = descriptors::raise();
    let reserve = config.http_api.reserved_descriptors();
    match descriptors::check(config.max_connections, reserve, limit) {
        Ok(()) => Ok(Room {
            connections: config.max_connections,
            warning: None,
        }),
        // The default gives way, as long as anybody at all can be served.
        Err(error)
            if limit.connections(reserve) > 0
                && config.max_connections == Config::default().max_connections =>
        {
            Ok(Room {
                connections: usize::try_from(limit.connections(reserve)).unwrap_or(usize::MAX),
                warning: Some(format!("{error}; until then, further ones are refused")),
            })
        }
        Err(error) => Err(error),
    }
}

/// Where packages have the server keep what is to outlast it.
const STATE_FOLDER: &str = "/var/lib/srs";
/// Sessions give their farewells half a second; the rest is for a busy machine.
const STOP_WITHIN: Duration = Duration::from_millis(1_500);
/// A disk that takes longer than this does not come back.
const KEEP_WITHIN: Duration = Duration::from_secs(60);
/// How often systemd is asked for more time, and for how much: it must not run out between.
const ASK_EVERY: Duration = Duration::from_secs(1);
const EXTEND_BY: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FilePath;

    #[test]
    fn the_disk_of_the_fleets_file_is_looked_at_too() {
        let folders = |enabled, file: &str| {
            let mut config = Config::default();
            config.fleet.enabled = enabled;
            config.fleet.file = FilePath::new(file).unwrap();
            let service = Service::new(Arc::new(config), 100);
            folders_written_to(&service)
        };
        assert_eq!(
            folders(true, "/data/fleet.json"),
            ["/var/lib/srs", "/data"].map(PathBuf::from)
        );
        assert_eq!(
            folders(true, "fleet.json"),
            ["/var/lib/srs", "."].map(PathBuf::from)
        );
        assert_eq!(
            folders(false, "/data/fleet.json"),
            [PathBuf::from("/var/lib/srs")]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_waits_for_what_must_not_be_lost_and_asks_for_the_time() {
        let (manager, told) = Manager::test(None);
        let mut service = Service::new(Arc::new(Config::default()), 100);
        service.manager = manager;
        service
            .keepers
            .spawn(tokio::time::sleep(Duration::from_millis(3_500)));
        service.keepers.close();
        let began = tokio::time::Instant::now();
        assert!(wait_for_keepers(&service).await);
        assert_eq!(began.elapsed(), Duration::from_millis(3_500));
        let told: Vec<String> = std::mem::take(&mut told.lock().unwrap());
        let asked =
            "EXTEND_TIMEOUT_USEC=10000000\nSTATUS=stopping: 1 part to write what must not be lost";
        assert_eq!(told, [asked; 3]);

        // But not for ever.
        let service = Service::new(Arc::new(Config::default()), 100);
        service.keepers.spawn(std::future::pending::<()>());
        service.keepers.close();
        let began = tokio::time::Instant::now();
        assert!(!wait_for_keepers(&service).await);
        assert_eq!(began.elapsed().as_secs(), KEEP_WITHIN.as_secs());
    }
}
