//! `/api/v1/summaries`: the process and its host at a glance. The heartbeat carries it, too.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Kbps, ReloadOutcome, lenient};

/// The process and its host. The flags say whether the figures from that source could be had.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Summaries {
    /// All of the flags below together.
    pub ok: bool,
    /// getrusage(2).
    pub rusage_ok: bool,
    /// `/proc/self/stat`.
    pub self_cpu_stat_ok: bool,
    /// `/proc/stat`.
    pub system_cpu_stat_ok: bool,
    /// The number of processors.
    pub cpuinfo_ok: bool,
    /// `/proc/vmstat`, `/proc/diskstats` and `/proc/stat`.
    pub disk_ok: bool,
    /// `/proc/meminfo`.
    pub meminfo_ok: bool,
    /// `/proc/uptime` and `/proc/loadavg`.
    pub platform_ok: bool,
    /// At least one interface of `/proc/net/dev`.
    pub network_ok: bool,
    /// `/proc/net/sockstat` and `/proc/net/snmp`.
    pub network_srs_ok: bool,
    /// The time, in Unix milliseconds.
    #[serde(deserialize_with = "lenient::int")]
    pub now_ms: i64,
    /// The process.
    #[serde(rename = "self")]
    pub process: SelfSummary,
    /// The host, and the traffic of the process.
    pub system: SystemSummary,
    /// What the process serves. SRS does not send this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub srs: Option<ServiceSummary>,
}

/// The process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SelfSummary {
    /// The version of the server.
    pub version: String,
    /// The process id.
    #[serde(deserialize_with = "lenient::int")]
    pub pid: i64,
    /// The parent's process id.
    #[serde(deserialize_with = "lenient::int")]
    pub ppid: i64,
    /// The command line, joined by spaces.
    pub argv: String,
    /// The working directory.
    pub cwd: String,
    /// The most memory that was resident, in KiB.
    #[serde(deserialize_with = "lenient::int")]
    pub mem_kbyte: i64,
    /// The same as a fraction of the host's memory.
    #[serde(deserialize_with = "lenient::float")]
    pub mem_percent: f64,
    /// Processor time, as a fraction of one core.
    #[serde(deserialize_with = "lenient::float")]
    pub cpu_percent: f64,
    /// Seconds since the server began.
    #[serde(deserialize_with = "lenient::float")]
    pub srs_uptime: f64,
}

/// The host, and the traffic of the process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SystemSummary {
    /// Processor time that is not idle, as a fraction of all cores.
    #[serde(deserialize_with = "lenient::float")]
    pub cpu_percent: f64,
    /// Read from disks, in KB/s.
    #[serde(rename = "disk_read_KBps")]
    #[serde(deserialize_with = "lenient::int")]
    pub disk_read_kbps: i64,
    /// Written to disks, in KB/s.
    #[serde(rename = "disk_write_KBps")]
    #[serde(deserialize_with = "lenient::int")]
    pub disk_write_kbps: i64,
    /// How busy the disks of `stats.disk` are together; 1.0 is one of them all the time.
    #[serde(deserialize_with = "lenient::float")]
    pub disk_busy_percent: f64,
    /// Memory, in KiB.
    #[serde(deserialize_with = "lenient::int")]
    pub mem_ram_kbyte: i64,
    /// Memory in use without buffers and caches, as a fraction.
    #[serde(deserialize_with = "lenient::float")]
    pub mem_ram_percent: f64,
    /// Swap, in KiB.
    #[serde(deserialize_with = "lenient::int")]
    pub mem_swap_kbyte: i64,
    /// Swap in use, as a fraction.
    #[serde(deserialize_with = "lenient::float")]
    pub mem_swap_percent: f64,
    /// Processors that are configured.
    #[serde(deserialize_with = "lenient::int")]
    pub cpus: i64,
    /// Processors that are online.
    #[serde(deserialize_with = "lenient::int")]
    pub cpus_online: i64,
    /// Seconds since the host began.
    #[serde(deserialize_with = "lenient::float")]
    pub uptime: f64,
    /// Idle time of all processors together, in seconds. The spelling is SRS's.
    #[serde(deserialize_with = "lenient::float")]
    pub ilde_time: f64,
    /// Load average of a minute.
    #[serde(deserialize_with = "lenient::float")]
    pub load_1m: f64,
    /// Load average of 5 minutes.
    #[serde(deserialize_with = "lenient::float")]
    pub load_5m: f64,
    /// Load average of 15 minutes.
    #[serde(deserialize_with = "lenient::float")]
    pub load_15m: f64,
    /// When the interfaces were looked at, in Unix milliseconds.
    #[serde(deserialize_with = "lenient::int")]
    pub net_sample_time: i64,
    /// Bytes received by all interfaces but the loopback since the host began.
    #[serde(deserialize_with = "lenient::int")]
    pub net_recv_bytes: i64,
    /// Bytes sent by them.
    #[serde(deserialize_with = "lenient::int")]
    pub net_send_bytes: i64,
    /// When the server's own traffic was looked at, in Unix milliseconds.
    #[serde(deserialize_with = "lenient::int")]
    pub srs_sample_time: i64,
    /// Bytes received from RTMP clients since the server began.
    #[serde(deserialize_with = "lenient::int")]
    pub srs_recv_bytes: i64,
    /// The same as an average since the server began, in kbit/s.
    #[serde(deserialize_with = "lenient::int")]
    pub srs_recv_kbps: i64,
    /// Bytes sent to RTMP clients since the server began.
    #[serde(deserialize_with = "lenient::int")]
    pub srs_send_bytes: i64,
    /// The same as an average since the server began, in kbit/s.
    #[serde(deserialize_with = "lenient::int")]
    pub srs_send_kbps: i64,
    /// TCP sockets of the host.
    #[serde(deserialize_with = "lenient::int")]
    pub conn_sys: i64,
    /// Those of them that are established.
    #[serde(deserialize_with = "lenient::int")]
    pub conn_sys_et: i64,
    /// Those of them that wait to be forgotten.
    #[serde(deserialize_with = "lenient::int")]
    pub conn_sys_tw: i64,
    /// UDP sockets of the host.
    #[serde(deserialize_with = "lenient::int")]
    pub conn_sys_udp: i64,
    /// Connections to the server, of all protocols.
    #[serde(deserialize_with = "lenient::int")]
    pub conn_srs: i64,
}

