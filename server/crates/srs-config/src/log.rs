//! `[log]`: where log lines go, how many, and in which form.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::FilePath;

/// `[log]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// Where lines go.
    pub target: LogTarget,
    /// The least important lines that are still written.
    pub level: LogLevel,
    /// The file, used when `target` is "file".
    pub file: FilePath,
    /// How a line looks on the console and in a file; the journal has fields instead.
    pub format: LogFormat,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            target: LogTarget::Auto,
            level: LogLevel::Info,
            file: FilePath::new("/var/log/srs/srs.log").expect("neither empty nor with a NUL"),
            format: LogFormat::Text,
        }
    }
}

/// Where log lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogTarget {
    /// The journal if systemd started the server, else the console.
    Auto,
    /// The journal, with fields such as the client's id.
    Journald,
    /// Standard error.
    Console,
    /// `log.file`.
    File,
}

/// How important a line is, the most important first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What an operator must act on.
    Error,
    /// What a peer or the surroundings do wrong.
    Warn,
    /// What happens: clients, streams, reloads.
    Info,
    /// How it happens, and peers that hang up.
    Debug,
    /// Every step of a protocol.
    Trace,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}
