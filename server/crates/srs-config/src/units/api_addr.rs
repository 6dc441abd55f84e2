//! Addresses that the HTTP API is served at.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{FilePath, ListenAddr};

/// A unix socket or a TCP address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiAddr {
    /// The path of a unix socket.
    Unix(FilePath),
    /// A TCP address.
    Tcp(ListenAddr),
}

impl ApiAddr {
    /// The unix socket at `path`.
    ///
    /// # Panics
    /// If `path` is empty or holds a NUL.
    #[must_use]
    pub fn unix(path: &str) -> Self {
        Self::Unix(FilePath::new(path).expect("a path"))
    }

    /// The path, if it is a unix socket.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Unix(path) => Some(path.as_path()),
            Self::Tcp(_) => None,
        }
    }

    /// Whether only this host can reach it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp(address) => address.ip().is_some_and(|ip| ip.is_loopback()),
        }
    }

    /// Whether there is no room for `other` beside it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unix(one), Self::Unix(other)) => one == other,
            (Self::Tcp(one), Self::Tcp(other)) => one.covers(other),
            _ => false,
        }
    }
}

impl fmt::Display for ApiAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.as_path().display()),
            Self::Tcp(address) => address.fmt(f),
        }
    }
}

impl Serialize for ApiAddr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ApiAddr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = ApiAddr;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(EXPECTED)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ApiAddr, E> {
                if let Some(path) = text.strip_prefix("unix:") {
                    // sockaddr_un has room for 107 bytes and a NUL.
                    return FilePath::new(path)
                        .filter(|_| path.len() <= MAX_SOCKET_PATH)
                        .map(ApiAddr::Unix)
                        .ok_or_else(|| E::custom("the path of a socket has 1 to 107 bytes"));
                }
                ListenAddr::from_str(text)
                    .map(ApiAddr::Tcp)
                    .map_err(|error| E::custom(format_args!("{error}; expected {EXPECTED}")))
            }

            fn visit_i64<E: de::Error>(self, port: i64) -> Result<ApiAddr, E> {
                u16::try_from(port)
                    .map(|port| ApiAddr::Tcp(ListenAddr::any(port)))
                    .map_err(|_| E::custom(super::ListenAddrError::Port))
            }

            fn visit_u64<E: de::Error>(self, _port: u64) -> Result<ApiAddr, E> {
                Err(E::custom(super::ListenAddrError::Port))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for ApiAddr {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ApiAddr".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "pattern": format!("^unix:.+$|{}", super::listen_addr::PATTERN),
            "minimum": 0,
            "maximum": u16::MAX,
        })
    }
}

pub(super) const EXPECTED: &str = r#""unix:PATH", "PORT", "IP:PORT" or "[IP6]:PORT""#;
const MAX_SOCKET_PATH: usize = 107;
