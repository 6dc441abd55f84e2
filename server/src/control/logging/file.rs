//! A file that lines are appended to.
//!
//! A line is one write, so that two processes may append to one file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::io::Errno;

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
        append(&mut self.file, line.as_bytes(), &mut self.is_torn)
    }
}

fn is_a_pipe() -> io::Error {
    io::Error::other("it is a pipe or socket, where a file was expected")
}

/// Appends `line` to `file`, after the end of a line that was torn. If it fails on the way,
/// `is_torn` says so.
fn append(file: &mut impl Write, line: &[u8], is_torn: &mut bool) -> io::Result<()> {
    if *is_torn {
        write_all(file, b"\n").map_err(|(_, error)| error)?;
        *is_torn = false;
    }
    write_all(file, line).map_err(|(written, error)| {
        *is_torn = written > 0;
        error
    })
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
    use std::os::unix::fs::PermissionsExt;

    use tracing::Level;

    use super::super::line::tests::line;
    use super::super::lost::Lost;
    use super::*;

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

    #[test]
    fn a_line_that_was_torn_is_ended_before_the_next() {
        let mut disk = Disk {
            room: 4,
            written: Vec::new(),
        };
        let mut is_torn = false;
        let error = append(&mut disk, b"a line\n", &mut is_torn).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(is_torn);
        append(&mut disk, b"none of it\n", &mut is_torn).unwrap_err();
        assert!(is_torn, "still");
        disk.room = 100;
        for line in ["next\n", "last\n"] {
            append(&mut disk, line.as_bytes(), &mut is_torn).unwrap();
        }
        assert_eq!(
            String::from_utf8(disk.written).unwrap(),
            "a li\nnext\nlast\n"
        );
    }

    #[test]
    fn a_failed_write_says_how_far_it_came() {
        let cases = [(4, Some(4)), (0, Some(0)), (7, None), (9, None)];
        for (room, expected) in cases {
            let mut disk = Disk {
                room,
                written: Vec::new(),
            };
            let result = write_all(&mut disk, b"a line\n");
            assert_eq!(result.err().map(|(written, _)| written), expected, "{room}");
            assert_eq!(disk.written.len(), room.min(7));
        }
    }
}
