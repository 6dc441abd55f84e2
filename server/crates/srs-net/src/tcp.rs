//! What every RTMP socket is set to.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// Sets a socket up for live media: no delay for small writes, and a peer that is gone is noticed
/// whether we send (data unacknowledged for `dead_after`) or only listen (keep-alive probes).
///
/// # Errors
/// The kernel refuses an option: the socket is closed already.
pub fn prepare(socket: &TcpStream, dead_after: Duration) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let socket = SockRef::from(socket);
    let probes = TcpKeepalive::new()
        .with_time(PROBE_AFTER)
        .with_interval(PROBE_INTERVAL);
    socket.set_tcp_keepalive(&probes)?;
    // With keep-alive on, this also bounds how long probes go unanswered (RFC 5482, 4).
    socket.set_tcp_user_timeout(Some(dead_after))
}

/// Acknowledges what has come now, and the next segments without delay.
///
/// # Errors
/// The kernel refuses the option: the socket is closed already.
pub fn acknowledge_at_once(socket: &TcpStream) -> io::Result<()> {
    SockRef::from(socket).set_tcp_quickack(true)
}

const PROBE_AFTER: Duration = Duration::from_secs(10);
const PROBE_INTERVAL: Duration = Duration::from_secs(5);
