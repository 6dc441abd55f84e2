//! `/api/v1/streams`: the live streams.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Identity, Kbps, PartKind};

/// Who publishes a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Publish {
    /// Whether anybody does.
    pub active: bool,
    /// The client's id; empty if nobody does.
    pub cid: String,
}

/// What is known of the video of a stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Video {
    /// The codec: `H264`, `HEVC`, `AV1` and so on.
    pub codec: String,
    /// The profile: `High`; empty if it is not known.
    pub profile: String,
    /// The level: `4.1`; empty if it is not known.
    pub level: String,
    /// Width of the picture; 0 if it is not known.
    pub width: u32,
    /// Height of the picture; 0 if it is not known.
    pub height: u32,
    /// Frames per second, as counted over the last seconds; 0 before that, and once
    /// nothing has come for some seconds.
    #[serde(default)]
    pub fps: f64,
    /// Frames per second, as the parameter sets say; 0 if they do not.
    #[serde(default)]
    pub nominal_fps: f64,
    /// Milliseconds between the last two key frames; 0 before there were two.
    #[serde(default)]
    pub gop_ms: u64,
}

/// What is known of the audio of a stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Audio {
    /// The codec: `AAC`, `Opus` and so on.
    pub codec: String,
    /// Samples per second; 0 if it is not known.
    pub sample_rate: u32,
    /// Channels; 0 if it is not known.
    pub channel: u8,
    /// The profile: `LC`; empty if it is not known.
    pub profile: String,
}

/// The players of a stream, by the protocol that they play it by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Players {
    /// RTMP.
    pub rtmp: usize,
    /// FLV over HTTP.
    pub http_flv: usize,
    /// HLS.
    pub hls: usize,
}

/// How a stream is, as far as the server can tell.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum StreamState {
    /// Nobody publishes it.
    #[default]
    Waiting,
    /// Nothing is wrong with it.
    Good,
    /// Something is odd: viewers may notice.
    Odd,
    /// It does not arrive as it should: viewers do notice.
    Bad,
}

/// How a stream is, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct StreamHealth {
    /// How it is.
    pub state: StreamState,
    /// Why it is not better, for people; empty if it is good.
    pub why: Vec<String>,
    /// The same for programs: what each of `why` is about; empty if nobody publishes it.
    pub causes: Vec<HealthCause>,
}

/// What about a stream is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HealthCause {
    /// Nothing is received.
    Silence,
    /// Its frame rate.
    Fps,
    /// How far audio and video are apart.
    Skew,
    /// What slow players lose.
    Drops,
    /// The clock of its publisher.
    Clock,
    /// The time between key frames.
    Gop,
    /// How fast its media comes.
    Speed,
    /// What is not known to this version.
    #[serde(other)]
    Other,
}

/// What a stream's headers say of it: for people, and only of a single stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct StreamDetails {
    /// The publisher's metadata (`onMetaData`), in its order.
    pub metadata: Vec<Field>,
    /// The decoded parameter sets of the video.
    pub video: Vec<Field>,
    /// The decoded configuration of the audio.
    pub audio: Vec<Field>,
}

/// A name and a value, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Field {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// One live stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stream {
    /// Its id, unique while the server runs. A stream that nobody published or played for a moment
    /// has a new one afterwards.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The id of its vhost, which is the vhost's name.
    pub vhost: String,
    /// Its application.
    pub app: String,
    /// `rtmp://VHOST/APP`.
    #[serde(rename = "tcUrl")]
    pub tc_url: String,
    /// `/APP/STREAM`.
    pub url: String,
    /// When it was published, in Unix milliseconds; when it came to be, if it was not yet.
    pub live_ms: u64,
    /// Clients: the publisher and all players.
    pub clients: usize,
    /// Players.
    #[serde(default)]
    pub viewers: usize,
    /// The most players at a time.
    #[serde(default)]
    pub viewers_peak: usize,
    /// Players by protocol.
    #[serde(default)]
    pub players: Players,
    /// Video frames received.
    pub frames: u64,
    /// Bytes sent to its players.
    pub send_bytes: u64,
    /// Bytes received from its publishers.
    pub recv_bytes: u64,
    /// Packets sent to its players.
    #[serde(default)]
    pub send_packets: u64,
    /// Packets received from its publishers.
    #[serde(default)]
    pub recv_packets: u64,
    /// Packets that slow players lost.
    #[serde(default)]
    pub drops: u64,
    /// How often slow players jumped to a newer key frame.
    #[serde(default)]
    pub jumps: u64,
    /// How often its publisher's clock jumped, and was set right.
    #[serde(default)]
    pub clock_jumps: u64,
    /// How often somebody published it again.
    #[serde(default)]
    pub reconnects: u64,
    /// Seconds that it was published, all publishers together.
    #[serde(default)]
    pub publish_seconds: f64,
    /// Seconds that it was played, all players together.
    #[serde(default)]
    pub play_seconds: f64,
    /// By how many milliseconds the newest audio is ahead of the newest video (or behind it, if
    /// negative); absent without both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub av_skew_ms: Option<i64>,
    /// Its bit rates.
    pub kbps: Kbps,
    /// Who publishes it.
    pub publish: Publish,
    /// Its video; null if there is none.
    pub video: Option<Video>,
    /// Its audio; null if there is none.
    pub audio: Option<Audio>,
    /// How it is.
    #[serde(default)]
    pub health: StreamHealth,
    /// What else takes from it or gives to it, beside publishers and players: a kind once for each
    /// part of it (see [`Part`](crate::Part)).
    #[serde(default)]
    pub outputs: Vec<PartKind>,
    /// What was received in each of the last seconds, in kbit/s, the newest last; absent unless the
    /// query's `recent` asks for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent_kbps: Vec<u32>,
    /// What its headers say; absent in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<StreamDetails>,
}

/// Some of the streams.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StreamsAnswer {
    /// 0.
    pub code: i32,
    /// Who answers.
    #[serde(flatten)]
    pub identity: Identity,
    /// How many there are in all that were asked for.
    #[serde(default)]
    pub total: usize,
    /// Those of the page, in the order of the query's `sort`, else in that in which they came to be.
    pub streams: Vec<Stream>,
}

/// One stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StreamAnswer {
    /// 0.
    pub code: i32,
    /// Who answers.
    #[serde(flatten)]
    pub identity: Identity,
    /// The stream.
    pub stream: Stream,
}
