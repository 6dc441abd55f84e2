//! `[vhost."NAME"]`: the settings of the streams of one host name.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::{ChunkSize, DurationBetween};
use super::{PlayConfig, PublishConfig, ReferConfig};

/// `[vhost."NAME"]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VhostConfig {
    /// Whether clients of this vhost are served at all.
    pub enabled: bool,
    /// Size of the RTMP chunks sent; by default that at the top of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ChunkSize")]
    pub chunk_size: Option<ChunkSize>,
    /// Whether a player starts with the newest group of pictures instead of waiting for the next
    /// key frame.
    pub gop_cache: bool,
    /// How far a subscriber may fall behind before it jumps to the newest key frame; 1 s to 10 min.
    #[serde(with = "DurationBetween::<1_000, 600_000>")]
    pub queue_length: Duration,
    /// How timestamps are corrected for players.
    pub time_jitter: TimeJitter,
    /// Whether players get the publisher's own timestamps; `time_jitter` then does nothing.
    pub atc: bool,
    /// Whether metadata with `bravo_atc` = "true" turns `atc` on for its stream.
    pub atc_auto: bool,
    /// Whether audio and video that arrive out of order are put in order by timestamp. Needs
    /// timestamps that nothing rewrites: `atc`, or `time_jitter` off.
    pub mix_correct: bool,
    /// `[vhost."NAME".publish]`
    pub publish: PublishConfig,
    /// `[vhost."NAME".play]`
    pub play: PlayConfig,
    /// `[vhost."NAME".refer]`
    pub refer: ReferConfig,
}

impl Default for VhostConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            chunk_size: None,
            gop_cache: true,
            queue_length: Duration::from_secs(30),
            time_jitter: TimeJitter::Full,
            atc: false,
            atc_auto: true,
            mix_correct: false,
            publish: PublishConfig::default(),
            play: PlayConfig::default(),
            refer: ReferConfig::default(),
        }
    }
}

/// How timestamps are corrected for players.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TimeJitter {
    /// They start near zero and never jump.
    Full,
    /// They start at zero and are otherwise the publisher's.
    Zero,
    /// They are the publisher's.
    Off,
}
