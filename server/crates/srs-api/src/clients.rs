//! `/api/v1/clients`: the connected clients.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Identity, Kbps};

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClientRole {
    /// It has not said yet.
    Unknown,
    /// It publishes, announced as encoders of the FMLE kind do.
    FmlePublish,
    /// It publishes as Flash does.
    FlashPublish,
    /// It plays.
    Play,
}

/// One client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Client {
    /// Its id, as in the log; unique while the server runs.
    pub id: String,
    /// The id of the vhost that serves it, which is its name; empty until it has connected.
    pub vhost: String,
    /// The id of the stream that it publishes or plays, the newest if there are several; empty if
    /// none.
    pub stream: String,
    /// The application; empty until it has connected.
    #[serde(default)]
    pub app: String,
    /// Its IP address.
    pub ip: String,
    /// Its port.
    #[serde(default)]
    pub port: u16,
    /// The page that it sits in; empty for encoders.
    #[serde(rename = "pageUrl")]
    pub page_url: String,
    /// The Flash program that it is; empty for all others.
    #[serde(rename = "swfUrl")]
    pub swf_url: String,
    /// What it connected to, without parameters: those are secrets as often as not.
    #[serde(rename = "tcUrl")]
    pub tc_url: String,
    /// `/APP/STREAM`; empty as long as there is no stream.
    pub url: String,
    /// The stream's name; empty as long as there is none.
    pub name: String,
    /// What it does.
    #[serde(rename = "type")]
    pub role: ClientRole,
    /// Whether it publishes.
    pub publish: bool,
    /// What it says it is (`flashVer`); empty if it does not.
    #[serde(default)]
    pub agent: String,
    /// Seconds since it connected.
    pub alive: f64,
    /// Bytes sent to it.
    pub send_bytes: u64,
    /// Bytes received from it.
    pub recv_bytes: u64,
    /// Media packets sent to it.
    #[serde(default)]
    pub send_packets: u64,
    /// Media packets received from it.
    #[serde(default)]
    pub recv_packets: u64,
    /// Packets that it lost because it was too slow.
    #[serde(default)]
    pub drops: u64,
    /// How often it jumped to a newer key frame because it was too slow.
    #[serde(default)]
    pub jumps: u64,
    /// How far it is behind the newest packet, in milliseconds.
    #[serde(default)]
    pub lag_ms: u64,
    /// The round trip to it and back as TCP measures it, in milliseconds, at most ten seconds ago;
    /// absent before it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<f64>,
    /// TCP segments that had to be sent to it again.
    #[serde(default)]
    pub retransmits: u64,
    /// Its bit rates.
    pub kbps: Kbps,
}

/// Some of the clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClientsAnswer {
    /// 0.
    pub code: i32,
    /// Who answers.
    #[serde(flatten)]
    pub identity: Identity,
    /// How many there are in all that were asked for.
    #[serde(default)]
    pub total: usize,
    /// Those of the page, in the order of the query's `sort`, else in that of their ids.
    pub clients: Vec<Client>,
}

/// One client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClientAnswer {
    /// 0.
    pub code: i32,
    /// Who answers.
    #[serde(flatten)]
    pub identity: Identity,
    /// The client.
    pub client: Client,
}
