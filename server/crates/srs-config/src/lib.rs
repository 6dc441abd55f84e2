//! The configuration: what should be.
//!
//! A TOML file becomes a [`Config`] in three steps: it is parsed, read into the structs below (one
//! per table, one file each), and checked as a whole. A `Config` that exists is right: its fields
//! have types that cannot hold a value out of range. What is wrong with a file comes back whole,
//! as an [`Error`] that shows every mistake with its line and says what would have been right.
//!
//! `srs.toml(5)` and `conf/full.toml` document every key; a test holds them to these structs.

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

pub use self::error::Error;
pub use self::limits::LimitsConfig;
pub use self::log::{LogConfig, LogFormat, LogLevel, LogTarget};
pub use self::mistake::Mistake;
pub use self::pithy_print::PithyPrintConfig;
pub use self::play::{Merge, PlayConfig, SendBuffer};
pub use self::publish::{PublishConfig, Takeover};
pub use self::refer::{Domain, DomainError, ReferConfig};
pub use self::units::{ChunkSize, FilePath, ListenAddr, ListenAddrError};
pub use self::vhost::{TimeJitter, VhostConfig};
pub use self::vhost_name::{VhostName, VhostNameError};

use self::units::Count;

mod check;
mod error;
mod hint;
mod key_path;
mod limits;
mod log;
mod mistake;
mod original;
mod pithy_print;
mod play;
mod publish;
mod reader;
mod refer;
mod schema;
mod syntax;
#[cfg(test)]
mod tests;
mod units;
mod vhost;
mod vhost_name;

/// Where the configuration is looked for when no file is named.
pub const DEFAULT_PATH: &str = "/etc/srs/srs.toml";

/// A whole, checked configuration. [`Config::default`] serves RTMP on port 1935.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where RTMP is listened for: at least one address, none covered by another.
    #[serde(with = "units::listen")]
    pub listen: Vec<ListenAddr>,
    /// Most clients at a time, all protocols together; 1 to 1,000,000.
    #[serde(with = "Count::<1, 1_000_000>")]
    pub max_connections: usize,
    /// Size of the RTMP chunks sent, where a vhost has no size of its own.
    pub chunk_size: ChunkSize,
    /// The file that holds the process id while the server runs; none is written by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<FilePath>,
    /// `[log]`
    pub log: LogConfig,
    /// `[limits]`
    pub limits: LimitsConfig,
    /// `[pithy_print]`
    pub pithy_print: PithyPrintConfig,
    /// `[vhost."NAME"]`: only those that the file has; see [`Config::vhost`].
    #[serde(rename = "vhost", with = "vhost_name::map")]
    pub vhosts: BTreeMap<VhostName, VhostConfig>,
}

impl Config {
    /// Reads the file at `path`; without a path [`DEFAULT_PATH`] if it exists, else the defaults.
    ///
    /// # Errors
    /// [`Error`] if the file cannot be read, is no UTF-8 text, or has mistakes.
    pub fn load(path: Option<&Path>) -> Result<Self, Error> {
        match path {
            Some(path) => Self::load_file(path),
            None => Self::load_if_exists(Path::new(DEFAULT_PATH)),
        }
    }

    /// Reads a configuration out of `text`; `name` is what messages call it, usually a path.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all mistakes of the text.
    pub fn parse(text: &str, name: &str) -> Result<Self, Error> {
        check::read(text).map_err(|mistakes| Error::invalid(name, mistakes))
    }

    fn load_if_exists(path: &Path) -> Result<Self, Error> {
        match Self::load_file(path) {
            Err(error) if error.is_not_found() => Ok(Self::default()),
            result => result,
        }
    }

    fn load_file(path: &Path) -> Result<Self, Error> {
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes))
            .map_err(|cause| Error::Unreadable {
                path: path.to_owned(),
                cause,
            })?;
        if bytes.len() as u64 > MAX_FILE_SIZE {
            return Err(Error::TooLarge {
                path: path.to_owned(),
                max: MAX_FILE_SIZE,
            });
        }
        let text = str::from_utf8(&bytes)
            .map_err(|error| Error::not_utf8(path, &bytes, error.valid_up_to()))?;
        Self::parse(text, &path.to_string_lossy())
    }

    /// What a client gets that asks for `host`: the name the host is served as, and its settings.
    ///
    /// The table of exactly that name counts (in any case, with or without a final dot), else
    /// that of `__defaultVhost__`, else the defaults. A table with `enabled = false` is returned
    /// as it is: the client is to be refused, not served by another vhost.
    #[must_use]
    pub fn vhost(&self, host: &str) -> (&str, &VhostConfig) {
        static BUILT_IN: LazyLock<VhostConfig> = LazyLock::new(VhostConfig::default);
        let name: Cow<'_, str> = vhost_name::normalize(host);
        self.vhosts
            .get_key_value(&*name)
            .or_else(|| self.vhosts.get_key_value(VhostName::DEFAULT))
            .map_or((VhostName::DEFAULT, &BUILT_IN), |(name, vhost)| {
                (name.as_str(), vhost)
            })
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![ListenAddr::any(1935)],
            max_connections: 10_000,
            chunk_size: ChunkSize::default(),
            pid: None,
            log: LogConfig::default(),
            limits: LimitsConfig::default(),
            pithy_print: PithyPrintConfig::default(),
            vhosts: BTreeMap::new(),
        }
    }
}

/// Whoever names a device or a recording instead of the configuration should hear so at once,
/// not when the memory is full. A thousand vhosts with every key are about 1 MB.
const MAX_FILE_SIZE: u64 = 16 << 20;
