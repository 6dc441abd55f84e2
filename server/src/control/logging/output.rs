//! Where lines go at present: to the console, a file or the journal. It can be changed while others
//! write.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::console::{self, Console};
use super::file::{self, LogFile};
use super::lost::Lost;
use super::queue::Entry;
use super::writer::Writer;
use crate::config::LogFormat;

/// A place for lines, and how they look there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// The journal, which has a format of its own.
    Journal,
    /// Standard error.
    Console {
        format: LogFormat,
        /// It is a terminal whose user wants colours.
        colour: bool,
    },
    /// A file.
    File { path: PathBuf, format: LogFormat },
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal => f.write_str("in the journal"),
            Self::Console { .. } => f.write_str("on standard error"),
            Self::File { path, .. } => write!(f, "in the file {}", path.display()),
        }
    }
}

/// A place that is open, with a thread that writes to it.
#[derive(Debug)]
pub(super) struct Place {
    destination: Destination,
    writer: Arc<Writer>,
}

impl Place {
    /// The journal, which `writer` passes lines on to.
    pub(super) fn journal(writer: Arc<Writer>) -> Self {
        let destination = Destination::Journal;
        Self {
            destination,
            writer,
        }
    }

    /// Standard error; `colour`: it is a terminal whose user wants colours.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(super) fn console(format: LogFormat, colour: bool) -> io::Result<Self> {
        let open = move || Ok(Console::new(format, colour));
        Ok(Self {
            destination: Destination::Console { format, colour },
            writer: Arc::new(Writer::start(console::TRAITS, open)?),
        })
    }

    /// The file at `path`, which is opened or made.
    ///
    /// # Errors
    /// It cannot be opened, or not in time, or there is no thread to be had.
    pub(super) fn file(path: PathBuf, format: LogFormat) -> io::Result<Self> {
        let destination = Destination::File {
            path: path.clone(),
            format,
        };
        let open = move || LogFile::open(&path, format);
        Ok(Self {
            destination,
            writer: Arc::new(Writer::start(file::TRAITS, open)?),
        })
    }

    /// Where it is.
    pub(super) fn destination(&self) -> &Destination {
        &self.destination
    }

    #[cfg(test)]
    fn of_writer(writer: Writer) -> Self {
        Self::journal(Arc::new(writer))
    }
}

/// The place where lines go at present.
#[derive(Debug)]
pub(super) struct Output {
    /// Held while a line is queued, so that none is queued for a place that was left.
    present: Mutex<Place>,
}

impl Output {
    pub(super) fn new(place: Place) -> Self {
        Self {
            present: Mutex::new(place),
        }
    }

    /// Has the line of `entry` written. Waits for nobody.
    pub(super) fn write(&self, entry: Entry) {
        self.lock().writer.push(entry);
    }

    /// Sends the lines from now on to `next`. The place left has a moment for those that it was to
    /// write; what it cannot take until then, `next` gets.
    ///
    /// Returns what was lost at the place left, which the caller tells at the new one.
    #[must_use]
    pub(super) fn change(&self, next: Place) -> Option<Lost> {
        let old = std::mem::replace(&mut *self.lock(), next);
        // What is not written by then still waits.
        let _ = old.writer.flush(LAST_MOMENT);
        let (lost, waiting) = old.writer.give_up();
        for entry in waiting {
            self.write(entry);
        }
        lost
    }

    /// Waits until the lines that are on their way are written, for `patience` at most; whether they
    /// are.
    pub(super) fn flush(&self, patience: Duration) -> bool {
        let writer = Arc::clone(&self.lock().writer);
        writer.flush(patience)
    }

