//! Where lines go: the console, a file, or on to the journal.
//!
//! A line is one write, so that two processes may append to one file. A line that cannot be written
//! (disk full, terminal gone) is dropped and counted, and how many were lost is written before the
//! first line that succeeds: what the server serves matters more than what it says about it.
//!
//! Nor may a reader of standard error that has stopped reading (a pager, a terminal on hold) stop
//! the server: lines wait for it a moment, and then count as lost, too.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use tracing::Level;

use super::line::Line;
use super::{json, text};
use crate::config::LogFormat;

/// The place where lines go at present; it can be changed while others write.
#[derive(Debug)]
pub(super) struct Output {
    /// Held while a line is written, so that lines do not mix.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    destination: Destination,
    format: LogFormat,
    /// Lines dropped since the last one that was written.
    lost: Option<Lost>,
    /// The line at hand, kept for its memory.
    buffer: String,
}

/// A place for lines.
#[derive(Debug)]
pub(super) enum Destination {
    /// The journal, which the caller has the lines passed on to.
    Journal,
    /// Standard error.
    Console {
        /// It is a terminal whose user wants colours.
        colour: bool,
    },
    /// A file.
    File(LogFile),
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal => f.write_str("in the journal"),
            Self::Console { .. } => f.write_str("on standard error"),
            Self::File(file) => write!(f, "in the file {}", file.path.display()),
        }
    }
}

/// Lines that could not be written, and why the last of them could not.
#[derive(Debug)]
pub(super) struct Lost {
    count: u64,
    error: io::Error,
}

impl Lost {
    /// `count` lines, the last of them for `error`.
    pub(super) fn new(count: u64, error: io::Error) -> Self {
        Self { count, error }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = if self.count == 1 {
            "line is"
        } else {
            "lines are"
        };
        write!(f, "{} log {lines} missing here: {}", self.count, self.error)
    }
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// Nothing more is to be done, whether it was written or lost.
    Done,
    /// It belongs into the journal.
    ToJournal,
}

impl Output {
    pub(super) fn new(destination: Destination, format: LogFormat) -> Self {
        let state = State {
            destination,
            format,
            lost: None,
            buffer: String::new(),
        };
        Self {
            state: Mutex::new(state),
        }
    }

    /// Writes `line`, unless the journal is where it belongs.
    pub(super) fn write(&self, line: &Line) -> Written {
        self.lock().write(line)
    }

    /// Sends the lines from now on to `destination` in `format`; `None` keeps the present one.
    ///
    /// Returns what was lost at the destination left, which the caller tells at the new one.
    #[must_use]
    pub(super) fn change(
        &self,
        destination: Option<Destination>,
        format: Option<LogFormat>,
    ) -> Option<Lost> {
        let mut state = self.lock();
        state.format = format.unwrap_or(state.format);
        state.destination = destination?;
        state.lost.take()
    }

    /// The path of the log file, if lines go to one.
    pub(super) fn file_path(&self) -> Option<PathBuf> {
        match &self.lock().destination {
            Destination::File(file) => Some(file.path.clone()),
            Destination::Journal | Destination::Console { .. } => None,
        }
    }

    /// Where lines go, in words.
    pub(super) fn destination(&self) -> String {
        self.lock().destination.to_string()
    }

    /// Whether lines go to standard error.
    pub(super) fn is_console(&self) -> bool {
        matches!(self.lock().destination, Destination::Console { .. })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing inside leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn write(&mut self, line: &Line) -> Written {
        if matches!(self.destination, Destination::Journal) {
            return Written::ToJournal;
        }
        match self.write_after_lost(line) {
            Ok(()) => self.lost = None,
            Err(error) => {
                let before = self.lost.as_ref().map_or(0, |lost| lost.count);
                self.lost = Some(Lost::new(before.saturating_add(1), error));
            }
        }
        Written::Done
    }

    fn write_after_lost(&mut self, line: &Line) -> io::Result<()> {
        if let Some(lost) = &self.lost {
            self.write_line(&Line::new(Level::WARN, module_path!(), lost.to_string()))?;
            self.lost = None;
        }
        self.write_line(line)
    }

    fn write_line(&mut self, line: &Line) -> io::Result<()> {
        self.buffer.clear();
        let colour = matches!(self.destination, Destination::Console { colour: true });
        match self.format {
            LogFormat::Text => text::format(line, colour, &mut self.buffer),
            LogFormat::Json => json::format(line, &mut self.buffer),
        }
        match &mut self.destination {
            Destination::Journal => Ok(()),
            Destination::Console { .. } => {
                // Who has kept us waiting once is not waited for again until it reads.
                let patience = if self.lost.is_none() {
                    PATIENCE
                } else {
                    Duration::ZERO
                };
                write_unless_stuck(io::stderr(), self.buffer.as_bytes(), patience)
            }
            Destination::File(file) => file.write_line(&self.buffer),
        }
    }
}

/// Writes `bytes` to a pipe, terminal or socket, and gives up when it takes nothing for `patience`.
fn write_unless_stuck(
    mut sink: impl AsFd + Write,
    bytes: &[u8],
    patience: Duration,
) -> io::Result<()> {
    let patience = Timespec::try_from(patience).unwrap_or_default();
    // A pipe that is ready takes this much without blocking (PIPE_BUF, pipe(7)).
    for part in bytes.chunks(4096) {
        let mut ready = [PollFd::new(&sink, PollFlags::OUT)];
        if poll(&mut ready, Some(&patience))? == 0 {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "nobody reads it"));
        }
        sink.write_all(part)?;
    }
    Ok(())
}

