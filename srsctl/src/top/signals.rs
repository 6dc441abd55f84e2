//! The signals that the dashboard hears.

use std::io;
use std::process;
use std::thread;
use std::time::Duration;

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

use super::terminal;
use crate::interrupt::Interrupt;

/// Hears the signals. From its making on they neither end nor stop the process by themselves.
pub(crate) struct Signals {
    interrupt: Interrupt,
    hang_up: Signal,
    quit: Signal,
    stop: Signal,
    go_on: Signal,
}

/// Sees to it that a signal ends the process, even if it cannot hear it: who writes to a terminal
/// that takes nothing, as over a network that hangs, waits for it.
///
/// # Errors
/// There is no thread to be had.
pub(crate) fn end_at_last() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let wait = async {
        let Ok(mut signals) = Signals::install() else {
            return;
        };
        while !matches!(signals.next().await, Heard::End) {}
        sleep(GRACE).await;
        terminal::abandon();
        process::exit(1);
    };
    let thread = thread::Builder::new().name("signals".to_owned());
    thread.spawn(move || runtime.block_on(wait)).map(drop)
}

/// As long as an end in order may take.
const GRACE: Duration = Duration::from_secs(3);

/// What a signal asks for.
pub(crate) enum Heard {
    /// An end.
    End,
    /// To stop until it is asked to go on.
    Stop,
    /// To go on; something else may have had the terminal meanwhile.
    Continue,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// The kernel has no handler to give.
    pub(crate) fn install() -> io::Result<Self> {
        let heard = |number: Number| signal(SignalKind::from_raw(number.as_raw()));
        Ok(Self {
            interrupt: Interrupt::install()?,
            hang_up: signal(SignalKind::hangup())?,
            quit: signal(SignalKind::quit())?,
            stop: heard(Number::TSTP)?,
            go_on: heard(Number::CONT)?,
        })
    }

    /// Waits for the next one. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Heard {
        tokio::select! {
            () = self.interrupt.wait() => Heard::End,
            _ = self.hang_up.recv() => Heard::End,
            _ = self.quit.recv() => Heard::End,
            _ = self.stop.recv() => Heard::Stop,
            _ = self.go_on.recv() => Heard::Continue,
        }
    }
}
