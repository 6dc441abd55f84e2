//! The thread that tells the manager, and waits for it, so that nobody else has to.
//!
//! It has the outline of the queue of log lines: a lock, a thread that is woken, an end that waits for
//! it. It is not made of the same type, for what is inside the lock is what matters, and that differs in
//! every rule. There lines wait in order and within bounds, and the newest are dropped and counted; here
//! what is out of date gives way to what is newer, beats expire, nothing needs a bound or a count, and
//! it is measured how long the manager does not read. What they share is two waits on a condition.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::waiting::Waiting;

/// Tells the manager what it is given, in a thread of its own. That ends, when this is gone, after
/// what waits.
#[derive(Debug)]
pub(super) struct Speaker {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Held for moments only, and never while the manager is told.
    state: Mutex<State>,
    /// Something waits, or nothing will come any more.
    filled: Condvar,
    /// Nothing waits, and what was taken has been told.
    drained: Condvar,
}

#[derive(Debug)]
struct State {
    waiting: Waiting,
    /// Since when the manager does not read what it is being told.
    telling_since: Option<Instant>,
    /// The log knows of that.
    is_slow_logged: bool,
    is_closed: bool,
}

impl Speaker {
    /// Starts the thread, which tells by `tell` what is added to `waiting`.
    ///
    /// # Errors
    /// The system has no thread for it.
    pub(super) fn start(
        waiting: Waiting,
        tell: impl FnMut(&str) -> io::Result<()> + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                waiting,
                telling_since: None,
                is_slow_logged: false,
                is_closed: false,
            }),
            filled: Condvar::new(),
            drained: Condvar::new(),
        });
        let of_thread = Arc::clone(&shared);
        thread::Builder::new()
            .name("manager".into())
            .spawn(move || of_thread.speak(tell))?;
        Ok(Self { shared })
    }

    /// Has the manager told what `add` adds. Waits for nobody.
    pub(super) fn tell(&self, add: impl FnOnce(&mut Waiting)) {
        let mut state = self.shared.lock();
        add(&mut state.waiting);
        let is_news = state.has_become_slow(Instant::now());
        drop(state);
        self.shared.filled.notify_one();
        if is_news {
            tracing::warn!(
                "systemd has not read what it is told for {SLOW:?}; once it reads, it is told what \
                 still counts"
            );
        }
    }

    /// Waits until the manager has been told all, for `patience` at most.
    pub(super) fn flush(&self, patience: Duration) {
        let state = self.shared.lock();
        // Whether it was in time makes no difference to anybody.
        drop(
            self.shared
                .drained
                .wait_timeout_while(state, patience, |state| !state.is_drained()),
        );
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.filled.notify_one();
    }
}

impl Shared {
    fn speak(&self, mut tell: impl FnMut(&str) -> io::Result<()>) {
        let mut is_lost = false;
        while let Some(message) = self.take() {
            match tell(&message) {
                Ok(()) => is_lost = false,
                Err(error) => {
                    if !is_lost {
                        tracing::warn!("cannot tell systemd how the server goes: {error}");
                    }
                    is_lost = true;
                }
            }
        }
    }

    /// Takes the next message, and waits for one if there is none; `None` once no more will come. The
    /// one before has been told.
    fn take(&self) -> Option<String> {
        let mut state = self.lock();
        state.telling_since = None;
        state.is_slow_logged = false;
        loop {
            let now = Instant::now();
            if let Some(message) = state.waiting.next(now) {
                state.telling_since = Some(now);
                return Some(message);
            }
            self.drained.notify_all();
            if state.is_closed {
                return None;
            }
            state = self
                .filled
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing inside leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether the manager has become slow to read, which is true once each time.
    fn has_become_slow(&mut self, now: Instant) -> bool {
        let is_slow = self
            .telling_since
            .is_some_and(|since| now.saturating_duration_since(since) >= SLOW);
        is_slow && !std::mem::replace(&mut self.is_slow_logged, true)
    }

    fn is_drained(&self) -> bool {
        self.waiting.is_empty() && self.telling_since.is_none()
    }
}

/// After this time the log tells that the manager does not read. Reading its units again takes systemd
/// less, unless something is wrong.
const SLOW: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use sd_notify::NotifyState;

    use super::super::waiting::Turn;
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    fn receive(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn a_manager_that_did_not_read_hears_of_each_turn_and_the_newest_status() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        manager.set_read_timeout(Some(SOON)).unwrap();
        // Its socket is full before anything is told.
        let other = UnixDatagram::unbound().unwrap();
        other.set_nonblocking(true).unwrap();
        let mut others = 0;
        while other.send_to(b"STATUS=of another", &path).is_ok() {
            others += 1;
        }

        let socket = UnixDatagram::unbound().unwrap();
        let waiting = Waiting::new(Some(SOON));
        let tell = move |lines: &str| socket.send_to(lines.as_bytes(), &path).map(drop);
        let speaker = Speaker::start(waiting, tell).unwrap();
        speaker.tell(|waiting| waiting.status("0 clients"));
        // More than any queue of messages would hold.
        for number in 1..=10_000 {
            speaker.tell(|waiting| waiting.status(&format!("{number} clients")));
            speaker.tell(|waiting| waiting.beat(Instant::now()));
        }
        speaker.tell(|waiting| waiting.turn(Turn::Reloading, &[NotifyState::Reloading]));
        speaker.tell(|waiting| {
            waiting.turn(Turn::Ready, &[NotifyState::Ready]);
            waiting.status("reloaded");
        });

        for _ in 0..others {
            assert_eq!(receive(&manager), "STATUS=of another");
        }
        // What the thread had in hand is a status or a beat, whichever it came to first.
        let mut told: Vec<String> = Vec::new();
        while told.last().is_none_or(|last| !last.contains("READY=1")) {
            told.push(receive(&manager));
        }
        assert!(told.len() <= 4, "{told:?}");
        let end = ["WATCHDOG=1", "RELOADING=1", "READY=1\nSTATUS=reloaded"];
        assert_eq!(told[told.len() - 3..], end);
        speaker.flush(SOON);
        manager.set_nonblocking(true).unwrap();
        let more = manager.recv(&mut [0; 256]).unwrap_err();
        assert_eq!(more.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_manager_that_does_not_read_is_told_of_once_each_time() {
        let mut state = State {
            waiting: Waiting::default(),
            telling_since: None,
            is_slow_logged: false,
            is_closed: false,
        };
        let now = Instant::now();
        assert!(!state.has_become_slow(now + SLOW));
        state.telling_since = Some(now);
        assert!(!state.has_become_slow(now + SLOW / 2));
        assert!(state.has_become_slow(now + SLOW));
        assert!(!state.has_become_slow(now + SLOW * 2));
    }

    #[test]
    fn the_end_waits_for_what_is_told_and_not_for_ever() {
        let (go_on, waits) = std::sync::mpsc::channel::<()>();
        let (tell_me, told) = std::sync::mpsc::channel();
        let tell = move |lines: &str| {
            // The test lets it go on by dropping its end.
            let _ = waits.recv();
            tell_me.send(lines.to_owned()).map_err(io::Error::other)
        };
        let speaker = Speaker::start(Waiting::default(), tell).unwrap();
        speaker.tell(|waiting| waiting.status("ends"));
        speaker.flush(Duration::from_millis(1));
        assert!(told.try_recv().is_err());
        drop(go_on);
        speaker.flush(SOON);
        assert_eq!(told.try_recv().unwrap(), "STATUS=ends");
        // Without the speaker its thread ends, and what it told with is gone.
        drop(speaker);
        assert!(told.recv_timeout(SOON).is_err());
    }
}
