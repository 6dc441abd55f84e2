//! `/api/v1/rusages`, `self_proc_stats`, `system_proc_stats` and `meminfos`: the figures of the
//! kernel as they are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// getrusage(2) of the process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rusages {
    /// Whether it could be had.
    pub ok: bool,
    /// When it was looked at, in Unix milliseconds.
    pub sample_time: i64,
    /// Processor time in user mode, whole seconds.
    pub ru_utime: i64,
    /// Processor time in the kernel, whole seconds.
    pub ru_stime: i64,
    /// The most memory that was resident, in KiB.
    pub ru_maxrss: i64,
    /// Always 0 on Linux.
    pub ru_ixrss: i64,
    /// Always 0 on Linux.
    pub ru_idrss: i64,
    /// Always 0 on Linux.
    pub ru_isrss: i64,
    /// Page faults without input.
    pub ru_minflt: i64,
    /// Page faults with input.
    pub ru_majflt: i64,
    /// Always 0 on Linux.
    pub ru_nswap: i64,
    /// Blocks read.
    pub ru_inblock: i64,
    /// Blocks written.
    pub ru_oublock: i64,
    /// Always 0 on Linux.
    pub ru_msgsnd: i64,
    /// Always 0 on Linux.
    pub ru_msgrcv: i64,
    /// Always 0 on Linux.
    pub ru_nsignals: i64,
    /// Times that the process gave the processor away.
    pub ru_nvcsw: i64,
    /// Times that it was taken from it.
    pub ru_nivcsw: i64,
}

/// `/proc/self/stat`, see proc_pid_stat(5).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(
    missing_docs,
    reason = "the fields are the kernel's, whose manual describes them"
)]
pub struct SelfProcStats {
    pub ok: bool,
    pub sample_time: i64,
    pub percent: f64,
    pub pid: i64,
    pub comm: String,
    pub state: String,
    pub ppid: i64,
    pub pgrp: i64,
    pub session: i64,
    pub tty_nr: i64,
    pub tpgid: i64,
    pub flags: u64,
    pub minflt: u64,
    pub cminflt: u64,
    pub majflt: u64,
    pub cmajflt: u64,
    pub utime: u64,
    pub stime: u64,
    pub cutime: i64,
    pub cstime: i64,
    pub priority: i64,
    pub nice: i64,
    pub num_threads: i64,
    pub itrealvalue: i64,
    pub starttime: u64,
    pub vsize: u64,
    pub rss: i64,
    pub rsslim: u64,
    pub startcode: u64,
    pub endcode: u64,
    pub startstack: u64,
    pub kstkesp: u64,
    pub kstkeip: u64,
    pub signal: u64,
    pub blocked: u64,
    pub sigignore: u64,
    pub sigcatch: u64,
    pub wchan: u64,
    pub nswap: u64,
    pub cnswap: u64,
    pub exit_signal: i64,
    pub processor: i64,
    pub rt_priority: u64,
    pub policy: u64,
    pub delayacct_blkio_ticks: u64,
    pub guest_time: u64,
    pub cguest_time: i64,
}

/// The `cpu` line of `/proc/stat`: clock ticks since the host began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(
    missing_docs,
    reason = "the fields are the kernel's, whose manual describes them"
)]
pub struct SystemProcStats {
    pub ok: bool,
    pub sample_time: i64,
    pub percent: f64,
    pub user: u64,
    pub nice: u64,
    pub sys: u64,
    pub idle: u64,
    pub iowait: u64,
    pub irq: u64,
    pub softirq: u64,
    pub steal: u64,
    pub guest: u64,
}

/// `/proc/meminfo`, in KiB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Meminfos {
    /// Whether it could be had.
    #[serde(rename = "ok")]
    pub ok: bool,
    /// When it was looked at, in Unix milliseconds.
    #[serde(rename = "sample_time")]
    pub sample_time: i64,
    /// Memory in use without buffers and caches, as a fraction.
    #[serde(rename = "percent_ram")]
    pub percent_ram: f64,
    /// Swap in use, as a fraction.
    #[serde(rename = "percent_swap")]
    pub percent_swap: f64,
    /// `MemTotal` less `MemFree`.
    pub mem_active: u64,
    /// `MemActive` less `Buffers` and `Cached`.
    pub real_in_use: u64,
    /// `MemTotal` less `RealInUse`.
    pub not_in_use: u64,
    /// All memory.
    pub mem_total: u64,
    /// Memory that nothing uses.
    pub mem_free: u64,
    /// Raw blocks of disks.
    pub buffers: u64,
    /// Pages of files.
    pub cached: u64,
    /// All swap.
    pub swap_total: u64,
    /// Swap that nothing uses.
    pub swap_free: u64,
}
