//! Whoever comes for media over HTTP. None is served so yet, and each is told.
//!
//! There is a socket for it only where systemd passes one (`srs-http.socket`): clients that nobody
//! accepts there would wait for ever.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::control::watchdog::pulse::Kind;
use crate::listen::accept;
use crate::service::Service;

/// Accepts clients until `stop`, answers each once, and hangs up.
pub async fn accept(service: Arc<Service>, listener: TcpListener, stop: CancellationToken) {
    let address = listener.local_addr().map(|address| address.to_string());
    let address = address.unwrap_or_default();
    let (_part, clients) = service.parts.register_listener(&address);
    let turn = service.pulse.join(Kind::Listener, address);
    let places = Arc::new(Semaphore::new(MOST));
    let admit = |(socket, _)| {
        // Who finds no place is answered by a closed connection.
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let (inside, stop) = (clients.enter(), service.stop.clone());
            service.tasks.spawn(async move {
                // Who does not ask is not answered.
                let answered = timeout(WITHIN, refuse(socket));
                stop.run_until_cancelled(answered).await;
                drop((place, inside));
            });
        }
    };
    accept::accept(listener, &turn, &stop, &service.stop, admit).await;
}

/// Answers the first request, whatever it is.
async fn refuse(mut socket: TcpStream) -> io::Result<()> {
    // Bytes that are not read when the connection closes would make the kernel reset it, and the
    // client lose the answer. A request of any player is read at once.
    let mut request = [0; 8192];
    let _ = socket.read(&mut request).await?;
    socket.write_all(NO_MEDIA).await?;
    socket.shutdown().await
}

/// Answered at a time; none of them takes long.
const MOST: usize = 32;
const WITHIN: Duration = Duration::from_secs(2);
const NO_MEDIA: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 75\r\nConnection: close\r\n\r\n\
    This version of srs serves no media over HTTP. Play the stream over RTMP.\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_as_long_as_it_says() {
        let text = std::str::from_utf8(NO_MEDIA).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
    }
}
