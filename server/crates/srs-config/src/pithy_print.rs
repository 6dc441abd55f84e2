//! `[pithy_print]`: how often the log sums up what publishers and players do.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::DurationOrOff;

/// `[pithy_print]`: time between two summary lines; "0s" in the file: no such lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PithyPrintConfig {
    /// For publishers; 1 s to 1 h.
    #[serde(with = "Interval")]
    pub publish: Option<Duration>,
    /// For players; 1 s to 1 h.
    #[serde(with = "Interval")]
    pub play: Option<Duration>,
}

impl Default for PithyPrintConfig {
    fn default() -> Self {
        Self {
            publish: Some(Duration::from_secs(10)),
            play: Some(Duration::from_secs(10)),
        }
    }
}

/// 1 s to 1 h.
type Interval = DurationOrOff<1_000, 3_600_000>;
