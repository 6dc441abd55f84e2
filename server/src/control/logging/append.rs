//! Whole lines, whatever becomes of the one before.
//!
//! A line is one write where that is taken, so that two processes may append to one file.

use std::io::{self, Write};

/// Appends `line` to `sink`, after the end of a line that was torn. If it fails on the way, `is_torn`
/// says so.
///
/// # Errors
/// Those of writing.
pub(super) fn append_line(sink: &mut impl Write, line: &str, is_torn: &mut bool) -> io::Result<()> {
    if *is_torn {
        write_all(sink, b"\n").map_err(|(_, error)| error)?;
        *is_torn = false;
    }
    write_all(sink, line.as_bytes()).map_err(|(written, error)| {
        *is_torn = written > 0;
        error
    })
}

/// Writes `bytes`, at once where `sink` takes them; an error says how many were written before.
fn write_all(sink: &mut impl Write, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match sink.write(rest) {
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
    fn a_line_that_was_torn_is_ended_before_the_next() {
        let mut disk = Disk {
            room: 4,
            written: Vec::new(),
        };
        let mut is_torn = false;
        let error = append_line(&mut disk, "a line\n", &mut is_torn).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(is_torn);
        append_line(&mut disk, "none of it\n", &mut is_torn).unwrap_err();
        assert!(is_torn, "still");
        disk.room = 100;
        for line in ["next\n", "last\n"] {
            append_line(&mut disk, line, &mut is_torn).unwrap();
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
