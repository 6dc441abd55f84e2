//! Lines on their way to the place where they are written, which may take its time.
//!
//! A disk may hang, a terminal be on hold, journald be stopped or busy with another's flood (its socket
//! holds few entries, `net.unix.max_dgram_qlen`); whoever writes to one of them waits until it goes on.
//! That must not be a worker, which has clients to serve. So lines wait here, within bounds, for the
//! one thread that writes them. What goes beyond the bounds is dropped and counted, and the number is
//! told at the place of the gap.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::Metadata;

use super::line::Line;
use super::lost::Lost;

/// A line to be written.
#[derive(Debug)]
pub(super) struct Entry {
    /// That of the event the line was captured from: its level, its place and the names of its
    /// fields.
    pub(super) metadata: &'static Metadata<'static>,
    pub(super) line: Line,
    lines: u64,
}

impl Entry {
    /// The `line` of an event.
    pub(super) fn new(metadata: &'static Metadata<'static>, line: Line) -> Self {
        Self::in_place_of(1, metadata, line)
    }

    /// A line that tells of `lines` others.
    pub(super) fn in_place_of(
        lines: u64,
        metadata: &'static Metadata<'static>,
        line: Line,
    ) -> Self {
        Self {
            metadata,
            line,
            lines,
        }
    }

    /// How many lines are missing if this one is.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// What it takes of memory.
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.line.heap_bytes()
    }
}

/// The lines that wait, between those who write them and the thread that passes them on.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Something waits, or nothing will come any more.
    filled: Condvar,
    /// Nothing waits, and what was taken has been passed on.
    drained: Condvar,
}

#[derive(Debug)]
struct State {
    waiting: VecDeque<Entry>,
    /// The memory of those that wait.
    bytes: usize,
    /// Lines dropped since the last that was queued.
    dropped: u64,
    /// Why they were.
    slow: &'static str,
    /// The thread has taken an entry and not come back for the next one.
    is_busy: bool,
    is_closed: bool,
}

