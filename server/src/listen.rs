//! Sockets that clients come in by, and the loop that accepts them.
//!
//! - [`sockets`]: which are open, and how they become those that should be; [`unix`]: their files;
//!   [`passed`]: those that systemd has opened for us; `accept`: the loop;
//! - [`rtmp`], [`http`]: what becomes of whoever comes in.

mod accept;
pub mod http;
pub mod passed;
pub mod rtmp;
pub mod sockets;
pub mod unix;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use self::unix::UnixError;

use crate::config::ListenAddr;
use crate::control::clients::{Admission, NotAdmitted};
use crate::control::complaints::Subject;
use crate::control::counters::Incident;
use crate::control::logging::{self, MessageId};
use crate::control::parts::Inside;
use crate::control::watchdog::pulse::Kind;
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
    /// A socket that was bound cannot tell where.
    #[error("cannot tell the address of a listening socket")]
    Unknown(#[source] io::Error),
    /// A socket that was passed cannot be waited at.
    #[error("cannot listen at a socket that systemd passes")]
    Passed(#[source] io::Error),
    /// A unix socket cannot be had.
    #[error(transparent)]
    Unix(#[from] UnixError),
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

/// Accepts clients until `stop`, and then those who wait already. Each gets a task of its own.
pub async fn accept_rtmp(service: Arc<Service>, listener: TcpListener, stop: CancellationToken) {
    let address = listener.local_addr().map(|address| address.to_string());
    let address = address.unwrap_or_default();
    let (_part, clients) = service.parts.register_listener(&address);
    let turn = service.pulse.join(Kind::Listener, address);
    let admit = |(socket, peer)| admit(&service, socket, peer, clients.enter());
    accept::accept(listener, &turn, &stop, &service.stop, admit).await;
}

/// Serves a client, if there is room.
fn admit(service: &Arc<Service>, socket: TcpStream, peer: SocketAddr, inside: Inside) {
    let config = service.config();
    let admission = Admission {
        connections: service.max_connections(),
        per_address: config.limits.connections_per_address.map(Into::into),
    };
    match service.clients.admit(peer, admission) {
        Ok(admitted) => {
            let span = logging::client_span(admitted.client().id, peer);
            let service = Arc::clone(service);
            let place = (admitted, inside);
            let session = rtmp::serve(Arc::clone(&service), config, socket, place, span.clone());
            service.tasks.spawn(session.instrument(span));
        }
        Err(refusal) => {
            service.counters.count(match refusal {
                NotAdmitted::TooMany { .. } => Incident::TooManyConnections,
                NotAdmitted::TooManyFromAddress { .. } => Incident::TooManyFromAddress,
            });
            let ip = peer.ip().to_canonical();
            let peer = SocketAddr::new(ip, peer.port());
            let complaints = &service.complaints;
            if complaints.may_tell(Subject::Clients, Some(ip), &peer, &refusal) {
                tracing::warn!(message_id = MessageId::ConnectionRefused.as_str(), %peer, "refused a connection: {refusal}");
            } else {
                tracing::debug!(%peer, "refused a connection: {refusal}");
            }
        }
    }
}

/// How many connections the kernel holds for us while we are busy; it takes the smaller of this
/// and net.core.somaxconn.
const BACKLOG: i32 = 4096;