    /// Where lines go.
    pub(super) fn destination(&self) -> Destination {
        self.lock().destination.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Place> {
        // Nothing inside leaves it half changed.
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a place that is left has for the lines it was to write: a disk needs less, unless it hangs.
const LAST_MOMENT: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver, Sender};

    use tracing::Level;

    use super::super::line::tests::line;
    use super::super::writer::{Sink, Traits};
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// A place that says what it is to write, and does it once it is told to.
    struct Slow {
        begun: Sender<String>,
        go_on: Receiver<io::Result<()>>,
    }

    impl Sink for Slow {
        fn write(&mut self, entry: &Entry) -> io::Result<()> {
            self.begun.send(entry.line.message.clone()).unwrap();
            // Whoever does not tell it any more wants all written.
            self.go_on.recv().unwrap_or(Ok(()))
        }
    }

    fn slow() -> (Place, Receiver<String>, Sender<io::Result<()>>) {
        let (begun, is_begun) = mpsc::channel();
        let (let_go_on, go_on) = mpsc::channel();
        let traits = Traits {
            slow: "it was slow",
            ..file::TRAITS
        };
        let writer = Writer::start(traits, move || Ok(Slow { begun, go_on })).unwrap();
        (Place::of_writer(writer), is_begun, let_go_on)
    }

    fn entry(message: &str) -> Entry {
        let metadata = Lost::new(1, "").to_entry().metadata;
        Entry::new(metadata, line(Level::INFO, message))
    }

    fn full() -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }

    #[test]
    fn what_a_place_that_hangs_has_not_taken_goes_to_the_next() {
        let (hung, begun, go_on) = slow();
        let output = Output::new(hung);
        for message in ["taken", "second", "third"] {
            output.write(entry(message));
        }
        assert_eq!(begun.recv_timeout(PATIENCE).unwrap(), "taken");

        let (next, written, _) = slow();
        assert!(output.change(next).is_none());
        output.write(entry("fourth"));
        for message in ["second", "third", "fourth"] {
            assert_eq!(written.recv_timeout(PATIENCE).unwrap(), message);
        }
        // The thread of the old one ends as soon as it can.
        drop(go_on);
        assert_eq!(
            begun.recv_timeout(PATIENCE),
            Err(mpsc::RecvTimeoutError::Disconnected)
        );
    }

    #[test]
    fn a_full_disk_costs_lines_and_their_number_is_told_afterwards() {
        let (full_disk, begun, go_on) = slow();
        let output = Output::new(full_disk);
        let step = |message: &str, result: io::Result<()>| {
            assert_eq!(begun.recv_timeout(PATIENCE).unwrap(), message);
            go_on.send(result).unwrap();
        };
        for message in ["lost", "lost, too", "third", "after", "and on"] {
            output.write(entry(message));
        }
        step("lost", full());
        step("1 log line is missing here: no storage space", full());
        step("2 log lines are missing here: no storage space", full());
        // Somebody makes room.
        step("3 log lines are missing here: no storage space", Ok(()));
        step("after", full());
        step("1 log line is missing here: no storage space", Ok(()));
        step("and on", Ok(()));
    }

    #[test]
    fn a_change_of_destination_hands_over_what_was_lost() {
        let (full_disk, _begun, go_on) = slow();
        let output = Output::new(full_disk);
        output.write(entry("lost"));
        go_on.send(full()).unwrap();
        let (next, ..) = slow();
        let lost = output.change(next).unwrap();
        assert!(
            lost.to_string().starts_with("1 log line is missing here: "),
            "{lost}"
        );
        let (next, ..) = slow();
        assert!(output.change(next).is_none());
    }

    #[test]
    fn a_place_that_does_not_open_in_time_is_an_error() {
        let (end, ended) = mpsc::channel::<()>();
        let traits = Traits {
            open_within: Duration::from_millis(1),
            ..file::TRAITS
        };
        let stuck = Writer::start(traits, move || -> io::Result<Slow> {
            // As a disk that hangs: until the test ends.
            let _ = ended.recv();
            full().map(|()| unreachable!())
        });
        let error = stuck.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(error.to_string(), "the disk does not answer");
        drop(end);
    }
}
