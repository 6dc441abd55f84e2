//! `/api/v1/config`: the configuration in force.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Identity;

/// The configuration in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunningConfig {
    /// The files that it came from, in the order in which they were read; empty for the built-in
    /// one.
    pub files: Vec<String>,
    /// How often it was put in force anew since the server began.
    pub generation: u64,
    /// Every setting with its value, as TOML. Secrets are shown as `"…"`.
    pub toml: String,
    /// Where the log goes.
    pub log: LogPlace,
}

/// Where the log of a server goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "target", rename_all = "lowercase")]
pub enum LogPlace {
    /// To the journal.
    Journald,
    /// To standard error.
    Console,
    /// To a file.
    File {
        /// Its absolute path.
        path: String,
    },
}

/// The configuration in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigAnswer {
    /// 0.
    pub code: i32,
    /// Who answers.
    #[serde(flatten)]
    pub identity: Identity,
    /// The configuration.
    pub data: RunningConfig,
}
