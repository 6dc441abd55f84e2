//! Who brings a request.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Where an HTTP connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpPeer {
    /// A process of this host that may write to our unix socket.
    Unix {
        /// The user that it runs as, if the kernel told.
        uid: Option<u32>,
    },
    /// Anybody who reaches our TCP port.
    Tcp(SocketAddr),
}

impl HttpPeer {
    /// Its address, if it has one. An IPv4 address is one however it came.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Unix { .. } => None,
            Self::Tcp(address) => Some(address.ip().to_canonical()),
        }
    }
}

impl fmt::Display for HttpPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix { uid: Some(uid) } => write!(f, "unix:uid={uid}"),
            Self::Unix { uid: None } => f.write_str("unix"),
            Self::Tcp(address) => {
                SocketAddr::new(address.ip().to_canonical(), address.port()).fmt(f)
            }
        }
    }
}
