//! `/api/v1/vhosts`: the vhosts that are configured, and the one for all other names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Identity, Kbps};

/// One vhost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Vhost {
    /// Its id, which is its name.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether its clients are served.
    pub enabled: bool,
    /// Clients that are connected to it.
    pub clients: usize,
    /// Streams of it.
    pub streams: usize,
    /// Players of them.
    #[serde(default)]
    pub viewers: usize,
    /// Bytes sent to its clients since the server began.
    pub send_bytes: u64,
    /// Bytes received from its clients since the server began.
    pub recv_bytes: u64,
    /// Packets sent.
    #[serde(default)]
    pub send_packets: u64,
    /// Packets received.
    #[serde(default)]
    pub recv_packets: u64,
    /// Its bit rates.
    pub kbps: Kbps,
    /// HLS, which this version does not have.
    pub hls: Hls,
}

/// Whether a vhost has HLS.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hls {
    /// Whether it has.
    pub enabled: bool,
    /// Seconds of a fragment; absent if it has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fragment: Option<f64>,
}

/// All vhosts, or a page of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VhostsAnswer {
    /// 0.
    pub code: i32,
    /// Who answers.
    #[serde(flatten)]
    pub identity: Identity,
    /// How many there are in all.
    #[serde(default)]
    pub total: usize,
    /// Those of the page, by name.
    pub vhosts: Vec<Vhost>,
}

/// One vhost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VhostAnswer {
    /// 0.
    pub code: i32,
    /// Who answers.
    #[serde(flatten)]
    pub identity: Identity,
    /// The vhost.
    pub vhost: Vhost,
}
