//! What steers and watches: access, clients, logs, the process itself.

pub mod access;
pub mod clients;
pub mod counters;
pub mod descriptors;
pub mod logging;
mod open_error;
pub mod pid_file;
pub mod pithy_print;
pub mod sysinfo;
pub mod wall_clock;
