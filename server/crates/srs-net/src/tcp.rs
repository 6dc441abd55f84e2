//! What every RTMP socket is set to, and what the kernel knows of it.

use std::fs;
use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use nix::sys::socket::GetSockOpt as _;
use nix::{getsockopt_impl, libc, sockopt_impl};
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

/// How a connection goes, as the kernel measures it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpInfo {
    /// The round trip to the peer and back, smoothed.
    pub round_trip: Duration,
    /// Segments that had to be sent again since the connection began.
    pub retransmits: u32,
}

/// Asks the kernel how a connection goes.
///
/// # Errors
/// The kernel does not say: the socket is closed already.
pub fn info(socket: &TcpStream) -> io::Result<TcpInfo> {
    let words = Info.get(socket)?;
    Ok(TcpInfo {
        round_trip: Duration::from_micros(words[RTT].into()),
        retransmits: words[TOTAL_RETRANS],
    })
}

sockopt_impl!(
    /// `TCP_INFO` up to `tcpi_total_retrans`, as words: so much of it every kernel gives, while
    /// what the C library declares grows with each new one.
    Info,
    GetOnly,
    libc::IPPROTO_TCP,
    libc::TCP_INFO,
    [u32; TOTAL_RETRANS + 1]
);

/// The word of `tcpi_rtt`, in microseconds.
const RTT: usize = 17;
/// The word of `tcpi_total_retrans`.
const TOTAL_RETRANS: usize = 25;

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

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn the_words_are_those_of_the_kernel() {
        assert_eq!(offset_of!(libc::tcp_info, tcpi_rtt), RTT * 4);
        let place = offset_of!(libc::tcp_info, tcpi_total_retrans);
        assert_eq!(place, TOTAL_RETRANS * 4);
    }

    #[tokio::test]
    async fn a_connection_has_a_round_trip() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let mut peer = TcpStream::connect(address).await.expect("it listens");
        let (mut socket, _) = listener.accept().await.expect("the peer has connected");
        socket.write_all(b"hi").await.expect("the peer is there");
        peer.read_exact(&mut [0; 2]).await.expect("it was sent");
        let info = info(&socket).expect("it is open");
        assert!(info.round_trip < Duration::from_secs(1), "{info:?}");
        assert!(info.round_trip > Duration::ZERO, "{info:?}");
        assert_eq!(info.retransmits, 0);
    }
}
