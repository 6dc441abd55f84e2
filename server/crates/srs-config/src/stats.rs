//! `[stats]`: what of the host is looked at.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::Count;

/// `[stats]`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StatsConfig {
    /// Which of the host's IPv4 addresses, without the loopback and counted from 0, is told in
    /// heartbeats; 0 to 255. Counted round if there are not so many.
    #[serde(with = "Count::<0, 255>")]
    pub network: usize,
    /// The block devices, as in `/proc/diskstats`, whose time of work is summed up.
    pub disk: Vec<String>,
}
