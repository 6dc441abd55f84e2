//! Where lines go at present: to the console, a file or the journal. It can be changed while others
//! write.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::console::{self, Console};
use super::file::{self, LogFile};
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
    fn of_writer(path: &str, writer: Writer) -> Self {
        Self {
            destination: file_at(path),
            writer: Arc::new(writer),
        }
    }
}

/// Lines go elsewhere than one thought.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Elsewhere;

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

    /// Sends the lines from now on to `next`, unless somebody else has sent them elsewhere than
    /// `from` meanwhile. The place left has a moment for those that it was to write, for which this
    /// waits; what it cannot take until then, `next` gets, but for the one that it has in hand, and
    /// after a line that tells what was lost there.
    ///
    /// # Errors
    /// Lines go elsewhere already; `next` is dropped.
    pub(super) fn change(&self, from: &Destination, next: Place) -> Result<(), Elsewhere> {
        self.flush(LAST_MOMENT);
        let mut present = self.lock();
        if present.destination != *from {
            return Err(Elsewhere);
        }
        for entry in present.writer.give_up() {
            next.writer.push(entry);
        }
        *present = next;
        Ok(())
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

#[cfg(test)]
fn file_at(path: &str) -> Destination {
    Destination::File {
        path: path.into(),
        format: LogFormat::Text,
    }
}

/// What a place that is left has for the lines it was to write: a disk needs less, unless it hangs.
const LAST_MOMENT: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
    use std::thread;

    use tracing::Level;

    use super::super::line::tests::line;
    use super::super::lost::Lost;
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

    fn slow(path: &str) -> (Place, Receiver<String>, Sender<io::Result<()>>) {
        let (begun, is_begun) = mpsc::channel();
        let (let_go_on, go_on) = mpsc::channel();
        let traits = Traits {
            slow: "it was slow",
            ..file::TRAITS
        };
        let writer = Writer::start(traits, move || Ok(Slow { begun, go_on })).unwrap();
        (Place::of_writer(path, writer), is_begun, let_go_on)
    }

    fn entry(message: &str) -> Entry {
        let metadata = Lost::new(1, "").to_entry().metadata;
        Entry::new(metadata, line(Level::INFO, message))
    }

    fn full() -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }

    #[test]
    fn what_a_place_that_hangs_has_not_taken_goes_to_the_next_in_order() {
        let (hung, begun, go_on) = slow("hung");
        let output = Arc::new(Output::new(hung));
        for message in ["taken", "second", "third"] {
            output.write(entry(message));
        }
        assert_eq!(begun.recv_timeout(PATIENCE).unwrap(), "taken");

        // Others go on writing all the time.
        let (end, ended) = mpsc::channel::<()>();
        let writer = thread::spawn({
            let output = Arc::clone(&output);
            move || {
                let mut count = 0;
                while ended.try_recv() == Err(TryRecvError::Empty) && count < 2_000 {
                    output.write(entry(&format!("line {count}")));
                    count += 1;
                    thread::yield_now();
                }
                count
            }
        });
        let (next, written, go_on_there) = slow("next");
        drop(go_on_there);
        output.change(&file_at("hung"), next).unwrap();
        drop(end);
        let count = writer.join().unwrap();
        for message in ["second", "third"] {
            assert_eq!(written.recv_timeout(PATIENCE).unwrap(), message);
        }
        for number in 0..count {
            let message = written.recv_timeout(PATIENCE).unwrap();
            assert_eq!(message, format!("line {number}"));
        }
        // The thread of the old one ends as soon as it can.
        drop(go_on);
        assert_eq!(
            begun.recv_timeout(PATIENCE),
            Err(RecvTimeoutError::Disconnected)
        );
    }

    #[test]
    fn a_place_that_was_long_in_opening_does_not_undo_what_came_meanwhile() {
        let (first, ..) = slow("first");
        let output = Output::new(first);
        let (console, written, _go_on) = slow("console");
        output.change(&file_at("first"), console).unwrap();
        let (late, unused, _) = slow("first");
        assert_eq!(
            output.change(&file_at("first"), late).err(),
            Some(Elsewhere)
        );
        output.write(entry("line"));
        assert_eq!(written.recv_timeout(PATIENCE).unwrap(), "line");
        assert_eq!(
            unused.recv_timeout(PATIENCE),
            Err(RecvTimeoutError::Disconnected)
        );
    }

    #[test]
    fn a_full_disk_costs_lines_and_their_number_is_told_afterwards() {
        let (full_disk, begun, go_on) = slow("disk");
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
    fn what_was_lost_at_a_place_is_told_at_the_next_and_counted_once() {
        let (full_disk, begun, go_on) = slow("disk");
        let output = Output::new(full_disk);
        for _ in 0..3 {
            output.write(entry("lost"));
            go_on.send(full()).unwrap();
        }
        // The notices of those before fail, too.
        for _ in 0..3 {
            begun.recv_timeout(PATIENCE).unwrap();
        }
        let (again, begun, go_on) = slow("again");
        output.change(&file_at("disk"), again).unwrap();
        let notice = "3 log lines are missing here: no storage space";
        assert_eq!(begun.recv_timeout(PATIENCE).unwrap(), notice);
        // That disk is full as well.
        go_on.send(full()).unwrap();
        let (next, begun, _go_on) = slow("next");
        output.change(&file_at("again"), next).unwrap();
        assert_eq!(begun.recv_timeout(PATIENCE).unwrap(), notice);
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
