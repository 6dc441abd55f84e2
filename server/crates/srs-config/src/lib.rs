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
use std::path::Path;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::descriptors::{MAX_API_TCP, MAX_API_UNIX};
pub use self::diff::{Difference, diff};
pub use self::effective::Shown;
pub use self::error::{Error, Mistakes};
pub use self::fleet::FleetConfig;
pub use self::heartbeat::HeartbeatConfig;
pub use self::http_api::{ApiAuth, HttpApiConfig};
pub use self::json_schema::json_schema;
pub use self::limits::LimitsConfig;
pub use self::log::{LogConfig, LogFormat, LogLevel, LogTarget};
pub use self::mistake::Mistake;
pub use self::pithy_print::PithyPrintConfig;
pub use self::play::{Merge, PlayConfig, SendBuffer};
pub use self::publish::{PublishConfig, Takeover};
pub use self::refer::{Domain, DomainError, ReferConfig};
pub use self::secret::Secret;
pub use self::source::{Loaded, Source};
pub use self::stats::StatsConfig;
pub use self::units::{ApiAddr, ChunkSize, FilePath, HttpUrl, ListenAddr, ListenAddrError};
pub use self::vhost::{TimeJitter, VhostConfig};
pub use self::vhost_name::{VhostName, VhostNameError};

use self::environment::Environment;
use self::units::{AddrList, Count};

mod check;
mod contradiction;
mod descriptors;
mod diff;
mod effective;
mod environment;
mod error;
mod fleet;
mod heartbeat;
mod hint;
mod http_api;
mod json_schema;
mod key_path;
mod limits;
mod log;
mod merge;
mod mistake;
mod original;
mod pithy_print;
mod play;
mod publish;
mod reader;
mod refer;
mod schema;
mod secret;
mod settings;
mod source;
mod stats;
mod syntax;
#[cfg(test)]
mod tests;
mod units;
mod vhost;
mod vhost_name;

/// Where the configuration is looked for when no file is named.
pub const DEFAULT_PATH: &str = "/etc/srs/srs.toml";
/// The unix socket of the HTTP API.
pub const DEFAULT_API_SOCKET: &str = "/run/srs/api.sock";

/// A whole, checked configuration. [`Config::default`] serves RTMP on port 1935.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where RTMP is listened for: at least one address, none covered by another.
    #[serde(with = "AddrList::<ListenAddr>")]
    pub listen: Vec<ListenAddr>,
    /// Most clients at a time, without those who ask the API; 1 to 1,000,000.
    #[serde(with = "Count::<1, 1_000_000>")]
    pub max_connections: usize,
    /// Size of the RTMP chunks sent, where a vhost has no size of its own.
    pub chunk_size: ChunkSize,
    /// The file that holds the process id while the server runs; none is written by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "FilePath")]
    pub pid: Option<FilePath>,
    /// `[log]`
    pub log: LogConfig,
    /// `[limits]`
    pub limits: LimitsConfig,
    /// `[http_api]`
    pub http_api: HttpApiConfig,
    /// `[heartbeat]`
    pub heartbeat: HeartbeatConfig,
    /// `[fleet]`
    pub fleet: FleetConfig,
    /// `[stats]`
    pub stats: StatsConfig,
    /// `[pithy_print]`
    pub pithy_print: PithyPrintConfig,
    /// `[vhost."NAME"]`: only those that the file has.
    #[serde(rename = "vhost", with = "vhost_name::map")]
    #[schemars(with = "BTreeMap<VhostName, VhostConfig>")]
    pub vhosts: BTreeMap<VhostName, VhostConfig>,
}

impl Config {
    /// Reads the file at `path`, or without one that at [`DEFAULT_PATH`] if it exists, and the
    /// folder `conf.d` beside it: see [`Source`].
    ///
    /// # Errors
    /// [`Error`] if a file cannot be read, is no UTF-8 text, or has mistakes.
    pub fn load(path: Option<&Path>) -> Result<Self, Error> {
        let source = Source::of_file(path.map(Path::to_owned));
        source.load().map(|loaded| loaded.config)
    }

    /// Reads a configuration out of `text`; `name` is what messages call it, usually a path.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all mistakes of the text.
    pub fn parse(text: &str, name: &str) -> Result<Self, Error> {
        let file = check::File {
            name: name.to_owned(),
            text: text.to_owned(),
        };
        check::read(&[file], &Environment::default()).map_err(Error::invalid)
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
            http_api: HttpApiConfig::default(),
            heartbeat: HeartbeatConfig::default(),
            fleet: FleetConfig::default(),
            stats: StatsConfig::default(),
            pithy_print: PithyPrintConfig::default(),
            vhosts: BTreeMap::new(),
        }
    }
}
