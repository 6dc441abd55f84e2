//! `[vhost."NAME".play]`: how players are served.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::units::DurationBetween;

/// `[vhost."NAME".play]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlayConfig {
    /// How long a player may wait for a stream that nobody has published yet; 0 to 24 h. Zero:
    /// it is refused at once.
    #[serde(with = "DurationBetween::<0, 86_400_000>")]
    pub wait: Duration,
}

impl Default for PlayConfig {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(300),
        }
    }
}
