//! A file that grows, and that is renamed and made anew while it is read.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Reads the lines of a log file, as far as it goes, again and again.
#[derive(Debug)]
pub(super) struct Follower {
    path: PathBuf,
    file: File,
    /// How far the file was read.
    position: u64,
    /// The line that has not ended yet, as far as it is kept.
    line: Vec<u8>,
}

impl Follower {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// It cannot be opened.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: File::open(path)?,
            position: 0,
            line: Vec::new(),
        })
    }

    /// Goes on behind the last line that `is_start`; without one, at the beginning.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn skip_to_last(&mut self, is_start: impl Fn(&[u8]) -> bool) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(BUFFER, &self.file);
        let mut line = Vec::new();
        let (mut end, mut start) = (0, 0);
        loop {
            line.clear();
            let len = (&mut reader)
                .take(MAX_LINE as u64)
                .read_until(b'\n', &mut line)?;
            if len == 0 {
                break;
            }
            end += len as u64;
            if line.pop_if(|last| *last == b'\n').is_some() && is_start(&line) {
                start = end;
            }
        }
        self.position = self.file.seek(SeekFrom::Start(start))?;
        Ok(())
    }

    /// Hands every line that has come since to `take`, without its newline, until `take` has
    /// enough. A file that took the place of the one that was read is read from its beginning.
    ///
    /// # Errors
    /// The file cannot be read, or what `take` says.
    pub(super) fn read<E: From<io::Error>>(
        &mut self,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.read_file(&mut take)?;
        // Looked at only here, so that what came before the renaming is read before.
        while let Some(next) = self.successor()? {
            self.read_file(&mut take)?;
            self.end_line(&mut take)?;
            self.file = next;
            self.position = 0;
            self.read_file(&mut take)?;
        }
        Ok(())
    }

    /// The line at the end of the file that has no newline yet, for those who do not wait for it.
    ///
    /// # Errors
    /// What `take` says.
    pub(super) fn end_line<E>(
        &mut self,
        take: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            take(&line)?;
        }
        Ok(())
    }

    fn read_file<E: From<io::Error>>(
        &mut self,
        take: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        // A file that was copied and emptied begins anew.
        if self.file.metadata()?.len() < self.position {
            self.position = self.file.seek(SeekFrom::Start(0))?;
            self.line.clear();
        }
        let mut buffer = vec![0; BUFFER];
        loop {
            let len = self.file.read(&mut buffer)?;
            if len == 0 {
                return Ok(());
            }
            self.position += len as u64;
            let mut rest = buffer.get(..len).unwrap_or_default();
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let (head, tail) = rest.split_at(end);
                rest = tail.get(1..).unwrap_or_default();
                if self.line.is_empty() {
                    take(head)?;
                } else {
                    self.keep(head);
                    self.end_line(take)?;
                }
            }
            self.keep(rest);
        }
    }

    /// Puts `part` behind the line that has not ended yet, as far as there is room.
    fn keep(&mut self, part: &[u8]) {
        let room = MAX_LINE - self.line.len();
        self.line
            .extend_from_slice(part.get(..room).unwrap_or(part));
    }

    /// The file that has taken the place of the one that is being read.
    fn successor(&self) -> io::Result<Option<File>> {
        // Between the renaming and the making anew there is none.
        let next = match File::open(&self.path) {
            Ok(next) => next,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let (ours, theirs) = (self.file.metadata()?, next.metadata()?);
        let is_same = ours.dev() == theirs.dev() && ours.ino() == theirs.ino();
        Ok((!is_same).then_some(next))
    }
}

const BUFFER: usize = 64 * 1024;
/// The server's lines have 8 KiB at most.
const MAX_LINE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use super::*;

    fn append(path: &Path, text: &str) {
        let mut file = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn news(follower: &mut Follower) -> Vec<String> {
        let mut lines = Vec::new();
        let take = |line: &[u8]| {
            lines.push(String::from_utf8(line.to_vec()).unwrap());
            io::Result::Ok(())
        };
        follower.read(take).unwrap();
        lines
    }

    #[test]
    fn lines_come_when_they_are_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        append(&path, "one\ntw");
        let mut follower = Follower::open(&path).unwrap();
        assert_eq!(news(&mut follower), ["one"]);
        append(&path, "o\n\nthree\nfour");
        assert_eq!(news(&mut follower), ["two", "", "three"]);
        assert_eq!(news(&mut follower), [""; 0]);
    }

    #[test]
    fn only_what_is_behind_the_last_start_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let skip = || {
            let mut follower = Follower::open(&path).unwrap();
            let is_start = |line: &[u8]| line == b"start";
            follower.skip_to_last(is_start).unwrap();
            follower
        };
        append(&path, "one\ntwo\nst");
        assert_eq!(news(&mut skip()), ["one", "two"]);
        append(&path, "art\nthree\nstart\nfour\n");
        let mut follower = skip();
        assert_eq!(news(&mut follower), ["four"]);
        append(&path, "five\n");
        assert_eq!(news(&mut follower), ["five"]);
        append(&path, &"x".repeat(MAX_LINE * 2));
        append(&path, "\nstart\nsix\n");
        assert_eq!(news(&mut skip()), ["six"]);
    }

    #[test]
    fn a_rotation_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let [path, old] = ["log", "log.1"].map(|name| folder.path().join(name));
        append(&path, "one\n");
        let mut follower = Follower::open(&path).unwrap();
        assert_eq!(news(&mut follower), ["one"]);
        fs::rename(&path, &old).unwrap();
        append(&old, "two\nthr");
        assert_eq!(news(&mut follower), ["two"], "still written to the old one");
        append(&old, "ee\n");
        append(&path, "four\n");
        assert_eq!(news(&mut follower), ["three", "four"]);
        append(&path, "five\n");
        assert_eq!(news(&mut follower), ["five"]);
    }

    #[test]
    fn a_file_that_was_emptied_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        append(&path, "one and some more\n");
        let mut follower = Follower::open(&path).unwrap();
        assert_eq!(news(&mut follower).len(), 1);
        File::create(&path).unwrap();
        append(&path, "two\n");
        assert_eq!(news(&mut follower), ["two"]);
    }

    #[test]
    fn a_line_without_end_costs_no_more_than_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        append(&path, &"x".repeat(MAX_LINE * 3 + 5));
        append(&path, "\ntwo\n");
        let mut follower = Follower::open(&path).unwrap();
        let lines = news(&mut follower);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].len(), MAX_LINE);
        assert_eq!(lines[1], "two");
    }
}
