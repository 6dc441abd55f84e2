//! What proves to a server who asks.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;

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

    /// The token that the first line of a file holds.
    ///
    /// # Errors
    /// [`TokenFileError`]: it cannot be read, or holds no token.
    pub(crate) fn token_file(path: &PathBuf) -> Result<Self, TokenFileError> {
        let text = fs::read_to_string(path).map_err(|error| TokenFileError::Unreadable {
            path: path.clone(),
            error,
        })?;
        let line = text.lines().next().unwrap_or_default().trim();
        Self::token(line).ok_or_else(|| TokenFileError::NoToken { path: path.clone() })
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
}

#[cfg(test)]
mod tests {
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
        let token = Credentials::token_file(&path).unwrap();
        assert_eq!(token, Credentials::Token("s3cret".to_owned()));
        fs::write(&path, "\n").unwrap();
        assert!(matches!(
            Credentials::token_file(&path),
            Err(TokenFileError::NoToken { .. })
        ));
    }

    #[test]
    fn they_are_never_shown() {
        let shown = format!("{:?}", Credentials::token("s3cret"));
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
