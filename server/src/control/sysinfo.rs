//! What the kernel says about the process and its host, looked at now and then.
//!
//! Whoever asks gets the last look: no request costs a system call or a file, however many come.
//! The cadence and the formulas are those of SRS, so that graphs of its figures go on with ours;
//! see `Sampler` for what differs.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::unistd::{SysconfVar, sysconf};
use srs_api::{Meminfos, Rusages, SelfProcStats, Summaries, SystemProcStats};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use self::sampler::{Look, Sampler};
use super::descriptors::Limit;
use super::wall_clock;
use crate::config::Config;

mod disks;
mod sampler;
mod text;

/// The figures of the process and its host. Clones share them.
///
/// Before the first look, and from sources that cannot be read, figures are 0 and their flags say
/// so: in a sandbox that hides `/proc` (`ProcSubset=pid`) the process itself is all there is.
#[derive(Clone, Debug)]
pub struct Sysinfo {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    began: Instant,
    argv: String,
    cwd: String,
    /// Processors that are configured and online; as in the original they are counted once.
    cpus: Option<(i64, i64)>,
    /// Whole at any time: a look is put here when it is done.
    last: Mutex<Look>,
}

impl Default for Sysinfo {
    fn default() -> Self {
        Self::new()
    }
}

impl Sysinfo {
    /// Figures of a process that begins to serve now. [`run`] keeps them current.
    pub fn new() -> Self {
        let argv: Vec<String> = std::env::args_os()
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect();
        let cwd = std::env::current_dir().unwrap_or_default();
        Self {
            shared: Arc::new(Shared {
                began: Instant::now(),
                argv: argv.join(" "),
                cwd: cwd.to_string_lossy().into_owned(),
                cpus: cpus(),
                last: Mutex::default(),
            }),
        }
    }

    /// getrusage(2).
    pub fn rusages(&self) -> Rusages {
        self.last().rusage.clone()
    }

    /// `/proc/self/stat`.
    pub fn self_proc_stats(&self) -> SelfProcStats {
        self.last().own.clone()
    }

    /// The `cpu` line of `/proc/stat`.
    pub fn system_proc_stats(&self) -> SystemProcStats {
        self.last().host.clone()
    }

    /// `/proc/meminfo`.
    pub fn meminfos(&self) -> Meminfos {
        self.last().memory.clone()
    }

    /// Memory that is resident now, in KiB.
    pub fn rss_kbyte(&self) -> u64 {
        self.last().rss_kbyte
    }

    /// Files and sockets that are open now.
    pub fn open_files(&self) -> u64 {
        self.last().open_files
    }

    /// How many may be; [`u64::MAX`] if there is no limit.
    pub fn max_open_files(&self) -> u64 {
        Limit::current().soft
    }

    /// How long the server has been there.
    pub fn uptime(&self) -> Duration {
        self.shared.began.elapsed()
    }

