//! `[fleet]`: what is kept of the servers that send heartbeats here.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::{Count, DurationBetween, FilePath};

/// `[fleet]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FleetConfig {
    /// Whether heartbeats are taken in.
    pub enabled: bool,
    /// Whether they need no token, wherever they come from: servers of SRS cannot send one.
    pub open: bool,
    /// Most servers that are known; 1 to 10,000. The heartbeats of others are refused.
    #[serde(with = "Count::<1, 10_000>")]
    pub max_servers: usize,
    /// A server is late when no heartbeat came for so long, or for three of its intervals if those
    /// are longer; 1 s to 1 h.
    #[serde(with = "DurationBetween::<1_000, 3_600_000>")]
    pub late_after: Duration,
    /// A server from which no heartbeat came for so long is forgotten; 1 min to 1 year.
    #[serde(with = "DurationBetween::<60_000, 31_536_000_000>")]
    pub forget_after: Duration,
    /// The file that keeps them over a restart.
    pub file: FilePath,
}

impl Default for FleetConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            open: false,
            max_servers: 1_000,
            late_after: Duration::from_secs(30),
            forget_after: Duration::from_secs(24 * 60 * 60),
            file: FilePath::new("/var/lib/srs/fleet.json").expect("neither empty nor with a NUL"),
        }
    }
}
