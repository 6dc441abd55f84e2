//! Sockets that a service manager has opened and passes on, as sd_listen_fds(3) has it.
//!
//! They belong to the manager, which keeps them open when the daemon ends: whoever connects then
//! waits for the next one. So they are never closed by a reload, and nobody who waits at them is
//! let in by a server that stops. What each is for is told by its address, if the configuration
//! has it, else by its name (`FileDescriptorName=` of the socket unit).

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use listenfd::ListenFd;
use socket2::SockRef;

use super::unix;
use crate::config::{ApiAddr, Config, ListenAddr};

/// What comes in by a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// RTMP.
    Rtmp,
    /// Requests for media over HTTP.
    Http,
    /// Requests to the HTTP API.
    Api,
}

/// A socket that was passed, of whose use nothing is known but its name.
#[derive(Debug)]
pub struct Passed {
    name: String,
    listener: PassedListener,
}

#[derive(Debug)]
enum PassedListener {
    Tcp(TcpListener, TcpPlace),
    Unix(UnixListener, PathBuf),
}

/// Why passed sockets cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum PassedError {
    /// The environment is not as sd_listen_fds(3) has it.
    #[error("the sockets that systemd passes cannot be told apart (LISTEN_FDS, LISTEN_FDNAMES)")]
    Environment(#[source] io::Error),
    /// A descriptor that is no socket that clients could come in by.
    #[error(
        "socket {number} ({name:?}) that systemd passes cannot be used: {why}; a socket unit for \
         srs has ListenStream=, and no Accept=yes"
    )]
    Unusable {
        /// Its place among those passed, from 1.
        number: usize,
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Takes over the sockets that were passed to this process, and clears `LISTEN_FDS` and `LISTEN_PID`,
/// so that no child takes them for its own. To be called once, before there are threads.
///
/// Two crates do it: sd-notify knows the names, and listenfd makes sockets of numbers, which needs
/// code that is not safe and that we need not have.
///
/// # Errors
/// [`PassedError`].
pub fn from_environment() -> Result<Vec<Passed>, PassedError> {
    let passed = sd_notify::listen_fds_with_names().map_err(PassedError::Environment)?;
    let names: Vec<String> = passed.map(|(_, name)| name).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut descriptors = ListenFd::from_env();
    let take = |(index, name): (usize, String)| {
        let listener = take(&mut descriptors, index).map_err(|why| PassedError::Unusable {
            number: index + 1,
            name: name.clone(),
            why,
        })?;
        Ok(Passed { name, listener })
    };
    names.into_iter().enumerate().map(take).collect()
}

fn take(descriptors: &mut ListenFd, index: usize) -> Result<PassedListener, String> {
    if let Ok(Some(listener)) = descriptors.take_tcp_listener(index) {
        return PassedListener::tcp(listener);
    }
    match descriptors.take_unix_listener(index) {
        Ok(Some(listener)) => PassedListener::unix(listener),
        _ => Err("it is neither a TCP nor a unix stream socket".to_owned()),
    }
}

impl PassedListener {
    fn tcp(listener: TcpListener) -> Result<Self, String> {
        let socket = SockRef::from(&listener);
        check(&socket)?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        // Only a socket of IPv6 has the option.
        let is_dual = address.is_ipv6() && !socket.only_v6().unwrap_or(true);
        Ok(Self::Tcp(listener, TcpPlace { address, is_dual }))
    }

    fn unix(listener: UnixListener) -> Result<Self, String> {
        check(&SockRef::from(&listener))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let path = address.as_pathname().map(Path::to_owned);
        Ok(Self::Unix(
            listener,
            path.ok_or("it has no file that clients could find it by")?,
        ))
    }
}

fn check(socket: &SockRef<'_>) -> Result<(), String> {
    if !socket.is_listener().map_err(|error| error.to_string())? {
        return Err("nobody can connect to it, as it does not listen".to_owned());
    }
    socket
        .set_nonblocking(true)
        .map_err(|error| error.to_string())
}

impl Passed {
    /// A TCP socket with this name, as a manager would pass it.
    ///
    /// # Errors
    /// It does not listen.
    #[cfg(test)]
    pub(super) fn of_tcp(name: &str, listener: TcpListener) -> Result<Self, String> {
        Ok(Self {
            name: name.to_owned(),
            listener: PassedListener::tcp(listener)?,
        })
    }

    /// A unix socket with this name, as a manager would pass it.
    ///
    /// # Errors
    /// It does not listen.
    #[cfg(test)]
    pub(super) fn of_unix(name: &str, listener: UnixListener) -> Result<Self, String> {
        Ok(Self {
            name: name.to_owned(),
            listener: PassedListener::unix(listener)?,
        })
    }

    /// What it is for: what `config` has at its address, else what its name says. `None`, with a
    /// warning in the log, if neither tells; then it is closed, as far as we can.
    pub(super) fn into_handed(self, config: &Config) -> Option<Handed> {
        let place = match &self.listener {
            PassedListener::Tcp(_, place) => HandedPlace::Tcp(*place),
            PassedListener::Unix(_, path) => HandedPlace::Unix {
                path: path.clone(),
                id: unix::id_of(path).ok(),
            },
        };
        let is_rtmp = config.listen.iter().any(|wanted| place.serves_rtmp(wanted));
        let is_api = config.http_api.listen.iter().any(|a| place.serves_api(a));
        let role = if is_rtmp {
            Role::Rtmp
        } else if is_api {
            Role::Api
        } else {
            match (self.name.as_str(), &self.listener) {
                ("rtmp" | "srs.socket" | NAMELESS, PassedListener::Tcp(..)) => Role::Rtmp,
                ("http" | "srs-http.socket", PassedListener::Tcp(..)) => Role::Http,
                ("api" | "srs-api.socket", _) | (NAMELESS, PassedListener::Unix(..)) => Role::Api,
                (name, _) => {
                    tracing::warn!(
                        name,
                        %place,
                        "systemd passes a socket whose use nobody can tell, and nobody is served at \
                         it: its unit should have FileDescriptorName=rtmp, http (both TCP) or api, \
                         or the configuration its address"
                    );
                    return None;
                }
            }
        };
        Some(Handed {
            role,
            place,
            listener: Some(self.listener),
        })
    }
}

/// A socket that was passed, and what it is for.
#[derive(Debug)]
pub(super) struct Handed {
    pub(super) role: Role,
    pub(super) place: HandedPlace,
    /// Taken when it is opened.
    listener: Option<PassedListener>,
}

/// What a socket is called by a systemd that has no names for them (before 227: CentOS 7). Those that
/// it passes to us are for RTMP, and a unix socket for the API.
const NAMELESS: &str = "unknown";

/// Where a TCP socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TcpPlace {
    pub(super) address: SocketAddr,
    /// Whether it is for IPv4, too, though its address is one of IPv6.
    is_dual: bool,
}

