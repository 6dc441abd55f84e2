//! What srs tells and is told as JSON: its HTTP API, version 1, and the heartbeat.
//!
//! Types and nothing else, one file per resource; the daemon writes them, `srsctl` and other
//! programs read them. Names, types and units are those of SRS 1.0 where it has the field, and of
//! later versions of SRS where those added it; what neither has is ours. A reader takes what it
//! does not know for nothing, so that fields can be added; those that an older server does not
//! send are optional, or have a default.
//!
//! Units: bytes and packets are counts since the client, stream or server began; `_ms` are
//! milliseconds; kbps are kilobits (of 1000 bits) per second; rates of processors, memory and disks
//! are fractions, in which 1.0 is everything (of one core for a process).
#![forbid(unsafe_code)]

mod clients;
mod config;
mod envelope;
mod events;
mod health;
mod history;
mod index;
mod lenient;
mod logs;
mod parts;
mod process;
mod rates;
mod reload;
mod requests;
mod servers;
mod streams;
mod summaries;
mod vhosts;

pub use clients::{Client, ClientAnswer, ClientRole, ClientsAnswer};
pub use config::{ConfigAnswer, LogPlace, RunningConfig};
pub use envelope::{Answer, ErrorAnswer, ErrorCode, ErrorData, Identity, UrlsAnswer};
pub use events::{Event, EventKind};
pub use health::Health;
pub use history::{History, HistoryAnswer, HistoryRange};
pub use index::{API, ROOT, V1};
pub use logs::{LogLevel, LogLine};
pub use parts::{Part, PartKind, PartState, PartsAnswer};
pub use process::{Meminfos, Rusages, SelfProcStats, SystemProcStats};
pub use rates::Kbps;
pub use reload::{Change, Effect, Reload, ReloadOutcome};
pub use requests::{Authors, Requests, ServerSignature, Versions};
pub use servers::{Heartbeat, HeartbeatState, HeartbeatTaken, Server, ServerState, ServersAnswer};
pub use streams::{
    Audio, Field, HealthCause, Players, Publish, Stream, StreamAnswer, StreamDetails, StreamHealth,
    StreamState, StreamsAnswer, Video,
};
pub use summaries::{
    Disk, ReloadSummary, SelfSummary, ServiceState, ServiceSummary, Summaries, SystemSummary,
    Watchdog,
};
pub use vhosts::{Hls, Vhost, VhostAnswer, VhostsAnswer};
