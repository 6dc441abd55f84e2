//! `/api/v1/history` and `/api/v1/streams/{id}/history`: how the figures were over the last hour.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Identity;

/// How much of the past is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum HistoryRange {
    /// The last minute.
    #[default]
    #[serde(rename = "1m")]
    Minute,
    /// The last 5 minutes.
    #[serde(rename = "5m")]
    FiveMinutes,
    /// The last 15 minutes.
    #[serde(rename = "15m")]
    Quarter,
    /// The last hour.
    #[serde(rename = "60m")]
    Hour,
}

impl HistoryRange {
    /// All of them, the shortest first.
    pub const ALL: [Self; 4] = [Self::Minute, Self::FiveMinutes, Self::Quarter, Self::Hour];

    /// Its length, in seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        match self {
            Self::Minute => 60,
            Self::FiveMinutes => 300,
            Self::Quarter => 900,
            Self::Hour => 3_600,
        }
    }

    /// The name, as in a query.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::FiveMinutes => "5m",
            Self::Quarter => "15m",
            Self::Hour => "60m",
        }
    }
}

/// Figures at regular moments, the oldest first. There are fewer than the range could have if the
/// stream or the server is younger.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct History {
    /// Milliseconds from one sample to the next. A sample is the mean of that time.
    pub step_ms: u64,
    /// When the newest was taken, in Unix milliseconds.
    pub end_ms: i64,
    /// Received, in kbit/s.
    pub recv_kbps: Vec<u32>,
    /// Sent, in kbit/s.
    pub send_kbps: Vec<u32>,
    /// Players at the end of each sample.
    pub viewers: Vec<u32>,
    /// Video frames per second; of a stream only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fps: Vec<f32>,
    /// Milliseconds between the last two key frames; of a stream only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gop_ms: Vec<u32>,
}

/// A history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryAnswer {
    /// 0.
    pub code: i32,
    /// Who answers.
    #[serde(flatten)]
    pub identity: Identity,
    /// The history.
    pub history: History,
}
