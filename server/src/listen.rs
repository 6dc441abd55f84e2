//! Sockets that clients come in by, and the loop that accepts them.

pub mod rtmp;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};
use tracing::Instrument;

use crate::config::ListenAddr;
use crate::control::clients::{Admission, NotAdmitted};
use crate::control::counters::Incident;
use crate::control::logging;
use crate::service::Service;

/// Why an address cannot be listened at, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody else has the port.
    #[error(
        "cannot listen on {address}: the address is in use; `ss -ltnp 'sport = :{}'` shows by whom",
        address.port()
    )]
    InUse {
        /// The address.
        address: SocketAddr,
    },
    /// The port is a privileged one.
    #[error(
        "cannot listen on {address}: permission denied; ports below 1024 need CAP_NET_BIND_SERVICE \
         or a socket passed by systemd"
    )]
    Permission {
        /// The address.
        address: SocketAddr,
    },
    /// The address is not one of this machine's.
    #[error("cannot listen on {address}: no interface of this machine has this address")]
    NotOurs {
        /// The address.
        address: SocketAddr,
    },
    /// Anything else.
    #[error("cannot listen on {address}")]
    Other {
        /// The address.
        address: SocketAddr,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

impl ListenError {
    fn new(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::InUse { address },
            io::ErrorKind::PermissionDenied => Self::Permission { address },
            io::ErrorKind::AddrNotAvailable => Self::NotOurs { address },
            _ => Self::Other { address, source },
        }
    }
}

/// Binds one configured address. Without an IP it is all of them, IPv6 and IPv4, or IPv4 alone
/// where the machine has no IPv6.
///
/// # Errors
/// [`ListenError`], with the address.
pub fn bind(address: &ListenAddr) -> Result<TcpListener, ListenError> {
    let Some(ip) = address.ip() else {
        let both = SocketAddr::from((Ipv6Addr::UNSPECIFIED, address.port()));
        return match bind_socket(both, false) {
            Err(error) if lacks_ipv6(&error) => {
                let all = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
                bind_socket(all, false).map_err(|source| ListenError::new(all, source))
            }
            bound => bound.map_err(|source| ListenError::new(both, source)),
        };
    };
    let address = SocketAddr::from((ip, address.port()));
    bind_socket(address, true).map_err(|source| ListenError::new(address, source))
}

fn lacks_ipv6(error: &io::Error) -> bool {
    // EAFNOSUPPORT: no IPv6 in the kernel. EADDRNOTAVAIL: switched off by sysctl.
    matches!(
        error.kind(),
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported
    ) || error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

fn bind_socket(address: SocketAddr, only_v6: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(only_v6)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Accepts clients until the service stops. Each gets a task of its own.
pub async fn accept_rtmp(service: Arc<Service>, listener: TcpListener) {
    let mut trouble = AcceptTrouble::default();
    loop {
        let accepted = tokio::select! {
            () = service.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                trouble.wait(&error).await;
                continue;
            }
        };
        trouble.passed();
        let config = service.config();
        let admission = Admission {
            connections: service.max_connections,
            per_address: config.limits.connections_per_address.map(Into::into),
        };
        match service.clients.admit(peer, admission) {
            Ok(admitted) => {
                let span = logging::client_span(admitted.client().id, peer);
                let session =
                    rtmp::serve(Arc::clone(&service), config, socket, admitted, span.clone());
                service.tasks.spawn(session.instrument(span));
            }
            Err(refusal) => {
                service.counters.count(match refusal {
                    NotAdmitted::TooMany { .. } => Incident::TooManyConnections,
                    NotAdmitted::TooManyFromAddress { .. } => Incident::TooManyFromAddress,
                });
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                tracing::warn!(%peer, "refused a connection: {refusal}");
            }
        }
    }
}

/// Waits after a failed accept, longer each time: out of descriptors, trying at once would only
/// burn the processor.
#[derive(Debug, Default)]
struct AcceptTrouble {
    since: Option<Instant>,
    pause: Duration,
}

impl AcceptTrouble {
    async fn wait(&mut self, error: &io::Error) {
        // The peer has gone before we came to it: nothing is wrong with us.
        if matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
        ) {
            return;
        }
        if self.since.is_none() {
            self.since = Some(Instant::now());
            tracing::error!(
                "cannot accept connections: {error}; trying again until it works \
                 (for \"too many open files\" raise LimitNOFILE= or `ulimit -n`)"
            );
        }
        self.pause = (self.pause * 2).clamp(Duration::from_millis(10), Duration::from_secs(1));
        sleep(self.pause).await;
    }

    fn passed(&mut self) {
        if let Some(since) = self.since.take() {
            let seconds = since.elapsed().as_secs();
            tracing::info!("accepting connections again, after {seconds} s");
            self.pause = Duration::ZERO;
        }
    }
}

/// How many connections the kernel holds for us while we are busy; it takes the smaller of this
/// and net.core.somaxconn.
const BACKLOG: i32 = 4096;
