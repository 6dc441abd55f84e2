//! Standard error: a terminal, a pipe, a file of somebody's.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};

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
}

impl Console {
    /// For lines in `format`; `colour`: it is a terminal whose user wants colours.
    pub(super) fn new(format: LogFormat, colour: bool) -> Self {
        Self {
            formatter: Formatter::new(format, colour),
        }
    }
}

impl Sink for Console {
    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        let line = self.formatter.format(&entry.line);
        write_when_ready(io::stderr(), line.as_bytes())
    }
}

/// Writes `bytes` to a pipe, terminal or socket, which another process may have told not to block.
fn write_when_ready(mut sink: impl AsFd + Write, bytes: &[u8]) -> io::Result<()> {
    // A pipe that is ready takes this much without blocking (PIPE_BUF, pipe(7)).
    for part in bytes.chunks(4096) {
        loop {
            let ready = poll(&mut [PollFd::new(&sink, PollFlags::OUT)], None);
            match ready {
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        sink.write_all(part)?;
    }
    Ok(())
}

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
            (0..lines).try_for_each(|_| write_when_ready(&writer, &[b'x'; 6_000]))
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
        let error = write_when_ready(&writer, b"line").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
