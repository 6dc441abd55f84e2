//! `/api/v1/logs`: the newest lines of the log, as server-sent events of the type `line`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a line matters.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// An operator must act.
    Error,
    /// Something is not as it should be.
    Warn,
    /// What happens.
    Info,
    /// For those who look closer.
    Debug,
    /// For developers.
    Trace,
}

impl LogLevel {
    /// The name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    /// Grows by one with each line, from a number that no life of the server before this one has
    /// come to.
    pub id: u64,
    /// When, in Unix milliseconds.
    pub time_ms: i64,
    /// How much it matters.
    pub level: LogLevel,
    /// The client's id; absent if it is of no client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The stream, as `VHOST/APP/STREAM`; absent if it is of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The message with its fields, as in the text form of the log.
    pub message: String,
}
