//! What steers and watches: access, clients, logs, the process itself.

pub mod access;
pub mod api;
pub mod clients;
pub mod complaints;
pub mod counters;
pub mod descriptors;
pub mod events;
pub mod feed;
pub mod fleet;
pub mod heartbeat;
pub mod logging;
pub mod manager;
pub mod metrics;
pub(crate) mod network;
pub(crate) mod open_error;
pub mod parts;
pub mod pid_file;
pub mod pithy_print;
pub(crate) mod plural;
pub mod reload;
pub mod report;
pub mod sampling;
pub mod service_user;
pub mod sysinfo;
pub mod wall_clock;
pub mod watchdog;