/// Where a passed socket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HandedPlace {
    Tcp(TcpPlace),
    Unix {
        path: PathBuf,
        /// Device and inode of its file, if it was there.
        id: Option<(u64, u64)>,
    },
}

/// What a passed socket is opened with.
pub(super) enum HandedListener {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}

impl Handed {
    /// The socket, the first time.
    pub(super) fn take(&mut self) -> io::Result<Option<HandedListener>> {
        self.listener
            .take()
            .map(|listener| {
                Ok(match listener {
                    PassedListener::Tcp(listener, _) => {
                        HandedListener::Tcp(tokio::net::TcpListener::from_std(listener)?)
                    }
                    PassedListener::Unix(listener, _) => {
                        HandedListener::Unix(tokio::net::UnixListener::from_std(listener)?)
                    }
                })
            })
            .transpose()
    }

    /// Whether whoever comes to `wanted` for RTMP comes in by it.
    pub(super) fn serves_rtmp(&self, wanted: &ListenAddr) -> bool {
        self.role == Role::Rtmp && self.place.serves_rtmp(wanted)
    }

    /// Whether whoever comes to `wanted` for the API comes in by it.
    pub(super) fn serves_api(&self, wanted: &ApiAddr) -> bool {
        self.role == Role::Api && self.place.serves_api(wanted)
    }

    /// Whether it can stand in for the address of the configuration's default: there is a way to
    /// what the role serves.
    pub(super) fn is_way_to(&self, role: Role) -> bool {
        self.role == role && self.place.can_be_reached()
    }
}

impl HandedPlace {
    fn serves_rtmp(&self, wanted: &ListenAddr) -> bool {
        matches!(self, Self::Tcp(place) if place.covers(wanted))
    }

    fn serves_api(&self, wanted: &ApiAddr) -> bool {
        match (self, wanted) {
            (Self::Tcp(place), ApiAddr::Tcp(wanted)) => place.covers(wanted),
            (Self::Unix { path, .. }, ApiAddr::Unix(wanted)) => {
                path == wanted.as_path() && self.can_be_reached()
            }
            _ => false,
        }
    }

    /// Whether it is what somebody means who writes `wanted`: no more, and no less.
    pub(super) fn is(&self, wanted: &ListenAddr) -> bool {
        let Self::Tcp(place) = self else {
            return false;
        };
        match wanted.ip() {
            None => place.covers(wanted),
            Some(_) => ListenAddr::from(place.address) == *wanted,
        }
    }

