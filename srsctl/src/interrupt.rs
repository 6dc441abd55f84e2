//! Ctrl-C and SIGTERM: the user has had enough.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears the signals that ask for an end. From its making on they kill nobody any more.
#[derive(Debug)]
pub(crate) struct Interrupt {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupt {
    /// Begins to listen.
    ///
    /// # Errors
    /// The kernel has no handler to give.
    pub(crate) fn install() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next of them. Cancel-safe.
    pub(crate) async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
