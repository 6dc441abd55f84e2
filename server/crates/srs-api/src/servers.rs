//! `/api/v1/servers`: heartbeats, and the fleet that they make.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Answer, Identity, Summaries, lenient};

/// A heartbeat, as a server posts it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Heartbeat {
    /// The name of the server in the fleet. May be empty: the address it comes from then counts.
    #[serde(default, deserialize_with = "lenient::text")]
    pub device_id: String,
    /// An address of the server, as it says itself; empty if it has none.
    #[serde(default, deserialize_with = "lenient::text")]
    pub ip: String,
    /// The whole answer of `/api/v1/summaries`; absent unless the sender's `heartbeat.summaries`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summaries: Option<Answer<Summaries>>,
}

/// A heartbeat was taken in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeartbeatTaken {
    /// The name that the server has in the fleet.
    pub id: String,
}

/// How a server of the fleet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ServerState {
    /// Its heartbeats come.
    Up,
    /// They have not come for longer than usual.
    Late,
}

/// A server of the fleet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Server {
    /// Its name, or its address if it has none.
    pub device_id: String,
    /// Its address, as it says itself; the one that it posts from if it says none.
    pub ip: String,
    /// The address that it posts from.
    pub peer: String,
    /// How it is.
    pub state: ServerState,
    /// When the first heartbeat came, in Unix milliseconds.
    pub first_seen_ms: i64,
    /// When the last one came, in Unix milliseconds.
    pub last_seen_ms: i64,
    /// Seconds since the last one.
    pub age: f64,
    /// Seconds between the last ones; 0 before there were two.
    pub interval: f64,
    /// Heartbeats since the first one.
    pub beats: u64,
    /// Its version; absent without summaries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Seconds since it began; absent without summaries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime: Option<f64>,
    /// Streams that it has; absent if it does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streams: Option<u64>,
    /// Clients or, if it does not tell those, connections that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<u64>,
    /// What it receives, in kbit/s over the last 30 seconds, or as an average if it does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recv_kbps: Option<u64>,
    /// What it sends, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_kbps: Option<u64>,
    /// Its processor time, as a fraction of one core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<f64>,
    /// Its memory, in KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mem_kbyte: Option<u64>,
}

/// The fleet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServersAnswer {
    /// 0.
    pub code: i32,
    /// Who answers.
    #[serde(flatten)]
    pub identity: Identity,
    /// How many there are in all.
    #[serde(default)]
    pub total: usize,
    /// The servers, by name.
    pub servers: Vec<Server>,
    /// This server's own heartbeat.
    #[serde(default)]
    pub heartbeat: HeartbeatState,
}

/// How a server's own heartbeat goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HeartbeatState {
    /// Whether it is configured.
    pub enabled: bool,
    /// Where it goes, without parameters; empty if it goes nowhere.
    pub url: String,
    /// Whether the last one arrived.
    pub ok: bool,
    /// Heartbeats that arrived since the server began.
    pub sent: u64,
    /// Those that did not.
    pub failed: u64,
    /// When the last one arrived, in Unix milliseconds; 0 if none has.
    pub last_ok_ms: i64,
    /// Why the last one did not arrive; empty if it has.
    pub error: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heartbeat(json: &str) -> Heartbeat {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn heartbeats_of_srs_1_are_understood() {
        let beat = heartbeat(
            r#"{"device_id":"my-srs-device","ip":"192.168.1.100","summaries":{"code":0,"data":{
                "rusage_ok":true,"cpuinfo_ok":true,"now_ms":1404358271213,
                "self":{"version":"0.9.189","pid":4711,"mem_kbyte":5.27515e+06,"cpu_percent":0.05,
                    "srs_uptime":12},
                "system":{"cpu_percent":0,"net_recv_bytes":1.5e+12,"srs_recv_kbps":500.7,
                    "conn_srs":3}}}}"#,
        );
        assert_eq!(beat.device_id, "my-srs-device");
        let data = beat.summaries.unwrap().data;
        assert_eq!(data.now_ms, 1_404_358_271_213);
        assert_eq!(data.process.mem_kbyte, 5_275_150);
        assert_eq!(data.process.srs_uptime, 12.0);
        assert_eq!(data.system.net_recv_bytes, 1_500_000_000_000);
        assert_eq!(data.system.srs_recv_kbps, 500);
        assert_eq!(data.system.conn_srs, 3);
        assert_eq!(data.srs, None);
    }

    #[test]
    fn heartbeats_of_later_srs_are_understood() {
        let beat = heartbeat(
            r#"{"device_id":"edge","ip":"10.0.0.7","server":"vid-0xk989d","service":"382k7f",
                "pid":"4711","rtmp":["1935"],"summaries":{"code":0,"server":"vid-0xk989d",
                "service":"382k7f","pid":4711,"data":{"ok":true,"now_ms":1700000000000,
                "self":{"version":"5.0.213","pid":4711,"ppid":1,"argv":"./objs/srs","cwd":"/srs",
                    "mem_kbyte":23400,"mem_percent":0.01,"cpu_percent":0.02,"srs_uptime":99},
                "system":{"cpu_percent":0.03,"conn_srs":2}}}}"#,
        );
        let summaries = beat.summaries.unwrap();
        assert_eq!(summaries.identity.pid, "4711");
        assert_eq!(summaries.data.process.version, "5.0.213");
        assert!(summaries.data.ok && !summaries.data.disk_ok);
    }

    #[test]
    fn a_heartbeat_may_be_bare() {
        for json in [
            "{}",
            r#"{"device_id":"","ip":""}"#,
            r#"{"device_id":null,"summaries":null}"#,
        ] {
            let beat = heartbeat(json);
            assert!(
                beat.device_id.is_empty() && beat.summaries.is_none(),
                "{json}"
            );
        }
    }
}
