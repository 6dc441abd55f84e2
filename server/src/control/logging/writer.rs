//! A thread that writes lines to one place, so that nobody else waits for it.
//!
//! A line that cannot be written (disk full, terminal gone) is dropped and counted, and how many were
//! lost is written before the first line that succeeds: what the server serves matters more than what
//! it says about it.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
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
        let (tell, opened) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name(traits.thread.into())
            .spawn(move || match open() {
                Ok(sink) => {
                    // Whoever gave up waiting has closed the queue.
                    let _ = tell.send(Ok(()));
                    pass_on(&queue, sink, &failed);
                }
                Err(error) => {
                    let _ = tell.send(Err(error));
                }
            })?;
        opened
            .recv_timeout(traits.open_within)
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, traits.stuck))??;
        Ok(writer)
    }

    /// Queues `entry`. Waits for nobody.
    pub(super) fn push(&self, entry: Entry) {
        self.queue.push(entry);
    }

    /// Waits until all that was queued is written, for `patience` at most; whether it is.
    pub(super) fn flush(&self, patience: Duration) -> bool {
        self.queue.flush(patience)
    }

    /// Gives up what it could not write: the number of lines that are lost, and those that wait.
    pub(super) fn give_up(&self) -> (Option<Lost>, Vec<Entry>) {
        let waiting = self.queue.take_waiting();
        (lock(&self.failed).take(), waiting)
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

fn pass_on(queue: &Queue, mut sink: impl Sink, failed: &Failed) {
    while let Some(entry) = queue.take() {
        // Not held while something is written, which may take for ever.
        let lost = lock(failed).clone();
        let notice = lost.map(|lost| lost.to_entry());
        let written = notice.map_or(Ok(()), |notice| {
            sink.write(&notice)?;
            *lock(failed) = None;
            Ok(())
        });
        if let Err(error) = written.and_then(|()| sink.write(&entry)) {
            let mut failed = lock(failed);
            let lost = Lost::new(entry.lines(), error.to_string());
            *failed = Some(lost.after(failed.take()));
        }
    }
}

fn lock(failed: &Failed) -> std::sync::MutexGuard<'_, Option<Lost>> {
    failed.lock().unwrap_or_else(PoisonError::into_inner)
}