/// How long a line waits for the reader of standard error.
const PATIENCE: Duration = Duration::from_millis(100);

/// A file that lines are appended to.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    /// The file ends within a line, because the disk was full in the middle of one.
    is_torn: bool,
}

impl LogFile {
    /// Opens `path` for appending; a new file can be read by its owner and group (0640), for peers'
    /// addresses and stream names are not everybody's business.
    ///
    /// A pipe is refused, without waiting for somebody who reads it: whoever stops reading would
    /// stop the server.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o640)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(path)
            .map_err(|error| match error.raw_os_error() {
                Some(code) if code == Errno::NXIO.raw_os_error() => is_a_pipe(),
                _ => error,
            })?;
        if file.metadata()?.file_type().is_fifo() {
            return Err(is_a_pipe());
        }
        Ok(Self {
            path: path.into(),
            file,
            is_torn: false,
        })
    }

    fn write_line(&mut self, line: &str) -> io::Result<()> {
        if self.is_torn {
            write_all(&mut self.file, b"\n").map_err(|(_, error)| error)?;
            self.is_torn = false;
        }
        write_all(&mut self.file, line.as_bytes()).map_err(|(written, error)| {
            self.is_torn = written > 0;
            error
        })
    }
}

fn is_a_pipe() -> io::Error {
    io::Error::other("it is a pipe or socket, where a file was expected")
}

/// Writes `bytes`, at once where the file takes them; an error says how many were written before.
fn write_all(file: &mut impl Write, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match file.write(rest) {
            Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
            Ok(n) => written += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((written, error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::line::tests::line;
    use super::*;

    fn file_output(path: &Path) -> Output {
        Output::new(
            Destination::File(LogFile::open(path).unwrap()),
            LogFormat::Text,
        )
    }

    /// A file system that takes so many bytes, then none.
    struct Disk {
        room: usize,
        written: Vec<u8>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let part = bytes.get(..self.room.min(bytes.len())).unwrap();
            if part.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= part.len();
            self.written.extend_from_slice(part);
            Ok(part.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_pipe_that_nobody_reads_costs_lines_and_never_blocks() {
        let (_reader, writer) = io::pipe().expect("a pipe");
        let line = [b'x'; 6_000];
        let mut written = 0;
        let stuck = loop {
            match write_unless_stuck(&writer, &line, Duration::ZERO) {
                Ok(()) => written += line.len(),
                Err(error) => break error,
            }
        };
        assert_eq!(stuck.kind(), io::ErrorKind::TimedOut);
        assert!(written > 0, "there was room at first");
    }

    #[test]
    fn a_new_file_is_not_for_everybody_and_an_old_one_is_continued() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("srs.log");
        for message in ["first", "second"] {
            let written = file_output(&path).write(&line(Level::INFO, message));
            assert_eq!(written, Written::Done);
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o137, 0);
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "[2026-11-22 17:05:06.123][info][4242][-] first\n\
             [2026-11-22 17:05:06.123][info][4242][-] second\n"
        );
    }

    #[test]
    fn lines_for_the_journal_are_left_to_the_caller() {
        let output = Output::new(Destination::Journal, LogFormat::Text);
        assert_eq!(output.write(&line(Level::INFO, "x")), Written::ToJournal);
        assert_eq!(output.file_path(), None);
    }

    #[test]
    fn a_full_disk_costs_lines_and_their_number_is_told_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("srs.log");
        let output = file_output(Path::new("/dev/full"));
        for _ in 0..3 {
            assert_eq!(output.write(&line(Level::INFO, "lost")), Written::Done);
        }
        // What /dev/full becomes when somebody makes room.
        output.lock().destination = Destination::File(LogFile::open(&path).unwrap());
        output.write(&line(Level::INFO, "after"));
        output.write(&line(Level::INFO, "and on"));

        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[0].contains("[warn]"), "{text}");
        assert!(
            lines[0].contains("3 log lines are missing here: No space left on device"),
            "{text}"
        );
        assert!(
            lines[1].ends_with("after") && lines[2].ends_with("and on"),
            "{text}"
        );
    }

    #[test]
    fn a_change_of_destination_hands_over_what_was_lost() {
        let output = file_output(Path::new("/dev/full"));
        output.write(&line(Level::INFO, "lost"));
        let lost = output.change(Some(Destination::Journal), None).unwrap();
        assert!(
            lost.to_string().starts_with("1 log line is missing here: "),
            "{lost}"
        );
        assert!(output.change(Some(Destination::Journal), None).is_none());
    }

    #[test]
    fn a_line_that_was_torn_is_ended_before_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("srs.log");
        fs::write(&path, "half a li").unwrap();
        let mut file = LogFile::open(&path).unwrap();
        file.is_torn = true;
        file.write_line("next\n").unwrap();
        file.write_line("last\n").unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "half a li\nnext\nlast\n"
        );
    }

    #[test]
    fn a_failed_write_says_how_far_it_came() {
        let mut disk = Disk {
            room: 4,
            written: Vec::new(),
        };
        let (written, error) = write_all(&mut disk, b"a line\n").unwrap_err();
        assert_eq!((written, error.kind()), (4, io::ErrorKind::StorageFull));
        assert_eq!(disk.written, b"a li");
        assert!(
            write_all(
                &mut Disk {
                    room: 9,
                    written: Vec::new()
                },
                b"a line\n"
            )
            .is_ok()
        );
    }
}
