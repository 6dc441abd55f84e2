//! What runs: the parts of a server, built from a configuration; the order of start and stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::config::Config;
use crate::control::descriptors;
use crate::control::pid_file::{PidFile, PidFileError};
use crate::control::pithy_print::{self, Subject};
use crate::listen::{self, ListenError};
use crate::service::Service;

/// Why a server cannot start.
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
    /// A socket that was bound cannot tell its address.
    #[error("cannot tell the address of a listening socket")]
    Address(#[source] io::Error),
}

/// A running server. It serves from [`Server::start`] to [`Server::stop`].
#[derive(Debug)]
pub struct Server {
    service: Arc<Service>,
    addresses: Vec<SocketAddr>,
    /// Held while the server runs, removed when it is dropped.
    _pid_file: Option<PidFile>,
}

impl Server {
    /// Starts to serve: takes the pid file, binds every address, then accepts.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left behind.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let pid_file = config
            .pid
            .as_ref()
            .map(|path| PidFile::create(path.as_path()))
            .transpose()?;
        let max_connections = connections_that_fit(&config)?;
        let listeners: Vec<TcpListener> = config
            .listen
            .iter()
            .map(listen::bind)
            .collect::<Result<_, _>>()?;
        let addresses: Vec<SocketAddr> = listeners
            .iter()
            .map(TcpListener::local_addr)
            .collect::<Result<_, _>>()
            .map_err(StartError::Address)?;
        let service = Arc::new(Service::new(Arc::new(config), max_connections));
        for (listener, address) in listeners.into_iter().zip(&addresses) {
            tracing::info!("listening for RTMP on {address}");
            service
                .tasks
                .spawn(listen::accept_rtmp(Arc::clone(&service), listener));
        }
        let subject = Subject {
            clients: service.clients.clone(),
            hub: service.hub.clone(),
            counters: Arc::clone(&service.counters),
        };
        let print = pithy_print::run(subject, service.config().pithy_print.clone());
        let stop = service.stop.clone();
        service
            .tasks
            .spawn(async move { stop.run_until_cancelled(print).await });
        Ok(Self {
            service,
            addresses,
            _pid_file: pid_file,
        })
    }

    /// Where it listens, with the ports that the kernel picked.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What its parts share: streams, clients, counters.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Ends in order: accepts nobody further, tells every client, and waits for them to be gone.
    /// Takes two seconds at most.
    pub async fn stop(self) {
        let clients = self.service.clients.len();
        tracing::info!(clients, "stopping");
        self.service.stop.cancel();
        self.service.tasks.close();
        if timeout(STOP_WITHIN, self.service.tasks.wait())
            .await
            .is_err()
        {
            let late = self.service.tasks.len();
            tracing::warn!("{late} tasks did not end in time and are cut off");
        }
        if self.service.counters.total() > 0 {
            tracing::info!("incidents since the start: {}", self.service.counters);
        }
        tracing::info!("stopped");
    }
}

/// `max_connections`, as far as the limit on open files lets it. A number that the operator wrote
/// must fit; the default gives way.
fn connections_that_fit(config: &Config) -> Result<usize, StartError> {
    let limit = descriptors::raise();
    match descriptors::check(config.max_connections, limit) {
        Ok(()) => Ok(config.max_connections),
        // The default gives way, as long as anybody at all can be served.
        Err(error)
            if limit.connections() > 0
                && config.max_connections == Config::default().max_connections =>
        {
            tracing::warn!("{error}; until then, further ones are refused");
            Ok(usize::try_from(limit.connections()).unwrap_or(usize::MAX))
        }
        Err(error) => Err(error.into()),
    }
}

/// Sessions give their farewells half a second; the rest is for a busy machine.
const STOP_WITHIN: Duration = Duration::from_millis(1_500);
