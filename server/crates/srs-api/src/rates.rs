//! Bit rates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lenient;

/// Bit rates over some windows, in kilobits (of 1000 bits) per second. As long as a window has not
/// passed once, it covers what there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Kbps {
    /// Received, over the last 30 seconds.
    #[serde(deserialize_with = "lenient::int")]
    pub recv_30s: u64,
    /// Sent, over the last 30 seconds.
    #[serde(deserialize_with = "lenient::int")]
    pub send_30s: u64,
    /// Received, over the last 5 seconds.
    #[serde(deserialize_with = "lenient::int")]
    pub recv_5s: u64,
    /// Sent, over the last 5 seconds.
    #[serde(deserialize_with = "lenient::int")]
    pub send_5s: u64,
    /// Received, over the last minute.
    #[serde(deserialize_with = "lenient::int")]
    pub recv_1m: u64,
    /// Sent, over the last minute.
    #[serde(deserialize_with = "lenient::int")]
    pub send_1m: u64,
    /// Received, over the last 5 minutes.
    #[serde(deserialize_with = "lenient::int")]
    pub recv_5m: u64,
    /// Sent, over the last 5 minutes.
    #[serde(deserialize_with = "lenient::int")]
    pub send_5m: u64,
    /// Received, over the last hour.
    #[serde(deserialize_with = "lenient::int")]
    pub recv_60m: u64,
    /// Sent, over the last hour.
    #[serde(deserialize_with = "lenient::int")]
    pub send_60m: u64,
}
