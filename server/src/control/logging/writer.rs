//! A thread that writes lines to one place, so that nobody else waits for it.
//!
//! A line that cannot be written (disk full, terminal gone) is dropped and counted, and how many were
//! lost is written before the first line that succeeds: what the server serves matters more than what
//! it says about it.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::lost::Lost;
use super::queue::{Entry, Queue};

/// A place for lines, in the hands of its thread.
pub(super) trait Sink {
    /// Writes the line of `entry`, and waits for the place if need be.
    ///
    /// # Errors
    /// The line is lost.
    fn write(&mut self, entry: &Entry) -> io::Result<()>;
}

/// What is to be known of a place beforehand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traits {
    /// The name of the thread.
    pub(super) thread: &'static str,
    /// Why lines are missing where it did not take them in time.
    pub(super) slow: &'static str,
    /// Why it cannot be used where it did not open in time.
    pub(super) stuck: &'static str,
    /// How long it may take to open.
    pub(super) open_within: Duration,
}

/// Passes lines on to a place. Its thread ends when this is gone and all are passed on.
pub(super) struct Writer {
    queue: Arc<Queue>,
    failed: Arc<Failed>,
}

/// Lines that could not be written, as long as none after them was.
type Failed = Mutex<Option<Lost>>;

impl Writer {
    /// To the place that `open` opens, in the thread that then writes to it.
    ///
    /// # Errors
    /// Those of `open`, that it takes too long, and those of starting a thread.
    pub(super) fn start<S: Sink>(
        traits: Traits,
        open: impl FnOnce() -> io::Result<S> + Send + 'static,
    ) -> io::Result<Self> {
        // Made first: if we give up, it closes the queue, and the thread ends.
        let writer = Self {
            queue: Arc::new(Queue::new(traits.slow)),
            failed: Arc::default(),
        };
        let (queue, failed) = (Arc::clone(&writer.queue), Arc::clone(&writer.failed));
        let opening = Opening::begin().ok_or_else(|| timed_out(traits.stuck))?;
        let (tell, opened) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name(traits.thread.into())
            .spawn(move || {
                IS_WRITER.set(true);
                let result = open();
                drop(opening);
                match result {
                    Ok(mut sink) => {
                        // Whoever gave up waiting has closed the queue.
                        let _ = tell.send(Ok(()));
                        pass_on(&queue, &mut sink, &failed);
                    }
                    Err(error) => {
                        let _ = tell.send(Err(error));
                    }
                }
            })?;
        match opened.recv_timeout(traits.open_within) {
            Ok(opened) => opened.map(|()| writer),
            Err(RecvTimeoutError::Timeout) => Err(timed_out(traits.stuck)),
            Err(RecvTimeoutError::Disconnected) => {
                Err(io::Error::other("opening it panicked, please report this"))
            }
        }
    }

    /// Queues `entry`. Waits for nobody.
    pub(super) fn push(&self, entry: Entry) {
        self.queue.push(entry);
    }

    /// Waits until all that was queued is written, for `patience` at most; whether it is.
    pub(super) fn flush(&self, patience: Duration) -> bool {
        self.queue.flush(patience)
    }

    /// Gives up what it could not write: a line about those that are lost, and then those that wait.
    /// The one that it has in hand stays with it, and is written if that is ever possible.
    pub(super) fn give_up(&self) -> impl Iterator<Item = Entry> + use<> {
        let waiting = self.queue.take_waiting();
        let lost = lock(&self.failed).take();
        lost.map(|lost| lost.to_entry()).into_iter().chain(waiting)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the lines.
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

/// Has all lines written, until the queue is closed and empty.
fn pass_on(queue: &Queue, sink: &mut impl Sink, failed: &Failed) {
    while let Some(entry) = queue.take() {
        // A panic costs a line, not the log.
        let written = panic::catch_unwind(AssertUnwindSafe(|| write(&entry, sink, failed)));
        let written = written
            .unwrap_or_else(|_| Err(io::Error::other("writing it panicked, please report this")));
        if let Err(error) = written {
            let mut failed = lock(failed);
            let lost = Lost::new(entry.lines(), error.to_string());
            *failed = Some(lost.after(failed.take()));
        }
    }
}

/// Writes the line of `entry`, after one about those that failed before it.
fn write(entry: &Entry, sink: &mut impl Sink, failed: &Failed) -> io::Result<()> {
    // Not held while something is written, which may take for ever.
    let lost = lock(failed).clone();
    if let Some(lost) = lost {
        sink.write(&lost.to_entry())?;
        *lock(failed) = None;
    }
    sink.write(entry)
}

thread_local! {
    static IS_WRITER: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is that of a writer.
pub(super) fn is_this_thread() -> bool {
    IS_WRITER.get()
}

/// A thread that opens a place; it may never come back from that.
struct Opening;

impl Opening {
    /// `None` if too many have not come back.
    fn begin() -> Option<Self> {
        let is_room = |count: usize| (count < OPENING_MAX).then_some(count + 1);
        OPENING
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_room)
            .ok()
            .map(|_| Self)
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        OPENING.fetch_sub(1, Ordering::Relaxed);
    }
}

static OPENING: AtomicUsize = AtomicUsize::new(0);
/// So many threads open places at a time: of a disk that hangs for a week, logrotate(8) would make one
/// each night.
const OPENING_MAX: usize = 8;

fn timed_out(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, why)
}

fn lock(failed: &Failed) -> MutexGuard<'_, Option<Lost>> {
    failed.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Sender;

    use tracing::Level;

    use super::super::file;
    use super::super::line::tests::line;
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn entry(message: &str) -> Entry {
        Entry::new(
            Lost::new(1, "").to_entry().metadata,
            line(Level::INFO, message),
        )
    }

    /// A place that panics at one line.
    struct Fragile(Sender<String>);

    impl Sink for Fragile {
        fn write(&mut self, entry: &Entry) -> io::Result<()> {
            assert!(is_this_thread());
            assert_ne!(entry.line.message, "bad");
            self.0.send(entry.line.message.clone()).unwrap();
            Ok(())
        }
    }

    #[test]
    fn a_panic_costs_a_line_and_not_the_log() {
        let (tell, told) = mpsc::channel();
        let writer = Writer::start(file::TRAITS, || Ok(Fragile(tell))).unwrap();
        for message in ["one", "bad", "two"] {
            writer.push(entry(message));
        }
        let expected = [
            "one",
            "1 log line is missing here: writing it panicked, please report this",
            "two",
        ];
        for message in expected {
            assert_eq!(told.recv_timeout(PATIENCE).unwrap(), message);
        }
        assert!(writer.flush(PATIENCE));
        assert!(!is_this_thread());
    }

    #[test]
    fn a_panic_while_it_opens_is_told_as_one() {
        let open = || -> io::Result<Fragile> { panic!("it is meant to") };
        let error = Writer::start(file::TRAITS, open).unwrap_err();
        assert_eq!(error.to_string(), "opening it panicked, please report this");
    }
}
