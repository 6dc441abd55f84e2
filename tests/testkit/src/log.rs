//! What a process says, kept line by line while it runs.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// The lines that a process wrote so far, of all its outputs, in the order in which they came.
///
/// Clones are the same log.
#[derive(Clone, Debug)]
pub struct Log {
    name: String,
    started: Instant,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Held only to add a line or to look at them.
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<String>,
    /// Outputs that have not ended yet.
    open: usize,
    /// Nobody reads them at present.
    is_held: bool,
}

impl Log {
    /// An empty log of a process called `name` in messages.
    #[must_use]
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            started: Instant::now(),
            shared: Arc::default(),
        }
    }

    /// Keeps what comes from `output` until it ends, on a thread of its own.
    ///
    /// Every line is also printed, with the name and the time since the start, into what the test
    /// harness captures: threads inherit that from the one that made them.
    pub(crate) fn keep(&self, output: impl Read + Send + 'static) {
        self.state().open += 1;
        let log = self.clone();
        thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n') {
                let Ok(line) = line else { break };
                log.wait_while_held();
                let line = String::from_utf8_lossy(&line);
                // A progress line overwrites itself; its last state says enough.
                log.add(
                    line.trim_end()
                        .rsplit('\r')
                        .next()
                        .unwrap_or_default()
                        .to_owned(),
                );
            }
            log.state().open -= 1;
            log.shared.changed.notify_all();
        });
    }

    /// Reads no more of the outputs, as a terminal on hold, until [`Log::go_on`]. What is on its way
    /// may still come.
    pub fn hold(&self) {
        self.state().is_held = true;
    }

    /// Reads on.
    pub fn go_on(&self) {
        self.state().is_held = false;
        self.shared.changed.notify_all();
    }

    fn wait_while_held(&self) {
        let held = self
            .shared
            .changed
            .wait_while(self.state(), |state| state.is_held);
        drop(held);
    }

    /// Waits for a line that contains `text`, one that came before included, and gives it whole.
    ///
    /// # Errors
    /// If there is none within `bound`, or if the process closed its outputs without one.
    pub fn wait_for(&self, text: &str, bound: Duration) -> Result<String> {
        self.wait_for_nth(1, text, bound)
    }

    /// Waits for the `nth` line (the first is 1) that contains `text`.
    ///
    /// # Errors
    /// As [`wait_for`](Self::wait_for).
    pub fn wait_for_nth(&self, nth: usize, text: &str, bound: Duration) -> Result<String> {
        let deadline = Instant::now() + bound;
        let mut state = self.state();
        loop {
            let found = state
                .lines
                .iter()
                .filter(|line| line.contains(text))
                .nth(nth - 1);
            if let Some(line) = found {
                return Ok(line.clone());
            }
            if state.open == 0 {
                bail!(
                    "{} ended without saying {text:?}; it said\n{}",
                    self.name,
                    tail(&state)
                );
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!("{} did not say {text:?} within {bound:?}", self.name);
            }
            state = self.wait(state, left);
        }
    }

    /// Waits until the process has closed its outputs, so that nothing more can come.
    ///
    /// Gives up silently after `bound`: a grandchild may hold them open.
    pub(crate) fn wait_for_end(&self, bound: Duration) {
        let deadline = Instant::now() + bound;
        let mut state = self.state();
        while state.open > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.wait(state, left);
        }
    }

    /// Whether a line contains `text`.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        self.state().lines.iter().any(|line| line.contains(text))
    }

    /// The lines that contain `text`.
    #[must_use]
    pub fn lines_with(&self, text: &str) -> Vec<String> {
        self.state()
            .lines
            .iter()
            .filter(|line| line.contains(text))
            .cloned()
            .collect()
    }

    /// The last lines, for a message.
    #[must_use]
    pub fn tail(&self) -> String {
        tail(&self.state())
    }

    fn add(&self, line: String) {
        eprintln!(
            "{:7.3} {}: {line}",
            self.started.elapsed().as_secs_f64(),
            self.name
        );
        self.state().lines.push(line);
        self.shared.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&'a self, state: MutexGuard<'a, State>, left: Duration) -> MutexGuard<'a, State> {
        self.shared
            .changed
            .wait_timeout(state, left)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}

fn tail(state: &State) -> String {
    const LINES: usize = 20;
    let from = state.lines.len().saturating_sub(LINES);
    state.lines[from..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SOON;

    fn log_of(text: &'static str) -> Log {
        let log = Log::new("peer");
        log.keep(text.as_bytes());
        log
    }

    #[test]
    fn a_line_is_found_whole_however_late_it_comes() {
        let log = log_of("one\ntwo is here\r\ntwo again\n");
        assert_eq!(log.wait_for("two", SOON).unwrap(), "two is here");
        assert_eq!(log.wait_for_nth(2, "two", SOON).unwrap(), "two again");
    }

    #[test]
    fn a_line_that_overwrites_itself_is_kept_as_it_was_last() {
        let log = log_of("10 %\r20 %\r30 %\n");
        assert_eq!(log.wait_for("%", SOON).unwrap(), "30 %");
    }

    #[test]
    fn a_process_that_ends_without_the_line_ends_the_wait_at_once() {
        let error = log_of("good bye\n").wait_for("hello", SOON).unwrap_err();
        assert_eq!(
            error.to_string(),
            "peer ended without saying \"hello\"; it said\ngood bye"
        );
    }
}
