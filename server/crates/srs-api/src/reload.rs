//! `/api/v1/reload`: a configuration is put in force while the server runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a changed setting takes effect.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// At once, for everybody.
    Now,
    /// For clients that connect, publish or play from now on; the others keep what they have.
    NewSessions,
    /// Only after a restart.
    Restart,
}

/// A setting that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Its key, with those of its tables: `vhost."live.example.com".queue_length`.
    pub setting: String,
    /// What it was, as in the file; absent if it was not there. Secrets are shown as `"…"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What it is now; absent if it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// When that takes effect.
    pub effect: Effect,
}

/// What became of a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReloadOutcome {
    /// There was none yet.
    Never,
    /// It is in force.
    Done,
    /// Nothing was changed, for the reason that is given.
    Failed,
}

/// The last reload, or what the next one would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reload {
    /// What became of it.
    pub outcome: ReloadOutcome,
    /// Whether it was only tried.
    #[serde(default)]
    pub dry_run: bool,
    /// How many were successful since the server began.
    pub generation: u64,
    /// When, in Unix milliseconds; 0 if never.
    pub time_ms: i64,
    /// How long it took, in milliseconds.
    #[serde(default)]
    pub took_ms: f64,
    /// The files that were read.
    #[serde(default)]
    pub files: Vec<String>,
    /// What differs, in the order of the settings.
    pub changes: Vec<Change>,
    /// What had to be done for it, for people: clients disconnected, addresses opened.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What is worth knowing of the configuration, for people.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Why nothing was changed; the mistakes of the file with line and column. Absent if it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
