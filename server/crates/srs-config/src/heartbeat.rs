//! `[heartbeat]`: what this server tells a central one.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Secret;
use super::units::{DeviceId, DurationBetween, HttpUrl};

/// `[heartbeat]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HeartbeatConfig {
    /// Whether heartbeats are sent.
    pub enabled: bool,
    /// The time between two of them; 300 ms to 1 h.
    #[serde(with = "DurationBetween::<300, 3_600_000>")]
    pub interval: Duration,
    /// Where they are posted.
    pub url: HttpUrl,
    /// The name of this server in the fleet; empty: the host's name; 256 bytes at most.
    #[serde(with = "DeviceId")]
    pub device_id: String,
    /// Whether the figures of the server are in them.
    pub summaries: bool,
    /// The bearer token that the collector wants.
    #[serde(
        deserialize_with = "super::secret::token",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Secret")]
    pub token: Option<Secret>,
}

impl Default for HeartbeatConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            interval: Duration::from_millis(9_900),
            url: HttpUrl::new("http://127.0.0.1:8085/api/v1/servers").expect("it is one"),
            device_id: String::new(),
            summaries: false,
            token: None,
        }
    }
}
