//! What proves to a server who asks.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use reqwest::RequestBuilder;

/// A token, or a name with a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// A token.
    Token(String),
    /// Basic authentication.
    User {
        /// The name.
        name: String,
        /// The password.
        password: String,
    },
}

impl Credentials {
    /// A token; `None` if no header could carry it.
    pub(crate) fn token(text: &str) -> Option<Self> {
        let is_right = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_right.then(|| Self::Token(text.to_owned()))
    }

    /// `NAME:PASSWORD`; the password may hold colons.
    pub(crate) fn user(text: &str) -> Option<Self> {
        let (name, password) = text.split_once(':')?;
        let (name, password) = (name.to_owned(), password.to_owned());
        (!name.is_empty()).then_some(Self::User { name, password })
    }

    /// The request with them.
    pub(super) fn put_on(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Token(token) => request.bearer_auth(token),
            Self::User { name, password } => request.basic_auth(name, Some(password)),
        }
    }
}

/// Credentials, with what is to be said of where they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Secret {
    /// What it is.
    pub(crate) credentials: Credentials,
    /// Why it may be none any more.
    pub(crate) warning: Option<String>,
}

impl Secret {
    /// The token that the first line of a file holds.
    ///
    /// # Errors
    /// [`TokenFileError`]: it cannot be read, or holds no token.
    pub(crate) fn token_file(path: &Path) -> Result<Self, TokenFileError> {
        let (line, warning) = first_line(path)?;
        let credentials = Credentials::token(line.trim());
        let credentials = credentials.ok_or_else(|| TokenFileError::NoToken {
            path: path.to_owned(),
        })?;
        Ok(Self {
            credentials,
            warning,
        })
    }

    /// A name, with the password that the first line of a file holds.
    ///
    /// # Errors
    /// [`TokenFileError`]: it cannot be read, or is empty.
    pub(crate) fn password_file(name: &str, path: &Path) -> Result<Self, TokenFileError> {
        let (password, warning) = first_line(path)?;
        if password.is_empty() {
            let path = path.to_owned();
            return Err(TokenFileError::NoPassword { path });
        }
        let name = name.to_owned();
        Ok(Self {
            credentials: Credentials::User { name, password },
            warning,
        })
    }
}

impl From<Credentials> for Secret {
    fn from(credentials: Credentials) -> Self {
        Self {
            credentials,
            warning: None,
        }
    }
}

/// The first line of the file of a secret, and a warning if others may read it.
fn first_line(path: &Path) -> Result<(String, Option<String>), TokenFileError> {
    let unreadable = |error| TokenFileError::Unreadable {
        path: path.to_owned(),
        error,
    };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let is_open = metadata.is_file() && metadata.permissions().mode() & READ_BY_OTHERS != 0;
    let warning = is_open.then(|| {
        let path = path.display();
        format!("everybody on this host may read {path}, which holds a secret: chmod o= {path}")
    });
    let mut text = String::new();
    let mut start = file.take(MAX_SECRET);
    start.read_to_string(&mut text).map_err(unreadable)?;
    let line = text.lines().next().unwrap_or_default();
    Ok((line.to_owned(), warning))
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

/// Why a file has no token for us.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenFileError {
    #[error("{}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        error: io::Error,
    },
    #[error("{}: expected the token in the first line, and nothing else in it", path.display())]
    NoToken { path: PathBuf },
    #[error("{}: expected the password in the first line", path.display())]
    NoPassword { path: PathBuf },
}

/// The bit of a file's mode by which those may read it who are neither its owner nor of its group.
const READ_BY_OTHERS: u32 = 0o004;
/// No header could carry more.
const MAX_SECRET: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    #[test]
    fn a_token_is_what_a_header_can_carry() {
        assert!(Credentials::token("s3cret-Token_1").is_some());
        for text in ["", "two words", "line\nbreak", "geheimnisträger"] {
            assert_eq!(Credentials::token(text), None, "{text}");
        }
    }

    #[test]
    fn a_password_may_hold_colons() {
        let user = Credentials::user("admin:a:b").unwrap();
        let expected = Credentials::User {
            name: "admin".to_owned(),
            password: "a:b".to_owned(),
        };
        assert_eq!(user, expected);
        assert_eq!(Credentials::user("admin"), None);
        assert_eq!(Credentials::user(":secret"), None);
    }

    #[test]
    fn the_token_of_a_file_is_its_first_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "s3cret \n").unwrap();
        let secret = Secret::token_file(&path).unwrap();
        assert_eq!(secret.credentials, Credentials::Token("s3cret".to_owned()));
        fs::write(&path, "\n").unwrap();
        assert!(matches!(
            Secret::token_file(&path),
            Err(TokenFileError::NoToken { .. })
        ));
        assert!(Secret::password_file("admin", &path).is_err());
        fs::write(&path, "two words\n").unwrap();
        let secret = Secret::password_file("admin", &path).unwrap();
        let user = Credentials::user("admin:two words");
        assert_eq!(Some(secret.credentials), user);
    }

    #[test]
    fn a_file_that_everybody_may_read_is_warned_of() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "s3cret\n").unwrap();
        for (mode, is_open) in [(0o600, false), (0o640, false), (0o644, true), (0o604, true)] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            for secret in [
                Secret::token_file(&path).unwrap(),
                Secret::password_file("admin", &path).unwrap(),
            ] {
                let path = path.display().to_string();
                let is_told = secret.warning.is_some_and(|text| text.contains(&path));
                assert_eq!(is_told, is_open, "{mode:o}");
            }
        }
    }

    #[test]
    fn they_are_never_shown() {
        let shown = format!("{:?}", Credentials::token("s3cret"));
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
