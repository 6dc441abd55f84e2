//! Why there is no configuration.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Mistake;

/// Why a configuration was not read. Displayed, it is the whole message for the operator, of one
/// or several lines, without a newline at the end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be opened or read.
    #[error("{}: {}", path.display(), explain(cause))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The file cannot be a configuration, since it is larger than any.
    #[error("{}: has more than {max} bytes, which no configuration needs", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Most bytes that a configuration may have.
        max: u64,
    },
    /// The file is no text.
    #[error(
        "{}:{line}:{column}: byte {byte:#04x} at offset {offset} is not UTF-8, in which \
         configuration files are written", path.display()
    )]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Line of the first byte that is wrong, from 1.
        line: usize,
        /// Its column, from 1, in characters.
        column: usize,
        /// Its place in the file, from 0.
        offset: usize,
        /// What it is.
        byte: u8,
    },
    /// The files, or the environment, have mistakes.
    #[error("{0}")]
    Invalid(Mistakes),
    /// Some files cannot be read, and others perhaps have mistakes.
    #[error("{}", one_below_the_other(.0))]
    Several(Vec<Self>),
}

impl Error {
    /// The mistakes of all files, in the order of the files and of their lines, and of the
    /// environment; none if a file was not even text.
    #[must_use]
    pub fn mistakes(&self) -> &[Mistake] {
        match self {
            Self::Invalid(mistakes) => &mistakes.list,
            Self::Several(errors) => errors
                .iter()
                .map(Self::mistakes)
                .find(|mistakes| !mistakes.is_empty())
                .unwrap_or_default(),
            _ => &[],
        }
    }

    /// The message in one line for each thing that is wrong, without the lines of the files.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Invalid(mistakes) => mistakes.each(Mistake::in_one_line),
            Self::Several(errors) => errors.iter().flat_map(Self::lines).collect(),
            _ => vec![self.to_string()],
        }
    }

    /// All of `errors`, of which there is one at least.
    pub(super) fn all(mut errors: Vec<Self>) -> Self {
        match errors.pop() {
            Some(error) if errors.is_empty() => error,
            last => {
                errors.extend(last);
                Self::Several(errors)
            }
        }
    }

    pub(super) fn invalid(mistakes: Vec<Mistake>) -> Self {
        Self::Invalid(mistakes.into())
    }

    /// The file is `bytes`, of which the first `offset` are UTF-8.
    pub(super) fn not_utf8(path: &Path, bytes: &[u8], offset: usize) -> Self {
        let valid = String::from_utf8_lossy(bytes.get(..offset).unwrap_or(bytes));
        let last_line = valid.rsplit('\n').next().unwrap_or_default();
        Self::NotUtf8 {
            path: path.to_owned(),
            line: valid.matches('\n').count() + 1,
            column: last_line.chars().count() + 1,
            offset,
            byte: bytes.get(offset).copied().unwrap_or_default(),
        }
    }

    /// Whether there is no such file.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Unreadable { cause, .. } if cause.kind() == io::ErrorKind::NotFound)
    }
}

/// The mistakes of a configuration, of which the first twenty are displayed.
#[derive(Debug)]
pub struct Mistakes {
    list: Vec<Mistake>,
}

impl From<Vec<Mistake>> for Mistakes {
    fn from(list: Vec<Mistake>) -> Self {
        Self { list }
    }
}

impl Mistakes {
    /// Each as `show` has it, and how many more there are.
    fn each(&self, show: impl Fn(&Mistake) -> String) -> Vec<String> {
        let (shown, hidden) = self.list.split_at(self.list.len().min(MAX_SHOWN));
        let mut lines: Vec<String> = shown.iter().map(show).collect();
        for of_file in hidden.chunk_by(|one, next| one.file() == next.file()) {
            let file = of_file.first().map_or("", Mistake::file);
            lines.push(match of_file.len() {
                1 => format!("{file}: and 1 more mistake"),
                more => format!("{file}: and {more} more mistakes"),
            });
        }
        lines
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.each(Mistake::to_string).join("\n"))
    }
}

/// The messages, one below the other.
fn one_below_the_other(errors: &[Error]) -> String {
    let messages: Vec<_> = errors.iter().map(Error::to_string).collect();
    messages.join("\n")
}

fn explain(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => {
            format!("permission denied: {} may not read it", who_asks())
        }
        io::ErrorKind::IsADirectory => "is a directory, where a file was expected".to_owned(),
        _ => format!("cannot be read: {cause}"),
    }
}

/// The user that this process is: the daemon's, or of whoever looks at its files.
fn who_asks() -> String {
    let text = |file| fs::read_to_string(file).unwrap_or_default();
    user_of(&text("/proc/self/status"), &text("/etc/passwd"))
}

/// From the texts of `/proc/PID/status` and `/etc/passwd`.
fn user_of(status: &str, users: &str) -> String {
    // The user that counts is the second: `Uid: REAL EFFECTIVE SAVED FILESYSTEM`.
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    let Some(id) = ids.and_then(|ids| ids.split_whitespace().nth(1)) else {
        return "the user that asks".to_owned();
    };
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == Some(id)).then_some(name)
    });
    match name {
        Some(name) => format!("the user {name}"),
        None => format!("the user with the id {id}"),
    }
}

/// Enough for every mistake that people make in one sitting, and still one screen or two.
const MAX_SHOWN: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_not_read_a_file_is_named() {
        let users = "root:x:0:0:root:/root:/bin/bash\nbob:x:1001:1001::/home/bob:/bin/sh\n";
        let status = |ids: &str| format!("Name:\tsrsctl\nUid:\t{ids}\nGid:\t0\t0\t0\t0\n");
        for (status, expected) in [
            (status("1001\t1001\t1001\t1001"), "the user bob"),
            (status("1001\t0\t0\t0"), "the user root"),
            (status("7\t7\t7\t7"), "the user with the id 7"),
            (String::new(), "the user that asks"),
        ] {
            assert_eq!(user_of(&status, users), expected);
        }
        let error = Error::Unreadable {
            path: "/etc/srs/srs.toml".into(),
            cause: io::ErrorKind::PermissionDenied.into(),
        };
        let expected = format!(
            "/etc/srs/srs.toml: permission denied: {} may not read it",
            who_asks()
        );
        assert_eq!(error.to_string(), expected);
        assert_ne!(who_asks(), "the user that asks");
    }
}