    /// Sets all of `summaries` that is about the process and its host: flags, `now_ms`, `self`,
    /// and `system` but for the server's own traffic and connections. Of `srs`, if it is there,
    /// memory, files and disks.
    pub fn fill(&self, summaries: &mut Summaries) {
        let look = self.last().clone();
        let cpus = self.shared.cpus;

        summaries.now_ms = wall_clock::unix_millis();
        summaries.rusage_ok = look.rusage.ok;
        summaries.self_cpu_stat_ok = look.own.ok;
        summaries.system_cpu_stat_ok = look.host.ok;
        summaries.cpuinfo_ok = cpus.is_some();
        summaries.disk_ok = look.disk.ok;
        summaries.meminfo_ok = look.memory.ok;
        summaries.platform_ok = look.platform.ok;
        summaries.network_ok = look.network.ok;
        summaries.network_srs_ok = look.sockets.ok;
        summaries.ok = summaries.rusage_ok
            && summaries.self_cpu_stat_ok
            && summaries.system_cpu_stat_ok
            && summaries.cpuinfo_ok
            && summaries.disk_ok
            && summaries.meminfo_ok
            && summaries.platform_ok
            && summaries.network_ok
            && summaries.network_srs_ok;

        let process = &mut summaries.process;
        env!("CARGO_PKG_VERSION").clone_into(&mut process.version);
        process.pid = std::process::id().into();
        process.ppid = look.own.ppid;
        process.argv.clone_from(&self.shared.argv);
        process.cwd.clone_from(&self.shared.cwd);
        process.mem_kbyte = look.rusage.ru_maxrss;
        process.mem_percent = text::fraction(
            u64::try_from(look.rusage.ru_maxrss).unwrap_or(0),
            look.memory.mem_total,
        );
        process.cpu_percent = look.own.percent;
        // In tenths of a second, as SRS tells it.
        process.srs_uptime = (self.uptime().as_secs_f64() * 10.0).round() / 10.0;

        let system = &mut summaries.system;
        system.cpu_percent = look.host.percent;
        system.disk_read_kbps = look.disk.read_kbps;
        system.disk_write_kbps = look.disk.write_kbps;
        system.disk_busy_percent = look.disk.busy;
        system.mem_ram_kbyte = text::signed(look.memory.mem_total);
        system.mem_ram_percent = look.memory.percent_ram;
        system.mem_swap_kbyte = text::signed(look.memory.swap_total);
        system.mem_swap_percent = look.memory.percent_swap;
        (system.cpus, system.cpus_online) = cpus.unwrap_or_default();
        system.uptime = look.platform.uptime;
        system.ilde_time = look.platform.idle;
        [system.load_1m, system.load_5m, system.load_15m] = look.platform.load;
        system.net_sample_time = look.network.sample_time;
        system.net_recv_bytes = look.network.recv_bytes;
        system.net_send_bytes = look.network.send_bytes;
        system.srs_sample_time = look.sockets.sample_time;
        system.conn_sys = look.sockets.tcp;
        system.conn_sys_et = look.sockets.established;
        system.conn_sys_tw = look.sockets.time_wait;
        system.conn_sys_udp = look.sockets.udp;

        if let Some(srs) = &mut summaries.srs {
            srs.rss_kbyte = look.rss_kbyte;
            srs.open_files = look.open_files;
            srs.max_open_files = self.max_open_files();
            srs.disks = look.file_systems;
        }
    }

    fn last(&self) -> MutexGuard<'_, Look> {
        self.shared
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at once, then at the cadence of SRS, until it is dropped. Which disks count is taken from
/// the configuration in force; `folders` gives those that the server writes to.
pub async fn run(
    sysinfo: Sysinfo,
    config: watch::Receiver<Arc<Config>>,
    folders: impl Fn() -> Vec<PathBuf> + Send,
) {
    let mut sampler = Sampler::new("/proc");
    let mut ticks = interval(EVERY);
    // After a suspension one look is enough.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for round in 0_u32.. {
        ticks.tick().await;
        let config = Arc::clone(&config.borrow());
        let folders = folders();
        let mut look = sysinfo.last().clone();
        // Files of /proc do not block for long, but they do on a host that is short of memory, and
        // a disk may hang: nobody who is served waits for either.
        let done = spawn_blocking(move || {
            let now = Instant::now();
            sampler.sample(round, &config.stats.disk, now, &mut look);
            sampler.file_systems(round, &folders, now, &mut look);
            (sampler, look)
        });
        let Ok((back, look)) = done.await else {
            // It panicked, which the log tells; the last look stays.
            return;
        };
        sampler = back;
        *sysinfo.last() = look;
    }
}

/// How many processors are configured and online.
fn cpus() -> Option<(i64, i64)> {
    let count = |variable| sysconf(variable).ok().flatten();
    let configured = count(SysconfVar::_NPROCESSORS_CONF)?;
    let online = count(SysconfVar::_NPROCESSORS_ONLN)?;
    Some((configured, online))
}

/// The shortest time between two looks at the same thing: process, processors and sockets.
const EVERY: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests;
