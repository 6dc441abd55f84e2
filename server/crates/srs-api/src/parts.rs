//! `/api/v1/parts`: what the server keeps running beside its clients, and how that goes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Identity;

/// What a part is. Kinds that this version of the server does not have are here for those who read
/// later ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PartKind {
    /// It listens for clients.
    Listener,
    /// It sends heartbeats.
    Heartbeat,
    /// A task of the server itself.
    Task,
    /// It gives a stream to another server.
    Forward,
    /// It takes a stream from an origin, or gives one to it.
    Edge,
    /// A process that publishes to the server.
    Ingest,
    /// A process that publishes a stream in another form.
    Transcode,
    /// It records a stream.
    Dvr,
    /// It makes HLS of a stream.
    Hls,
    /// What is not known to this version.
    #[serde(other)]
    Other,
}

impl PartKind {
    /// The name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Heartbeat => "heartbeat",
            Self::Task => "task",
            Self::Forward => "forward",
            Self::Edge => "edge",
            Self::Ingest => "ingest",
            Self::Transcode => "transcode",
            Self::Dvr => "dvr",
            Self::Hls => "hls",
            Self::Other => "other",
        }
    }
}

/// How a part is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum PartState {
    /// It does its work.
    Running,
    /// It has failed, and tries again.
    Retrying,
    /// It has failed, and does not try again by itself.
    Failed,
    /// It is not wanted at present.
    Idle,
}

impl PartState {
    /// The name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Failed => "failed",
            Self::Idle => "idle",
        }
    }
}

/// A part of the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// Its id, unique among the parts.
    pub id: String,
    /// What it is.
    pub kind: PartKind,
    /// What it works with: an address, a URL without parameters, a file, a name.
    pub target: String,
    /// The id of the stream that it works for; empty if for none.
    #[serde(default)]
    pub stream: String,
    /// How it is.
    pub state: PartState,
    /// Since when, in Unix milliseconds.
    pub since_ms: i64,
    /// How often it was started again, or tried again.
    #[serde(default)]
    pub restarts: u64,
    /// When it tries again, in Unix milliseconds; absent if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try_ms: Option<i64>,
    /// What it has done, in few words: `12 clients`, `sent 80`.
    #[serde(default)]
    pub progress: String,
    /// Why it failed the last time; empty if it never has.
    #[serde(default)]
    pub error: String,
}

/// The parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PartsAnswer {
    /// 0.
    pub code: i32,
    /// Who answers.
    #[serde(flatten)]
    pub identity: Identity,
    /// How many there are in all.
    #[serde(default)]
    pub total: usize,
    /// Those of the page, by kind.
    pub parts: Vec<Part>,
}
