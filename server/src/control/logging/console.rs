//! Standard error: a terminal, a pipe, a file of somebody's.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::append::append_line;
use super::format::Formatter;
use super::queue::Entry;
use super::writer::{Sink, Traits};
use crate::config::LogFormat;

/// What standard error is to the thread that writes to it.
pub(super) const TRAITS: Traits = Traits {
    thread: "log",
    slow: "nobody read them in time",
    // It is open already.
    stuck: "standard error does not answer",
    open_within: Duration::from_secs(1),
};

/// Standard error.
#[derive(Debug)]
pub(super) struct Console {
    formatter: Formatter,
    /// It ends within a line.
    is_torn: bool,
}

impl Console {
    /// For lines in `format`; `colour`: it is a terminal whose user wants colours.
    pub(super) fn new(format: LogFormat, colour: bool) -> Self {
        Self {
            formatter: Formatter::new(format, colour),
            is_torn: false,
        }
    }
}

impl Sink for Console {
    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        let line = self.formatter.format(&entry.line);
        append_line(&mut WhenReady(io::stderr()), line, &mut self.is_torn)
    }
}

/// A pipe, terminal or socket that is written to when it takes something, though another process may
/// have told it not to block.
struct WhenReady<W>(W);

impl<W: AsFd + Write> Write for WhenReady<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let part = bytes.get(..PIPE_BUF).unwrap_or(bytes);
        loop {
            match poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            match self.0.write(part) {
                // Somebody else was faster.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// So much a pipe that is ready takes without blocking (pipe(7)).
const PIPE_BUF: usize = 4096;

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::thread;

    use super::*;

    #[test]
    fn a_pipe_that_is_read_late_gets_everything() {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK).unwrap();
        let lines: usize = 40;
        let written = thread::spawn(move || {
            let mut writer = WhenReady(writer);
            (0..lines).try_for_each(|_| writer.write_all(&[b'x'; 6_000]))
        });
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        written.join().unwrap().unwrap();
        assert_eq!(read.len(), lines * 6_000);
    }

    #[test]
    fn a_pipe_whose_reader_is_gone_is_an_error() {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let error = WhenReady(writer).write_all(b"line").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
