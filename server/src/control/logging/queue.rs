//! Lines on their way to the journal, which may take its time.
//!
//! journald's socket holds few entries (`net.unix.max_dgram_qlen`), and whoever writes to it while it
//! is full waits until journald reads: a journald that is stopped, or is busy with another's flood,
//! must not stop a worker. So lines wait here, within bounds, for the one thread that writes them.
//! What goes beyond the bounds is dropped and counted, and the number is told at the place of the
//! gap.

use std::collections::VecDeque;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::callsite::{Callsite, Identifier};
use tracing::field::FieldSet;
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata};

use super::line::Line;
use super::output::Lost;

/// A line for the journal.
#[derive(Debug)]
pub(super) struct Entry {
    /// That of the event the line was captured from: its level, its place and the names of its
    /// fields.
    pub(super) metadata: &'static Metadata<'static>,
    pub(super) line: Line,
}

impl Entry {
    /// What it takes of memory.
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.line.heap_bytes()
    }

    /// That `count` lines are missing where it stands.
    fn of_lost(count: u64) -> Self {
        let why = io::Error::new(io::ErrorKind::TimedOut, "journald did not read in time");
        let text = Lost::new(count, why).to_string();
        Self {
            metadata: &LOST,
            line: Line::new(*LOST.level(), LOST.target(), text),
        }
    }
}

/// The lines that wait, between those who write them and the thread that passes them on.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Something waits, or nothing will come any more.
    filled: Condvar,
    /// Nothing waits, and what was taken has been passed on.
    drained: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Entry>,
    /// The memory of those that wait.
    bytes: usize,
    /// Lines dropped since the last that was queued.
    lost: u64,
    /// The thread has taken an entry and not come back for the next one.
    is_busy: bool,
    is_closed: bool,
}

impl Queue {
    /// Adds `entry`, or drops it if there is no room. Waits for nobody.
    pub(super) fn push(&self, entry: Entry) {
        let mut state = self.lock();
        if !state.has_room(entry.bytes()) {
            state.lost = state.lost.saturating_add(1);
            return;
        }
        if let Some(lost) = state.take_lost() {
            state.add(lost);
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

    /// Waits until everything has been passed on, for `patience` at most.
    pub(super) fn flush(&self, patience: Duration) {
        let state = self.lock();
        // Whether it was in time is not told: there is nowhere left to tell it.
        drop(
            self.drained
                .wait_timeout_while(state, patience, |state| !state.is_drained()),
        );
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
        let share = if self.lost == 0 { 1 } else { 2 };
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
            None => self.take_lost(),
        }
    }

    /// The line about those that were lost, if any were.
    fn take_lost(&mut self) -> Option<Entry> {
        let count = std::mem::take(&mut self.lost);
        (count > 0).then(|| Entry::of_lost(count))
    }

    fn is_drained(&self) -> bool {
        self.waiting.is_empty() && self.lost == 0 && !self.is_busy
    }
}

/// So many lines wait at most.
const LINES_MAX: usize = 4_096;
/// So much memory they take at most; the line of a publisher takes some 400 bytes.
const BYTES_MAX: usize = 4 << 20;
/// Places that an empty queue keeps.
const USUAL: usize = 64;

/// Where lines about lost ones come from. They have no event, for nothing may be logged while
/// something is logged.
static LOST: Metadata<'static> = Metadata::new(
    "lost lines",
    module_path!(),
    Level::WARN,
    Some(file!()),
    Some(line!()),
    Some(module_path!()),
    FieldSet::new(&[], Identifier(&LostLines)),
    Kind::EVENT,
);

struct LostLines;

impl Callsite for LostLines {
    fn set_interest(&self, _interest: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &LOST
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::LINE_MAX;
    use super::super::line::tests::line;
    use super::*;

    fn entry(message: &str) -> Entry {
        Entry {
            metadata: &LOST,
            line: line(Level::INFO, message),
        }
    }

    /// What waits, without waiting.
    fn waiting(queue: &Queue) -> Vec<String> {
        let mut state = queue.lock();
        std::iter::from_fn(|| state.next())
            .map(|entry| entry.line.message)
            .collect()
    }

    #[test]
    fn lines_and_their_memory_are_bounded() {
        for (message, least, most) in [
            ("short".to_owned(), LINES_MAX, LINES_MAX),
            ("x".repeat(LINE_MAX), 480, BYTES_MAX / LINE_MAX),
        ] {
            let queue = Queue::default();
            for _ in 0..LINES_MAX + 5 {
                queue.push(entry(&message));
            }
            let held = queue.lock().waiting.len();
            assert!((least..=most).contains(&held), "{held}");
            let lost = usize::try_from(queue.lock().lost).unwrap();
            assert_eq!(lost, LINES_MAX + 5 - held);
            waiting(&queue);
            assert_eq!(queue.lock().bytes, 0);
        }
    }

    #[test]
    fn a_gap_is_told_at_its_place_once_half_of_the_queue_is_free() {
        let queue = Queue::default();
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
                "2 log lines are missing here: journald did not read in time",
                "after",
                "and on"
            ]
        );
    }

    #[test]
    fn a_gap_is_told_even_if_no_line_follows() {
        let queue = Queue::default();
        queue.lock().lost = 1;
        let told = queue.take().unwrap();
        assert_eq!(told.metadata.level(), &Level::WARN);
        assert!(
            told.metadata
                .file()
                .is_some_and(|it| it.ends_with("queue.rs"))
        );
        assert_eq!(
            told.line.message,
            "1 log line is missing here: journald did not read in time"
        );
        queue.close();
        assert!(queue.take().is_none());
    }

    #[test]
    fn a_flush_does_not_wait_for_ever() {
        let queue = Queue::default();
        queue.push(entry("nobody takes it"));
        queue.flush(Duration::from_millis(1));
        assert_eq!(waiting(&queue), ["nobody takes it"]);
    }

    #[test]
    fn a_closed_queue_gives_what_it_has() {
        let queue = Queue::default();
        queue.push(entry("last"));
        queue.close();
        assert!(queue.take().is_some());
        assert!(queue.take().is_none());
    }
}
