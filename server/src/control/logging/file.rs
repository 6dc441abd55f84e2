//! A file that lines are appended to.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::append::append_line;
use super::format::Formatter;
use super::queue::Entry;
use super::writer::{Sink, Traits};
use crate::config::LogFormat;

/// What a file is to the thread that writes it.
pub(super) const TRAITS: Traits = Traits {
    thread: "log",
    slow: "the file did not take them in time",
    stuck: "the disk does not answer",
    // A disk that sleeps, or one across a network, takes its time.
    open_within: Duration::from_secs(10),
};

/// A file that lines are appended to.
#[derive(Debug)]
pub(super) struct LogFile {
    file: File,
    formatter: Formatter,
    /// The file ends within a line, because the disk was full in the middle of one.
    is_torn: bool,
}

impl LogFile {
    /// Opens `path` for appending lines in `format`; a new file can be read by its owner and group
    /// (0640), for peers' addresses and stream names are not everybody's business.
    ///
    /// # Errors
    /// It cannot be opened, or it is a pipe: whoever stopped reading that would stop the log. Nobody is
    /// waited for who might read it.
    pub(super) fn open(path: &Path, format: LogFormat) -> io::Result<Self> {
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
            file,
            formatter: Formatter::new(format, false),
            is_torn: false,
        })
    }
}

impl Sink for LogFile {
    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        let line = self.formatter.format(&entry.line);
        append_line(&mut self.file, line, &mut self.is_torn)
    }
}

fn is_a_pipe() -> io::Error {
    io::Error::other("it is a pipe or socket, where a file was expected")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use tracing::Level;

    use super::super::line::tests::line;
    use super::super::lost::Lost;
    use super::*;

    #[test]
    fn a_new_file_is_not_for_everybody_and_an_old_one_is_continued() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("srs.log");
        for message in ["first", "second"] {
            let entry = Entry::new(
                Lost::new(1, "").to_entry().metadata,
                line(Level::INFO, message),
            );
            let mut file = LogFile::open(&path, LogFormat::Text).unwrap();
            file.write(&entry).unwrap();
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o137, 0);
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "[2026-11-22 17:05:06.123][info][4242][-] first\n\
             [2026-11-22 17:05:06.123][info][4242][-] second\n"
        );
    }
}