/// What the server serves at present.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ServiceSummary {
    /// The name that it has in the fleet: `heartbeat.device_id`, else the host's name.
    pub name: String,
    /// Streams that are published.
    #[serde(deserialize_with = "lenient::int")]
    pub streams: usize,
    /// RTMP clients, whatever they do.
    #[serde(deserialize_with = "lenient::int")]
    pub clients: usize,
    /// Those that publish.
    #[serde(deserialize_with = "lenient::int")]
    pub publishers: usize,
    /// Those that play.
    #[serde(deserialize_with = "lenient::int")]
    pub players: usize,
    /// RTMP clients since the server began.
    #[serde(deserialize_with = "lenient::int")]
    pub clients_total: u64,
    /// Those that were refused or cut off.
    #[serde(deserialize_with = "lenient::int")]
    pub clients_errs_total: u64,
    /// Packets received since the server began.
    #[serde(deserialize_with = "lenient::int")]
    pub recv_packets: u64,
    /// Packets sent since the server began.
    #[serde(deserialize_with = "lenient::int")]
    pub send_packets: u64,
    /// Packets that slow players lost since the server began.
    #[serde(deserialize_with = "lenient::int")]
    pub drops: u64,
    /// Memory that is resident now, in KiB.
    #[serde(deserialize_with = "lenient::int")]
    pub rss_kbyte: u64,
    /// Files and sockets that are open now.
    #[serde(deserialize_with = "lenient::int")]
    pub open_files: u64,
    /// How many may be.
    #[serde(deserialize_with = "lenient::int")]
    pub max_open_files: u64,
    /// Most clients at a time.
    #[serde(deserialize_with = "lenient::int")]
    pub max_connections: u64,
    /// Bit rates of all RTMP clients together.
    pub kbps: Kbps,
    /// How often the configuration was put in force anew.
    #[serde(deserialize_with = "lenient::int")]
    pub reloads: u64,
    /// Where RTMP is listened for.
    pub listen: Vec<String>,
    /// Where the API is served: `IP:PORT`, or `unix:` and a path.
    pub listen_api: Vec<String>,
    /// Where media is asked for over HTTP.
    pub listen_http: Vec<String>,
    /// How the server is.
    pub state: ServiceState,
    /// Why it is degraded, for people.
    pub problems: Vec<String>,
    /// Players by HTTP: FLV and HLS.
    #[serde(deserialize_with = "lenient::int")]
    pub http_viewers: usize,
    /// The last reload, in short.
    pub last_reload: ReloadSummary,
    /// How systemd is shown that the server turns; absent if it does not ask for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watchdog: Option<Watchdog>,
    /// The file systems that the server writes to.
    pub disks: Vec<Disk>,
}

/// How a server is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ServiceState {
    /// It does not tell.
    #[default]
    Unknown,
    /// It serves.
    Running,
    /// It serves, but something is wrong with it.
    Degraded,
    /// It takes no new clients and is about to stop.
    Draining,
}

/// The last reload, in short.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ReloadSummary {
    /// What became of it; absent if there was none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<ReloadOutcome>,
    /// When, in Unix milliseconds; 0 if never.
    #[serde(deserialize_with = "lenient::int")]
    pub time_ms: i64,
}

/// How systemd is shown that the server turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Watchdog {
    /// Within what time systemd wants a sign, in milliseconds.
    #[serde(deserialize_with = "lenient::int")]
    pub interval_ms: u64,
    /// How long ago the last one was given, in milliseconds.
    #[serde(deserialize_with = "lenient::int")]
    pub last_ms: u64,
}

/// A file system that the server writes to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Disk {
    /// The folder of the server that is on it.
    pub path: String,
    /// Its size, in bytes.
    #[serde(deserialize_with = "lenient::int")]
    pub total_bytes: u64,
    /// What the server may still write, in bytes.
    #[serde(deserialize_with = "lenient::int")]
    pub free_bytes: u64,
    /// In how many seconds it is full, if it goes on as it did; absent if it does not fill up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_in: Option<f64>,
    /// Whether so little is free, or it is full so soon, that the server is degraded by it.
    pub is_scarce: bool,
}
