//! The loop that accepts, whatever a listener is and whoever comes in by it.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::BACKLOG;
use crate::control::logging::MessageId;
use crate::control::watchdog::pulse::Turn;

/// What peers connect to.
pub(super) trait Listener: Sized {
    /// A peer that has.
    type Peer;

    /// The next one.
    fn accept(&self) -> impl Future<Output = io::Result<Self::Peer>> + Send;

    /// Accepts those who wait already, one at each call, without waiting for others.
    fn waiting(self) -> io::Result<impl FnMut() -> io::Result<Self::Peer>>;
}

impl Listener for TcpListener {
    type Peer = (TcpStream, SocketAddr);

    async fn accept(&self) -> io::Result<Self::Peer> {
        Self::accept(self).await
    }

    fn waiting(self) -> io::Result<impl FnMut() -> io::Result<Self::Peer>> {
        let listener = self.into_std()?;
        Ok(move || {
            let (socket, address) = listener.accept()?;
            socket.set_nonblocking(true)?;
            Ok((TcpStream::from_std(socket)?, address))
        })
    }
}

impl Listener for UnixListener {
    type Peer = UnixStream;

    async fn accept(&self) -> io::Result<Self::Peer> {
        let (socket, _) = Self::accept(self).await?;
        Ok(socket)
    }

    fn waiting(self) -> io::Result<impl FnMut() -> io::Result<Self::Peer>> {
        let listener = self.into_std()?;
        Ok(move || {
            let (socket, _) = listener.accept()?;
            socket.set_nonblocking(true)?;
            UnixStream::from_std(socket)
        })
    }
}

/// Lets in who connects to `listener` until `stop`, and then those who have connected before,
/// unless `all_stops`: the whole server does. Shows by `turn` that it waits.
pub(super) async fn accept<L: Listener>(
    listener: L,
    turn: &Turn,
    stop: &CancellationToken,
    all_stops: &CancellationToken,
    mut admit: impl FnMut(L::Peer),
) {
    let mut trouble = Trouble::default();
    while let Some(accepted) = stop
        .run_until_cancelled(turn.beside(listener.accept()))
        .await
    {
        match accepted {
            Ok(peer) => {
                trouble.passed();
                admit(peer);
            }
            Err(error) => {
                // Trouble is no reason to stop later.
                stop.run_until_cancelled(turn.beside(trouble.wait(&error)))
                    .await;
            }
        }
    }
    if all_stops.is_cancelled() {
        return;
    }
    // What the kernel has not told the runtime of yet would be missed by an accept of the
    // runtime's.
    match listener.waiting() {
        // No more than can wait at a time: others may still come.
        Ok(mut next) => (0..BACKLOG).map_while(|_| next().ok()).for_each(admit),
        Err(error) => tracing::debug!("nobody else is accepted: {error}"),
    }
}

/// Waits after a failed accept, longer each time: out of descriptors, trying at once would only
/// burn the processor.
#[derive(Debug, Default)]
struct Trouble {
    since: Option<Instant>,
    pause: Duration,
}

impl Trouble {
    async fn wait(&mut self, error: &io::Error) {
        // The peer has gone before we came to it: nothing is wrong with us.
        if matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
        ) {
            return;
        }
        if self.since.is_none() {
            self.since = Some(Instant::now());
            tracing::error!(
                message_id = MessageId::AcceptFailed.as_str(),
                "cannot accept connections: {error}; trying again until it works \
                 (for \"too many open files\" raise LimitNOFILE= or `ulimit -n`)"
            );
        }
        self.pause = (self.pause * 2).clamp(Duration::from_millis(10), Duration::from_secs(1));
        sleep(self.pause).await;
    }

    fn passed(&mut self) {
        if let Some(since) = self.since.take() {
            let seconds = since.elapsed().as_secs();
            tracing::info!(
                message_id = MessageId::AcceptWorks.as_str(),
                "accepting connections again, after {seconds} s"
            );
            self.pause = Duration::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;

    use super::*;
    use crate::control::watchdog::pulse::{Kind, Pulse};

    /// Peers are numbers; 0 is trouble.
    struct Scripted {
        comes: RefCell<VecDeque<u32>>,
        waits: Vec<u32>,
        stop: CancellationToken,
    }

    impl Listener for Scripted {
        type Peer = u32;

        fn accept(&self) -> impl Future<Output = io::Result<u32>> + Send {
            let next = self.comes.borrow_mut().pop_front();
            if next.is_none() {
                self.stop.cancel();
            }
            async move {
                match next {
                    Some(0) => Err(io::Error::from_raw_os_error(24)),
                    Some(peer) => Ok(peer),
                    None => std::future::pending().await,
                }
            }
        }

        fn waiting(self) -> io::Result<impl FnMut() -> io::Result<u32>> {
            let mut waits = self.waits.into_iter();
            Ok(move || waits.next().ok_or_else(|| io::ErrorKind::WouldBlock.into()))
        }
    }

    async fn admitted(all_stops: bool) -> Vec<u32> {
        let (stop, all) = (CancellationToken::new(), CancellationToken::new());
        if all_stops {
            all.cancel();
        }
        let listener = Scripted {
            comes: VecDeque::from([1, 0, 0, 2, 0, 3]).into(),
            waits: vec![4, 5],
            stop: stop.clone(),
        };
        let mut peers = Vec::new();
        let turn = Pulse::default().join(Kind::Listener, "scripted".into());
        accept(listener, &turn, &stop, &all, |peer| peers.push(peer)).await;
        peers
    }

    #[tokio::test(start_paused = true)]
    async fn trouble_passes_and_who_waits_at_the_end_is_let_in() {
        let began = Instant::now();
        assert_eq!(admitted(false).await, [1, 2, 3, 4, 5]);
        // 10 and 20 ms at first, 10 ms later.
        assert_eq!(began.elapsed().as_millis() / 10, 4);
        assert_eq!(admitted(true).await, [1, 2, 3], "unless the server stops");
    }
}
