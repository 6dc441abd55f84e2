//! One connection at a time, on real sockets: what peers may do, and what ends them.

use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::Path;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::config::{Config, MAX_API_TCP, MAX_API_UNIX};

const SOON: Duration = Duration::from_secs(10);
const PATIENT: HttpLimits = HttpLimits {
    header: Duration::from_secs(60),
    stall: Duration::from_secs(60),
};
const UNIX: HttpPeer = HttpPeer::Unix { uid: None };

fn service() -> Arc<Service> {
    Arc::new(Service::new(Arc::new(Config::default()), 100))
}

/// A server that has one connection, and the other end of that.
fn serve(limits: HttpLimits) -> (Arc<Service>, UnixStream, JoinHandle<()>) {
    let service = service();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let api = Arc::new(Api::new(Arc::clone(&service)));
    let served = service
        .tasks
        .spawn(serve_http(api, ours, UNIX, limits, service.stop.clone()));
    (service, theirs, served)
}

/// What comes until the connection ends.
async fn rest(socket: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    // A connection that is reset has ended, too.
    let _ = timeout(SOON, socket.read_to_end(&mut bytes)).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One answer, of which the connection goes on.
async fn answer(socket: &mut UnixStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let len = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if body.len() == len.unwrap().parse::<usize>().unwrap() {
                return text;
            }
        }
        let read = timeout(SOON, socket.read_buf(&mut bytes)).await.unwrap();
        assert_ne!(read.unwrap(), 0, "ended after {text:?}");
    }
}

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn requests_follow_each_other_on_one_connection_also_without_waiting() {
    let (_service, mut socket, served) = serve(PATIENT);
    for _ in 0..2 {
        socket.write_all(HEALTH).await.unwrap();
        assert!(answer(&mut socket).await.starts_with("HTTP/1.1 200 OK\r\n"));
    }
    let last = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let all = [HEALTH, HEALTH, last].concat();
    socket.write_all(&all).await.unwrap();
    let text = rest(&mut socket).await;
    assert_eq!(text.matches("HTTP/1.1 200 OK\r\n").count(), 3, "{text}");
    timeout(SOON, served).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_request_may_come_in_pieces() {
    let (_service, mut socket, _served) = serve(PATIENT);
    for byte in HEALTH {
        socket.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(answer(&mut socket).await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn a_client_of_http_1_0_is_answered_and_left() {
    let (_service, mut socket, _served) = serve(PATIENT);
    socket
        .write_all(b"GET /healthz HTTP/1.0\r\n\r\n")
        .await
        .unwrap();
    let text = rest(&mut socket).await;
    assert!(text.starts_with("HTTP/1.0 200 OK\r\n"), "{text}");
}

#[tokio::test]
async fn who_sends_no_whole_header_is_left() {
    let brief = HttpLimits {
        header: Duration::from_millis(100),
        ..PATIENT
    };
    let begun = b"GET / HTTP/1.1\r\nHost: ";
    for (name, bytes) in [("nothing", &b""[..]), ("a part", begun)] {
        let (_service, mut socket, served) = serve(brief);
        let began = Instant::now();
        socket.write_all(bytes).await.unwrap();
        assert_eq!(rest(&mut socket).await, "", "{name}");
        assert!(began.elapsed() >= brief.header, "{name}");
        timeout(SOON, served).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn who_sends_a_header_drop_by_drop_is_left() {
    let brief = HttpLimits {
        header: Duration::from_millis(100),
        ..PATIENT
    };
    let (_service, mut socket, served) = serve(brief);
    // It ends although there is always something new: a write fails then.
    let drip = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        while socket.write_all(b"X").await.is_ok() {
            ticks.tick().await;
        }
    };
    timeout(SOON, drip).await.unwrap();
    timeout(SOON, served).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_that_nobody_uses_any_more_is_left() {
    let brief = HttpLimits {
        header: Duration::from_millis(100),
        ..PATIENT
    };
    let (_service, mut socket, served) = serve(brief);
    socket.write_all(HEALTH).await.unwrap();
    answer(&mut socket).await;
    let began = Instant::now();
    assert_eq!(rest(&mut socket).await, "");
    assert!(began.elapsed() >= brief.header / 2);
    timeout(SOON, served).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_header_has_a_size_and_a_number_of_lines() {
    let long_value = format!("GET /healthz HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    let long_path = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(20_000));
    let lines = format!("GET /healthz HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(101));
    for (name, request) in [("value", long_value), ("path", long_path), ("lines", lines)] {
        let (_service, mut socket, _served) = serve(PATIENT);
        socket.write_all(request.as_bytes()).await.unwrap();
        let text = rest(&mut socket).await;
        let is_refused = text.starts_with("HTTP/1.1 431 ") || text.starts_with("HTTP/1.1 414 ");
        assert!(is_refused, "{name}: {text}");
    }
}

#[tokio::test]
async fn who_does_not_read_is_left() {
    let brief = HttpLimits {
        stall: Duration::from_millis(100),
        ..PATIENT
    };
    let (service, mut socket, served) = serve(brief);
    // Many answers that nobody takes fill every buffer on the way.
    let send = async {
        let request = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
        while socket.write_all(request).await.is_ok() {}
    };
    timeout(SOON, send).await.unwrap();
    timeout(SOON, served).await.unwrap().unwrap();
    assert!(!service.stop.is_cancelled());
}

#[tokio::test]
async fn a_stop_ends_who_waits_and_who_watches() {
    let (service, mut idle, served) = serve(PATIENT);
    idle.write_all(HEALTH).await.unwrap();
    answer(&mut idle).await;
    let api = Arc::new(Api::new(Arc::clone(&service)));
    let (ours, mut watcher) = UnixStream::pair().unwrap();
    service
        .tasks
        .spawn(serve_http(api, ours, UNIX, PATIENT, service.stop.clone()));
    service.events.tell(srs_api::EventKind::Start, |_| {});
    let request = b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    watcher.write_all(request).await.unwrap();
    let mut bytes = Vec::new();
    while !String::from_utf8_lossy(&bytes).contains("event: start") {
        timeout(SOON, watcher.read_buf(&mut bytes))
            .await
            .unwrap()
            .unwrap();
    }
    service.stop.cancel();
    service.tasks.close();
    // The body ends as it should: with the last, empty chunk.
    assert!(rest(&mut watcher).await.ends_with("0\r\n\r\n"));
    assert_eq!(rest(&mut idle).await, "");
    timeout(SOON, service.tasks.wait()).await.unwrap();
    timeout(SOON, served).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_wrong_proof_costs_the_connection() {
    let service = service();
    let api = Arc::new(Api::new(Arc::clone(&service)));
    let (ours, mut socket) = UnixStream::pair().unwrap();
    let elsewhere = HttpPeer::Tcp("192.0.2.1:1".parse().unwrap());
    service.tasks.spawn(serve_http(
        api,
        ours,
        elsewhere,
        PATIENT,
        service.stop.clone(),
    ));
    let request = b"GET /api/v1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer guess\r\n\r\n";
    socket.write_all(&request.repeat(3)).await.unwrap();
    let text = rest(&mut socket).await;
    assert_eq!(text.matches("HTTP/1.1 401 ").count(), 1, "{text}");
}

async fn tcp_server() -> (Arc<Service>, SocketAddr, CancellationToken, JoinHandle<()>) {
    let service = service();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let accept = accept_tcp(Arc::clone(&service), listener, stop.clone());
    let accepting = service.tasks.spawn(accept);
    (service, address, stop, accepting)
}

#[tokio::test]
async fn over_tcp_and_unix_sockets_there_is_the_same() {
    let (service, address, _stop, _accepting) = tcp_server().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let accept = accept_unix(Arc::clone(&service), listener, service.stop.child_token());
    service.tasks.spawn(accept);

    let request = b"GET /api/v1/versions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(request).await.unwrap();
    let mut unix = UnixStream::connect(&path).await.unwrap();
    unix.write_all(request).await.unwrap();
    let (over_tcp, over_unix) = (rest(&mut tcp).await, rest(&mut unix).await);
    let body = |text: &str| text.split_once("\r\n\r\n").unwrap().1.to_owned();
    assert!(over_tcp.starts_with("HTTP/1.1 200 OK\r\n"), "{over_tcp}");
    assert_eq!(body(&over_tcp), body(&over_unix));
}

#[tokio::test]
async fn those_beyond_the_bound_are_told_so_and_the_operator_of_the_host_still_gets_in() {
    let (service, address, _stop, _accepting) = tcp_server().await;
    let tcp = HttpPeer::Tcp(address);
    let mut places: Vec<_> = (0..MAX_API_TCP)
        .map_while(|_| service.api.admit(&tcp).ok())
        .collect();
    assert_eq!(places.len(), MAX_API_TCP);
    assert_eq!(service.api.connections(), MAX_API_TCP);

    let mut socket = TcpStream::connect(address).await.unwrap();
    let text = rest(&mut socket).await;
    assert!(text.starts_with("HTTP/1.1 503 "), "{text}");
    let unix: Vec<_> = (0..=MAX_API_UNIX)
        .map_while(|_| service.api.admit(&UNIX).ok())
        .collect();
    assert_eq!(unix.len(), MAX_API_UNIX);

    places.pop();
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket
        .write_all(b"GET /healthz HTTP/1.0\r\n\r\n")
        .await
        .unwrap();
    assert!(rest(&mut socket).await.starts_with("HTTP/1.0 200 OK"));
}

#[tokio::test]
async fn who_has_connected_before_a_listener_closes_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api.sock");
    let connect = |path: &Path| StdUnixStream::connect(path).unwrap();

    let service = service();
    let unix = UnixListener::bind(&path).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let over_unix = connect(&path);
    let over_tcp = std::net::TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
    let stop = CancellationToken::new();
    stop.cancel();
    accept_unix(Arc::clone(&service), unix, stop.clone()).await;
    accept_tcp(Arc::clone(&service), tcp, stop).await;

    over_unix.set_nonblocking(true).unwrap();
    over_tcp.set_nonblocking(true).unwrap();
    let mut over_unix = UnixStream::from_std(over_unix).unwrap();
    let mut over_tcp = TcpStream::from_std(over_tcp).unwrap();
    let request = b"GET /healthz HTTP/1.0\r\n\r\n";
    over_unix.write_all(request).await.unwrap();
    over_tcp.write_all(request).await.unwrap();
    assert!(rest(&mut over_unix).await.starts_with("HTTP/1.0 200 OK"));
    assert!(rest(&mut over_tcp).await.starts_with("HTTP/1.0 200 OK"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever bytes come, they end in answers of HTTP, or in silence; never in a panic.
    #[test]
    fn whatever_comes_is_answered_or_left(
        start in "(GET|POST|DELETE|HEAD|PRI|[ -~]{0,8}) (/[!-~]{0,20}|\\*|[ -~]{0,9}) HTTP/[012]\\.[01]",
        lines in prop::collection::vec(
            "(host|content-length|transfer-encoding|connection|expect|upgrade|x): ?([0-9]{1,20}|chunked|close|[ -~]{0,16})",
            0..5,
        ),
        ends in prop::sample::select(vec!["\r\n", "\n", "\r", ""]),
        body in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut bytes = start.into_bytes();
        for line in lines {
            bytes.extend_from_slice(ends.as_bytes());
            bytes.extend_from_slice(line.as_bytes());
        }
        bytes.extend_from_slice(ends.repeat(2).as_bytes());
        bytes.extend_from_slice(&body);
        let text = runtime.block_on(async {
            let service = service();
            let api = Arc::new(Api::new(Arc::clone(&service)));
            let (ours, mut theirs) = duplex(4_096);
            let served = service.tasks.spawn(serve_http(api, ours, UNIX, PATIENT, service.stop.clone()));
            // It may have left before all was written.
            let _ = theirs.write_all(&bytes).await;
            let _ = theirs.shutdown().await;
            let text = rest(&mut theirs).await;
            timeout(SOON, served).await.unwrap().unwrap();
            text
        });
        prop_assert!(text.is_empty() || text.starts_with("HTTP/1."), "{text}");
    }
}