    /// Whether the file of a unix socket is still the one that was passed: somebody may have removed
    /// it, and systemd 219 does at every restart.
    fn can_be_reached(&self) -> bool {
        match self {
            Self::Tcp(_) => true,
            Self::Unix { path, id } => id.is_some() && unix::id_of(path).ok() == *id,
        }
    }
}

impl fmt::Display for HandedPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(place) => place.address.fmt(f),
            Self::Unix { path, .. } => write!(f, "unix:{}", path.display()),
        }
    }
}

impl TcpPlace {
    /// Whether there is no room for a socket at `wanted` beside it, or no need: whoever comes there
    /// comes in by it. A port alone means all addresses; where the socket unit says that they are
    /// those of one family, they are.
    fn covers(self, wanted: &ListenAddr) -> bool {
        let is_all = self.address.ip().is_unspecified() && self.address.port() == wanted.port();
        match wanted.ip() {
            None => is_all,
            Some(ip) if ip.is_ipv4() && is_all && self.is_dual => true,
            Some(_) => ListenAddr::from(self.address).covers(wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(name: &str) -> (Passed, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (Passed::of_tcp(name, listener).unwrap(), address)
    }

    #[test]
    fn a_socket_is_for_what_its_address_says_else_for_its_name() {
        let (rtmp, api) = ("listen = [\"HERE\"]", "[http_api]\nlisten = [\"HERE\"]");
        for (name, config, expected) in [
            ("rtmp", "", Some(Role::Rtmp)),
            ("srs.socket", "", Some(Role::Rtmp)),
            ("http", "", Some(Role::Http)),
            ("api", "", Some(Role::Api)),
            ("unknown", "", Some(Role::Rtmp)),
            ("spare", "", None),
            ("", "", None),
            ("spare", rtmp, Some(Role::Rtmp)),
            ("api", rtmp, Some(Role::Rtmp)),
            ("rtmp", api, Some(Role::Api)),
        ] {
            let (passed, address) = tcp(name);
            let config = config.replace("HERE", &address.to_string());
            let config = Config::parse(&config, "test").unwrap();
            let handed = passed.into_handed(&config);
            assert_eq!(handed.map(|h| h.role), expected, "{name:?} of {config:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        for (name, expected) in [
            ("api", Some(Role::Api)),
            ("unknown", Some(Role::Api)),
            ("rtmp", None),
            ("http", None),
        ] {
            let listener = UnixListener::bind(folder.path().join(name)).unwrap();
            let handed = Passed::of_unix(name, listener).unwrap();
            let handed = handed.into_handed(&Config::default());
            assert_eq!(handed.map(|h| h.role), expected, "{name:?}, a unix socket");
        }
    }

    #[test]
    fn a_socket_covers_what_comes_in_by_it() {
        for (passed, is_dual, wanted, expected) in [
            ("[::]:1935", true, "1935", true),
            ("[::]:1935", true, "127.0.0.1:1935", true),
            ("[::]:1935", true, "[::1]:1935", true),
            ("[::]:1935", true, "1936", false),
            ("[::]:1935", false, "1935", true),
            ("[::]:1935", false, "[::1]:1935", true),
            ("[::]:1935", false, "127.0.0.1:1935", false),
            ("[::]:1935", false, "0.0.0.0:1935", false),
            ("0.0.0.0:1935", false, "1935", true),
            ("0.0.0.0:1935", false, "192.0.2.1:1935", true),
            ("0.0.0.0:1935", false, "[::1]:1935", false),
            ("127.0.0.1:1935", false, "127.0.0.1:1935", true),
            ("127.0.0.1:1935", false, "1935", false),
            ("127.0.0.1:1935", false, "192.0.2.1:1935", false),
        ] {
            let (address, to) = (passed.parse().unwrap(), wanted.parse().unwrap());
            let place = TcpPlace { address, is_dual };
            assert_eq!(place.covers(&to), expected, "{place:?} and {wanted}");
        }
    }

    #[test]
    fn a_unix_socket_whose_file_is_gone_serves_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let passed = Passed::of_unix("api", listener).unwrap();
        let handed = passed.into_handed(&Config::default()).unwrap();
        assert!(handed.is_way_to(Role::Api));
        assert!(!handed.is_way_to(Role::Rtmp));
        std::fs::rename(&path, folder.path().join("other")).unwrap();
        assert!(!handed.is_way_to(Role::Api));
        let _other = UnixListener::bind(&path).unwrap();
        assert!(
            !handed.is_way_to(Role::Api),
            "the file is of another socket"
        );
    }

    #[test]
    fn a_socket_that_nobody_can_connect_to_is_refused() {
        use socket2::{Domain, Socket, Type};
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let error = Passed::of_tcp("rtmp", socket.into()).unwrap_err();
        assert!(error.contains("does not listen"), "{error}");
    }
}
