//! `[vhost."NAME".publish]`: who may publish where, and when a publisher is lost.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::DurationBetween;

/// `[vhost."NAME".publish]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PublishConfig {
    /// What happens when somebody publishes a stream that has a publisher.
    pub takeover: Takeover,
    /// How long a publisher may take for its first packet; 100 ms to 10 min.
    #[serde(with = "Timeout")]
    pub first_packet_timeout: Duration,
    /// How long a publisher may send nothing after that; 100 ms to 10 min.
    #[serde(with = "Timeout")]
    pub timeout: Duration,
    /// With `reject`, a publisher from which no byte came for so long is replaced when it comes
    /// back itself; 100 ms to 10 min.
    #[serde(with = "Timeout")]
    pub dead_after: Duration,
    /// Players keep their place for so long when the publisher leaves; 0 to 1 h. Zero: they are
    /// told at once.
    #[serde(with = "DurationBetween::<0, 3_600_000>")]
    pub keep_players: Duration,
}

impl Default for PublishConfig {
    fn default() -> Self {
        Self {
            takeover: Takeover::TakeoverSame,
            first_packet_timeout: Duration::from_secs(20),
            timeout: Duration::from_secs(10),
            dead_after: Duration::from_secs(2),
            keep_players: Duration::from_secs(30),
        }
    }
}

/// What happens when somebody publishes a stream that has a publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Takeover {
    /// The new one takes over if its URL has the same parameters as the old one's or, where
    /// neither has any, if it comes from the same address; else it is refused.
    TakeoverSame,
    /// The new one takes over.
    Takeover,
    /// The new one is refused.
    Reject,
}

/// 100 ms to 10 min.
type Timeout = DurationBetween<100, 600_000>;
