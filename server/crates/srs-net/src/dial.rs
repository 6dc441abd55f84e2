//! Opening a connection to a server.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use srs_rtmp::url::RtmpUrl;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// Why a server could not be reached. Each says where.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The host has no address.
    #[error("cannot find the address of {host}")]
    Resolve {
        /// The host that was asked for.
        host: String,
        /// What the resolver said.
        #[source]
        source: io::Error,
    },
    /// No address of the host answered; the last failure counts.
    #[error("cannot connect to {address}")]
    Connect {
        /// The address that was tried last.
        address: SocketAddr,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// No address of the host answered in time.
    #[error("{address} did not answer within {within:?}")]
    Timeout {
        /// The address that was tried last.
        address: SocketAddr,
        /// The time that it had.
        within: Duration,
    },
    /// The host name resolves to nothing.
    #[error("{host} has no address")]
    NoAddress {
        /// The host that was asked for.
        host: String,
    },
}

/// Connects to the server of `url`, trying each of its addresses for at most `within`.
///
/// # Errors
/// [`DialError`], about the last address that was tried.
pub async fn connect(url: &RtmpUrl, within: Duration) -> Result<TcpStream, DialError> {
    let host = url.host().to_owned();
    let addresses = lookup_host((url.host(), url.port()))
        .await
        .map_err(|source| DialError::Resolve {
            host: host.clone(),
            source,
        })?;
    let mut failure = DialError::NoAddress { host };
    for address in addresses {
        failure = match timeout(within, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(source)) => DialError::Connect { address, source },
            Err(_) => DialError::Timeout { address, within },
        };
    }
    Err(failure)
}
