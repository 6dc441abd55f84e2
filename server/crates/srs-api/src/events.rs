//! `/api/v1/events`: what happens, as server-sent events. The event's type is the kind, its id the
//! event's, its data the event as JSON.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The server began.
    Start,
    /// A client publishes.
    Publish,
    /// It does not any more.
    Unpublish,
    /// A client plays.
    Play,
    /// It does not any more.
    Stop,
    /// A client was refused.
    Refuse,
    /// A client was cut off by an operator.
    Kick,
    /// A publisher's clock jumped, and was set right.
    ClockJump,
    /// A configuration was put in force.
    Reload,
    /// A configuration was not put in force.
    ReloadFailed,
    /// The heartbeat's collector is reached, or is not any more.
    Heartbeat,
    /// Another server's heartbeat came for the first time, or again.
    ServerSeen,
    /// Another server's heartbeat is late.
    ServerLate,
    /// So many events are missing here: the reader was too slow, or came too late.
    Lost,
}

impl EventKind {
    /// All of them, in their order.
    pub const ALL: [Self; 14] = [
        Self::Start,
        Self::Publish,
        Self::Unpublish,
        Self::Play,
        Self::Stop,
        Self::Refuse,
        Self::Kick,
        Self::ClockJump,
        Self::Reload,
        Self::ReloadFailed,
        Self::Heartbeat,
        Self::ServerSeen,
        Self::ServerLate,
        Self::Lost,
    ];

    /// The name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Publish => "publish",
            Self::Unpublish => "unpublish",
            Self::Play => "play",
            Self::Stop => "stop",
            Self::Refuse => "refuse",
            Self::Kick => "kick",
            Self::ClockJump => "clock_jump",
            Self::Reload => "reload",
            Self::ReloadFailed => "reload_failed",
            Self::Heartbeat => "heartbeat",
            Self::ServerSeen => "server_seen",
            Self::ServerLate => "server_late",
            Self::Lost => "lost",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// An event. What does not apply to it is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Grows by one with each event, from a number that no life of the server before this one has
    /// come to.
    pub id: u64,
    /// When, in Unix milliseconds.
    pub time_ms: i64,
    /// What.
    pub kind: EventKind,
    /// The client's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Its address and port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// The stream's vhost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vhost: Option<String>,
    /// The stream's application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// The stream's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The other server's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Anything else, for people: how long, how much, why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}
