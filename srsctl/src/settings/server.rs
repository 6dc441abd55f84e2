//! A server of the settings file, and how one is meant on the command line.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use crate::client::{AddrError, ServerAddr};
use crate::duration;

/// `[servers.NAME]`
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerSettings {
    /// Where its API is.
    #[serde(deserialize_with = "parsed")]
    pub(crate) address: ServerAddr,
    /// The file whose first line is the token that it wants.
    #[serde(default)]
    pub(crate) token_file: Option<PathBuf>,
    /// Who asks, where it wants a name and a password.
    #[serde(default)]
    pub(crate) user: Option<String>,
    /// The file whose first line is the password of `user`.
    #[serde(default)]
    pub(crate) password_file: Option<PathBuf>,
    /// How long it may take to answer.
    #[serde(default, deserialize_with = "duration")]
    pub(crate) timeout: Option<Duration>,
    /// Whether this tool refuses to change anything there.
    #[serde(default)]
    pub(crate) read_only: bool,
    /// What the URLs of its streams begin with, without a slash at the end.
    #[serde(default, deserialize_with = "rtmp")]
    pub(crate) rtmp: Option<String>,
}

/// A server as it is meant on the command line: by its address, or by its name in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServerRef {
    /// Its address.
    Addr(ServerAddr),
    /// Its name.
    Name(String),
}

impl FromStr for ServerRef {
    type Err = AddrError;

    fn from_str(text: &str) -> Result<Self, AddrError> {
        match text.parse() {
            Ok(address) => Ok(Self::Addr(address)),
            Err(AddrError::Unknown) if is_name(text) => Ok(Self::Name(text.to_owned())),
            Err(error) => Err(error),
        }
    }
}

/// Whether a server may have this name: nothing that could be an address or a path.
pub(super) fn is_name(text: &str) -> bool {
    let is_part_of_name = |c: char| !c.is_whitespace() && !c.is_control() && c != '/' && c != ':';
    !text.is_empty() && text.chars().all(is_part_of_name)
}

fn parsed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ServerAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(de::Error::custom)
}

/// A time: as text with its unit, or a number of seconds.
pub(crate) fn duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    deserializer.deserialize_any(DurationVisitor).map(Some)
}

fn rtmp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let base = text.trim_end_matches('/');
    let is_url = base.split_once("://").is_some_and(|(scheme, rest)| {
        let is_right = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '@');
        matches!(scheme, "rtmp" | "rtmps") && !rest.is_empty() && rest.chars().all(is_right)
    });
    if is_url {
        Ok(Some(base.to_owned()))
    } else {
        Err(de::Error::custom(
            "expected rtmp://HOST or rtmp://HOST:PORT",
        ))
    }
}

struct DurationVisitor;

impl Visitor<'_> for DurationVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time, as in \"5s\" or \"350ms\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
        duration::parse(text).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Duration, E> {
        self.visit_str(&seconds.to_string())
    }
}
