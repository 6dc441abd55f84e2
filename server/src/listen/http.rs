//! One HTTP connection's way: a place among the others, requests one after the other, an end.
//!
//! What a peer can do to us is bounded here: how many there are, how long a header and its way to
//! us may be, how long one may do nothing, how long one may not read. Who may ask for what is the
//! business of [`Api`]. Media is not served over HTTP yet, which [`media`] tells.

pub mod media;
mod stall;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use srs_net::tcp;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::stall::Stalling;
use super::accept;
use crate::control::api::{Api, HttpPeer, NoPlace, Place};
use crate::control::complaints::Subject;
use crate::control::logging::MessageId;
use crate::control::parts::Inside;
use crate::control::watchdog::pulse::Kind;
use crate::service::Service;

/// What a connection may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// How long a request's header may take, from the moment that one is waited for: this also
    /// ends connections that nobody uses.
    pub header: Duration,
    /// How long a peer may take no byte of what is sent to it.
    pub stall: Duration,
}

impl HttpLimits {
    fn new(service: &Service) -> Self {
        Self {
            header: HEADER_WITHIN,
            stall: service.config().limits.send_timeout,
        }
    }
}

/// Accepts clients of the API until `stop`, and those who have connected before it. Each gets a
/// task of its own, and ends with the address.
pub async fn accept_tcp(service: Arc<Service>, listener: TcpListener, stop: CancellationToken) {
    let all_stops = service.stop.clone();
    let address = listener.local_addr().map(|address| address.to_string());
    let address = address.unwrap_or_default();
    let (_part, clients) = service.parts.register_listener(&address);
    let turn = service.pulse.join(Kind::Listener, address);
    let api = Arc::new(Api::new(service));
    let admit = |(socket, peer)| {
        admit_tcp(
            &api,
            socket,
            peer,
            clients.enter(),
            until(&stop, &all_stops),
        );
    };
    accept::accept(listener, &turn, &stop, &all_stops, admit).await;
}

/// Accepts clients of the API until `stop`, and those who have connected before it. Each gets a
/// task of its own, and ends with the address.
pub async fn accept_unix(service: Arc<Service>, listener: UnixListener, stop: CancellationToken) {
    let all_stops = service.stop.clone();
    let address = listener.local_addr().map(|address| {
        let path = address.as_pathname().map(Path::display);
        path.map_or_else(String::new, |path| format!("unix:{path}"))
    });
    let address = address.unwrap_or_default();
    let (_part, clients) = service.parts.register_listener(&address);
    let turn = service.pulse.join(Kind::Listener, address);
    let api = Arc::new(Api::new(service));
    let admit = |socket| admit_unix(&api, socket, clients.enter(), until(&stop, &all_stops));
    accept::accept(listener, &turn, &stop, &all_stops, admit).await;
}

/// When a connection ends at the latest: with its listener, whose address is not served any more
/// then. Who was let in after that has until the server stops.
fn until(stop: &CancellationToken, all_stops: &CancellationToken) -> CancellationToken {
    if stop.is_cancelled() {
        all_stops.clone()
    } else {
        stop.clone()
    }
}

fn admit_tcp(
    api: &Arc<Api>,
    socket: TcpStream,
    peer: SocketAddr,
    inside: Inside,
    stop: CancellationToken,
) {
    let limits = HttpLimits::new(api.service());
    let peer = HttpPeer::Tcp(peer);
    match api.service().api.admit(&peer) {
        Ok(place) => {
            if let Err(error) = tcp::prepare(&socket, limits.stall) {
                tracing::debug!(%peer, "cannot serve an HTTP connection: {error}");
                return;
            }
            spawn(api, socket, peer, limits, (place, inside), stop);
        }
        Err(why) => refuse(api, peer, why, &socket, |answer| socket.try_write(answer)),
    }
}

fn admit_unix(api: &Arc<Api>, socket: UnixStream, inside: Inside, stop: CancellationToken) {
    let limits = HttpLimits::new(api.service());
    let uid = socket.peer_cred().ok().map(|peer| peer.uid());
    let peer = HttpPeer::Unix { uid };
    match api.service().api.admit(&peer) {
        Ok(place) => spawn(api, socket, peer, limits, (place, inside), stop),
        Err(why) => refuse(api, peer, why, &socket, |answer| socket.try_write(answer)),
    }
}

fn spawn<S>(
    api: &Arc<Api>,
    socket: S,
    peer: HttpPeer,
    limits: HttpLimits,
    place: (Place, Inside),
    stop: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let shared = Arc::clone(api);
    api.service().tasks.spawn(async move {
        serve_http(shared, socket, peer, limits, stop).await;
        drop(place);
    });
}

/// Answers the requests of one connection until either side ends it, or `stop`.
pub async fn serve_http<S>(
    api: Arc<Api>,
    socket: S,
    peer: HttpPeer,
    limits: HttpLimits,
    stop: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let service = service_fn(|request: Request<Incoming>| {
        let api = Arc::clone(&api);
        async move { Ok::<_, Infallible>(api.answer(peer, request.map(Body::new)).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEADER)
        .max_buf_size(MAX_BUFFER)
        .serve_connection(TokioIo::new(Stalling::new(socket, limits.stall)), service);
    let mut connection = pin!(connection);
    let ended = match stop.run_until_cancelled(connection.as_mut()).await {
        Some(ended) => ended,
        None => {
            // What is being answered still is.
            connection.as_mut().graceful_shutdown();
            match timeout(LAST_WORDS, connection).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, "an HTTP connection ended: {error}");
    }
}

/// Turns somebody away, as far as that can be done without waiting.
fn refuse(
    api: &Api,
    peer: HttpPeer,
    why: NoPlace,
    socket: &impl AsFd,
    write: impl FnOnce(&[u8]) -> io::Result<usize>,
) {
    let complaints = &api.service().complaints;
    if complaints.may_tell(Subject::ApiConnections, peer.ip(), &peer, &why) {
        tracing::warn!(message_id = MessageId::ApiConnectionRefused.as_str(), %peer, "refused an HTTP connection: {why}");
    } else {
        tracing::debug!(%peer, "refused an HTTP connection: {why}");
    }
    // What it has sent would otherwise make the kernel reset the connection, and lose the answer.
    let mut unread = [0; 4096];
    let _ = rustix::io::read(socket, &mut unread);
    let _ = write(BUSY);
}

/// As the RTMP handshake's by default: a person's client needs less, and nothing is worth waiting
/// for longer.
const HEADER_WITHIN: Duration = Duration::from_secs(10);
/// As many as hyper takes by itself.
const MAX_HEADERS: usize = 100;
/// Browsers stay below 8 KiB, and so do proxies by default.
const MAX_HEADER: usize = 16 << 10;
/// What is read or written at once; a connection holds no more. At least a header must fit.
const MAX_BUFFER: usize = 64 << 10;
/// A stop takes no longer than two seconds in all.
const LAST_WORDS: Duration = Duration::from_secs(1);
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\
                      Connection: close\r\nRetry-After: 10\r\n\r\n";

#[cfg(test)]
mod tests;
