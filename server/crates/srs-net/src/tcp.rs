//! What every RTMP socket is set to.

use std::fs;
use std::io;
use std::sync::OnceLock;
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

/// Sets how many bytes the kernel holds for the peer, instead of letting it choose as the
/// connection goes. It takes no more than [`largest_send_buffer`].
///
/// # Errors
/// The kernel refuses the option: the socket is closed already.
pub fn set_send_buffer(socket: &TcpStream, bytes: usize) -> io::Result<()> {
    SockRef::from(socket).set_send_buffer_size(bytes)
}

/// The largest send buffer that a socket may be set to (net.core.wmem_max), in bytes; `None` if the
/// system does not tell.
pub fn largest_send_buffer() -> Option<usize> {
    static LARGEST: OnceLock<Option<usize>> = OnceLock::new();
    *LARGEST.get_or_init(|| {
        let text = fs::read_to_string("/proc/sys/net/core/wmem_max").ok()?;
        text.trim().parse().ok()
    })
}

const PROBE_AFTER: Duration = Duration::from_secs(10);
const PROBE_INTERVAL: Duration = Duration::from_secs(5);