impl Queue {
    /// An empty one; where it is full, that is because of `slow`.
    pub(super) fn new(slow: &'static str) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            bytes: 0,
            dropped: 0,
            slow,
            is_busy: false,
            is_closed: false,
        };
        Self {
            state: Mutex::new(state),
            filled: Condvar::new(),
            drained: Condvar::new(),
        }
    }

    /// Adds `entry`, or drops it if there is no room. Waits for nobody.
    pub(super) fn push(&self, entry: Entry) {
        let mut state = self.lock();
        if !state.has_room(entry.bytes()) {
            state.dropped = state.dropped.saturating_add(entry.lines);
            return;
        }
        if let Some(notice) = state.take_notice() {
            state.add(notice);
        }
        state.add(entry);
        // One that is at work looks again before it sleeps.
        if !state.is_busy {
            self.filled.notify_one();
        }
    }

    /// Takes the oldest entry, and waits for one if there is none; `None` once the queue is closed
    /// and empty. What was taken before has been passed on.
    pub(super) fn take(&self) -> Option<Entry> {
        let mut state = self.lock();
        state.is_busy = false;
        loop {
            if let Some(entry) = state.next() {
                state.is_busy = true;
                return Some(entry);
            }
            self.drained.notify_all();
            // After a flood the memory is given back.
            state.waiting.shrink_to(USUAL);
            if state.is_closed {
                return None;
            }
            state = self
                .filled
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes all that wait, without waiting.
    pub(super) fn take_waiting(&self) -> Vec<Entry> {
        let mut state = self.lock();
        std::iter::from_fn(|| state.next()).collect()
    }

    /// Waits until everything has been passed on, for `patience` at most; whether it has been.
    pub(super) fn flush(&self, patience: Duration) -> bool {
        let state = self.lock();
        let (state, _) = self
            .drained
            .wait_timeout_while(state, patience, |state| !state.is_drained())
            .unwrap_or_else(PoisonError::into_inner);
        state.is_drained()
    }

    /// Lets the thread end, after what waits.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.filled.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing inside leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether an entry of `bytes` may be added. After a loss the queue must have gone down to half
    /// first: with one place free at a time every other line would tell of a gap.
    fn has_room(&self, bytes: usize) -> bool {
        let share = if self.dropped == 0 { 1 } else { 2 };
        self.waiting.len() < LINES_MAX / share && self.bytes + bytes <= BYTES_MAX / share
    }

    fn add(&mut self, entry: Entry) {
        self.bytes += entry.bytes();
        self.waiting.push_back(entry);
    }

    fn next(&mut self) -> Option<Entry> {
        match self.waiting.pop_front() {
            Some(entry) => {
                self.bytes -= entry.bytes();
                Some(entry)
            }
            // No line may come for a long time.
            None => self.take_notice(),
        }
    }

    /// The line about those that were dropped, if any were.
    fn take_notice(&mut self) -> Option<Entry> {
        let count = std::mem::take(&mut self.dropped);
        (count > 0).then(|| Lost::new(count, self.slow).to_entry())
    }

    fn is_drained(&self) -> bool {
        self.waiting.is_empty() && self.dropped == 0 && !self.is_busy
    }
}

/// So many lines wait at most.
const LINES_MAX: usize = 4_096;
/// So much memory they take at most; the line of a publisher takes some 400 bytes.
const BYTES_MAX: usize = 4 << 20;
/// Places that an empty queue keeps.
const USUAL: usize = 64;

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::super::line::LINE_MAX;
    use super::super::line::tests::line;
    use super::*;

    fn queue() -> Queue {
        Queue::new("nobody took it")
    }

    fn entry(message: &str) -> Entry {
        Entry {
            line: line(Level::INFO, message),
            lines: 1,
            ..Lost::new(0, "").to_entry()
        }
    }

    /// What waits, without waiting.
    fn waiting(queue: &Queue) -> Vec<String> {
        let waiting = queue.take_waiting().into_iter();
        waiting.map(|entry| entry.line.message).collect()
    }

    #[test]
    fn lines_and_their_memory_are_bounded() {
        for (message, least, most) in [
            ("short".to_owned(), LINES_MAX, LINES_MAX),
            ("x".repeat(LINE_MAX), 480, BYTES_MAX / LINE_MAX),
        ] {
            let queue = queue();
            for _ in 0..LINES_MAX + 5 {
                queue.push(entry(&message));
            }
            let held = queue.lock().waiting.len();
            assert!((least..=most).contains(&held), "{held}");
            let dropped = usize::try_from(queue.lock().dropped).unwrap();
            assert_eq!(dropped, LINES_MAX + 5 - held);
            waiting(&queue);
            assert_eq!(queue.lock().bytes, 0);
        }
    }

    #[test]
    fn a_gap_is_told_at_its_place_once_half_of_the_queue_is_free() {
        let queue = queue();
        for number in 0..LINES_MAX {
            queue.push(entry(&number.to_string()));
        }
        queue.push(entry("lost"));
        for _ in 0..LINES_MAX / 2 {
            assert!(queue.take().is_some());
        }
        queue.push(entry("lost, for it is half full"));
        assert!(queue.take().is_some());
        queue.push(entry("after"));
        queue.push(entry("and on"));
        let waiting = waiting(&queue);
        assert_eq!(
            waiting[waiting.len() - 4..],
            [
                "4095",
                "2 log lines are missing here: nobody took it",
                "after",
                "and on"
            ]
        );
    }

    #[test]
    fn a_gap_is_told_even_if_no_line_follows() {
        let queue = queue();
        queue.lock().dropped = 1;
        let told = queue.take().unwrap();
        assert_eq!(told.metadata.level(), &Level::WARN);
        assert!(
            told.metadata
                .file()
                .is_some_and(|it| it.ends_with("lost.rs"))
        );
        assert_eq!(
            told.line.message,
            "1 log line is missing here: nobody took it"
        );
        queue.close();
        assert!(queue.take().is_none());
    }

    #[test]
    fn a_flush_does_not_wait_for_ever() {
        let queue = queue();
        queue.push(entry("nobody takes it"));
        assert!(!queue.flush(Duration::from_millis(1)));
        assert_eq!(waiting(&queue), ["nobody takes it"]);
        assert!(queue.flush(Duration::ZERO));
    }

    #[test]
    fn a_closed_queue_gives_what_it_has() {
        let queue = queue();
        queue.push(entry("last"));
        queue.close();
        assert!(queue.take().is_some());
        assert!(queue.take().is_none());
    }
}
