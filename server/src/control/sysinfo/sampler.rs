//! One look at the kernel's figures after another, and the rates between them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use procfs::net::InterfaceDeviceStatus;
use procfs::prelude::*;
use procfs::process::Stat;
use procfs::{DiskStat, ProcError};
use srs_api::{Meminfos, Rusages, SelfProcStats, SystemProcStats};

use super::disks::Disks;
use super::text::{CpuTicks, floats, fraction, number_of, signed, snmp, sockstat};
use crate::control::wall_clock;

/// What was seen last, of every source.
#[derive(Clone, Debug, Default)]
pub(super) struct Look {
    pub rusage: Rusages,
    pub own: SelfProcStats,
    pub rss_kbyte: u64,
    pub open_files: u64,
    pub host: SystemProcStats,
    pub memory: Meminfos,
    pub disk: Disk,
    pub platform: Platform,
    pub network: Network,
    pub sockets: Sockets,
    pub file_systems: Vec<srs_api::Disk>,
}

/// The disks of the host.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    pub ok: bool,
    pub read_kbps: i64,
    pub write_kbps: i64,
    pub busy: f64,
}

/// How long the host has been running, and how much it has to do.
#[derive(Clone, Debug, Default)]
pub(super) struct Platform {
    pub ok: bool,
    pub uptime: f64,
    pub idle: f64,
    pub load: [f64; 3],
}

/// All interfaces but the loopback.
#[derive(Clone, Debug, Default)]
pub(super) struct Network {
    pub ok: bool,
    pub sample_time: i64,
    pub recv_bytes: i64,
    pub send_bytes: i64,
}

/// The sockets of the host.
#[derive(Clone, Debug, Default)]
pub(super) struct Sockets {
    pub ok: bool,
    pub sample_time: i64,
    pub tcp: i64,
    pub established: i64,
    pub time_wait: i64,
    pub udp: i64,
}

/// Looks, and remembers what rates need of the look before.
///
/// It differs from the original where that is wrong: names of interfaces are read whole, `lo` is
/// left out, and how busy disks are is measured against the time that passed, not against
/// processors that may be configured but not there. It reads `/proc/self/net`, which a sandbox
/// leaves where it hides `/proc/net`.
#[derive(Debug)]
pub(super) struct Sampler {
    proc: PathBuf,
    /// Whether each source could be read last time, for one line of log per change.
    sources: BTreeMap<&'static str, bool>,
    /// Clock ticks of the process.
    own: Option<(Instant, u64)>,
    host: Option<CpuTicks>,
    /// KiB read and written.
    paging: Option<(Instant, u64, u64)>,
    /// Milliseconds that these disks worked.
    busy: Option<(Instant, Vec<String>, u64)>,
    disks: Disks,
    /// For one file after the other.
    buffer: Vec<u8>,
}

/// Why a source says nothing.
#[derive(Debug, thiserror::Error)]
enum SourceError {
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// It can, but has not what is looked for.
    #[error("it is not as expected")]
    Strange,
}

impl Sampler {
    /// Looks at the files in `proc`, which is `/proc` but for tests.
    pub(super) fn new(proc: impl Into<PathBuf>) -> Self {
        Self {
            proc: proc.into(),
            sources: BTreeMap::new(),
            own: None,
            host: None,
            paging: None,
            busy: None,
            disks: Disks::default(),
            buffer: Vec::new(),
        }
    }

    /// Brings `look` up to date with all that is due in this round. A round is three seconds:
    /// process, processors and sockets are due in each, disks and memory in every second one,
    /// load and interfaces in every third. `now` is what rates are measured by.
    pub(super) fn sample(&mut self, round: u32, disks: &[String], now: Instant, look: &mut Look) {
        self.rusage(look);
        look.own = self.own(now);
        look.host = self.host();
        look.sockets = self.sockets();
        look.rss_kbyte = rss_kbyte(&look.own);
        if round.is_multiple_of(2) {
            look.disk = self.disk(disks, now);
            look.memory = self.memory();
        }
        if round.is_multiple_of(3) {
            look.platform = self.platform();
            look.network = self.network();
        }
        if let Some(open_files) = self.open_files(round) {
            look.open_files = open_files;
        }
    }

    /// Looks at the file systems that `folders` are on, in every second round.
    pub(super) fn file_systems(
        &mut self,
        round: u32,
        folders: &[PathBuf],
        now: Instant,
        look: &mut Look,
    ) {
        if round.is_multiple_of(2) {
            look.file_systems = self.disks.look(folders, now);
        }
    }

    fn rusage(&mut self, look: &mut Look) {
        let usage = match getrusage(UsageWho::RUSAGE_SELF) {
            Ok(usage) => usage,
            Err(error) => {
                look.rusage = Rusages::default();
                return self.note("getrusage", Err(io::Error::from(error).into()));
            }
        };
        self.note("getrusage", Ok(()));
        let (user, kernel) = (usage.user_time(), usage.system_time());
        look.rusage = Rusages {
            ok: true,
            sample_time: wall_clock::unix_millis(),
            ru_utime: user.num_seconds(),
            ru_stime: kernel.num_seconds(),
            ru_maxrss: usage.max_rss(),
            ru_ixrss: usage.shared_integral(),
            ru_idrss: usage.unshared_data_integral(),
            ru_isrss: usage.unshared_stack_integral(),
            ru_minflt: usage.minor_page_faults(),
            ru_majflt: usage.major_page_faults(),
            ru_nswap: usage.full_swaps(),
            ru_inblock: usage.block_reads(),
            ru_oublock: usage.block_writes(),
            ru_msgsnd: usage.ipc_sends(),
            ru_msgrcv: usage.ipc_receives(),
            ru_nsignals: usage.signals(),
            ru_nvcsw: usage.voluntary_context_switches(),
            ru_nivcsw: usage.involuntary_context_switches(),
        };
    }

    fn own(&mut self, now: Instant) -> SelfProcStats {
        let stat = self.read("self/stat", |text| Stat::from_read(text.as_bytes()).ok());
        let Some(stat) = stat else {
            self.own = None;
            return SelfProcStats::default();
        };
        let ticks = stat.utime.saturating_add(stat.stime);
        let percent = self.own.map_or(0.0, |(then, before)| {
            let used = ticks.saturating_sub(before) as f64 / procfs::ticks_per_second() as f64;
            over(used, now - then)
        });
        self.own = Some((now, ticks));
        SelfProcStats {
            ok: true,
            sample_time: wall_clock::unix_millis(),
            percent,
            pid: stat.pid.into(),
            comm: format!("({})", stat.comm),
            state: stat.state.into(),
            ppid: stat.ppid.into(),
            pgrp: stat.pgrp.into(),
            session: stat.session.into(),
            tty_nr: stat.tty_nr.into(),
            tpgid: stat.tpgid.into(),
            flags: stat.flags.into(),
            minflt: stat.minflt,
            cminflt: stat.cminflt,
            majflt: stat.majflt,
            cmajflt: stat.cmajflt,
            utime: stat.utime,
            stime: stat.stime,
            cutime: stat.cutime,
            cstime: stat.cstime,
            priority: stat.priority,
            nice: stat.nice,
            num_threads: stat.num_threads,
            itrealvalue: stat.itrealvalue,
            starttime: stat.starttime,
            vsize: stat.vsize,
            rss: signed(stat.rss),
            rsslim: stat.rsslim,
            startcode: stat.startcode,
            endcode: stat.endcode,
            startstack: stat.startstack,
            kstkesp: stat.kstkesp,
            kstkeip: stat.kstkeip,
            signal: stat.signal,
            blocked: stat.blocked,
            sigignore: stat.sigignore,
            sigcatch: stat.sigcatch,
            wchan: stat.wchan,
            nswap: stat.nswap,
            cnswap: stat.cnswap,
            exit_signal: stat.exit_signal.unwrap_or_default().into(),
            processor: stat.processor.unwrap_or_default().into(),
            rt_priority: stat.rt_priority.unwrap_or_default().into(),
            policy: stat.policy.unwrap_or_default().into(),
            delayacct_blkio_ticks: stat.delayacct_blkio_ticks.unwrap_or_default(),
            guest_time: stat.guest_time.unwrap_or_default(),
            cguest_time: stat.cguest_time.unwrap_or_default(),
        }
    }

    fn host(&mut self) -> SystemProcStats {
        let ticks = self.read("stat", CpuTicks::parse);
        let before = std::mem::replace(&mut self.host, ticks);
        let Some(ticks) = ticks else {
            return SystemProcStats::default();
        };
        let percent = before.map_or(0.0, |before| {
            let total = ticks.total().saturating_sub(before.total());
            // The time that a processor was idle or waited for a disk may go back a little.
            let idle = ticks.idle.saturating_sub(before.idle).min(total);
            fraction(total - idle, total)
        });
        SystemProcStats {
            ok: true,
            sample_time: wall_clock::unix_millis(),
            percent,
            user: ticks.user,
            nice: ticks.nice,
            sys: ticks.sys,
            idle: ticks.idle,
            iowait: ticks.iowait,
            irq: ticks.irq,
            softirq: ticks.softirq,
            steal: ticks.steal,
            guest: ticks.guest,
        }
    }

    fn disk(&mut self, disks: &[String], now: Instant) -> Disk {
        let paged = self.read("vmstat", |text| {
            Some((number_of(text, "pgpgin")?, number_of(text, "pgpgout")?))
        });
        let before = self.paging;
        self.paging = paged.map(|(read, written)| (now, read, written));
        let (read_kbps, write_kbps) = match (before, self.paging) {
            (Some((then, read, written)), Some((_, read_now, written_now))) => (
                per_second(read_now.saturating_sub(read), now - then),
                per_second(written_now.saturating_sub(written), now - then),
            ),
            _ => (0, 0),
        };
        let busy = self.busy(disks, now);
        Disk {
            ok: paged.is_some() && busy.is_some(),
            read_kbps,
            write_kbps,
            busy: busy.unwrap_or(0.0),
        }
    }

    /// How busy `disks` are together, in disks; `None` if that cannot be told.
    fn busy(&mut self, disks: &[String], now: Instant) -> Option<f64> {
        if disks.is_empty() {
            self.busy = None;
            return Some(0.0);
        }
        let stats = self.read("diskstats", |text| {
            let lines = text.lines().map(DiskStat::from_line);
            lines.collect::<Result<Vec<_>, ProcError>>().ok()
        });
        let before = self.busy.take();
        let millis = stats?
            .iter()
            .filter(|stat| disks.contains(&stat.name))
            .fold(0, |sum: u64, stat| {
                sum.saturating_add(stat.time_in_progress)
            });
        let busy = match before {
            Some((then, same, earlier)) if same == disks => {
                over(millis.saturating_sub(earlier) as f64 / 1_000.0, now - then)
            }
            _ => 0.0,
        };
        self.busy = Some((now, disks.to_vec(), millis));
        Some(busy)
    }

    fn memory(&mut self) -> Meminfos {
        self.read("meminfo", |text| {
            let mem_total = number_of(text, "MemTotal")?;
            let mem_free = number_of(text, "MemFree")?;
            let buffers = number_of(text, "Buffers").unwrap_or(0);
            let cached = number_of(text, "Cached").unwrap_or(0);
            let swap_total = number_of(text, "SwapTotal").unwrap_or(0);
            let swap_free = number_of(text, "SwapFree").unwrap_or(0);
            let mem_active = mem_total.saturating_sub(mem_free);
            let real_in_use = mem_active.saturating_sub(buffers).saturating_sub(cached);
            Some(Meminfos {
                ok: true,
                sample_time: wall_clock::unix_millis(),
                percent_ram: fraction(real_in_use, mem_total),
                percent_swap: fraction(swap_total.saturating_sub(swap_free), swap_total),
                mem_active,
                real_in_use,
                not_in_use: mem_total.saturating_sub(real_in_use),
                mem_total,
                mem_free,
                buffers,
                cached,
                swap_total,
                swap_free,
            })
        })
        .unwrap_or_default()
    }

    fn platform(&mut self) -> Platform {
        let uptime = self.read("uptime", floats);
        let load = self.read("loadavg", floats);
        let [uptime_seconds, idle] = uptime.unwrap_or_default();
        Platform {
            ok: uptime.is_some() && load.is_some(),
            uptime: uptime_seconds,
            idle,
            load: load.unwrap_or_default(),
        }
    }

    fn network(&mut self) -> Network {
        let devices = self.read("self/net/dev", |text| {
            InterfaceDeviceStatus::from_buf_read(text.as_bytes()).ok()
        });
        let mut network = Network {
            sample_time: wall_clock::unix_millis(),
            ..Network::default()
        };
        for (name, device) in devices.into_iter().flat_map(|devices| devices.0) {
            if name != "lo" {
                network.ok = true;
                let add = |sum: i64, bytes| sum.saturating_add(signed(bytes));
                network.recv_bytes = add(network.recv_bytes, device.recv_bytes);
                network.send_bytes = add(network.send_bytes, device.sent_bytes);
            }
        }
        if network.ok {
            network
        } else {
            Network::default()
        }
    }

    fn sockets(&mut self) -> Sockets {
        let of_kernel = self.read("self/net/sockstat", |text| {
            let allocated = sockstat(text, "TCP", "alloc")?;
            let time_wait = sockstat(text, "TCP", "tw")?;
            Some((allocated, time_wait, sockstat(text, "UDP", "inuse")?))
        });
        let established = self.read("self/net/snmp", |text| snmp(text, "Tcp", "CurrEstab"));
        let (Some((allocated, time_wait, udp)), Some(established)) = (of_kernel, established)
        else {
            return Sockets::default();
        };
        Sockets {
            ok: true,
            sample_time: wall_clock::unix_millis(),
            tcp: allocated.saturating_add(time_wait),
            established,
            time_wait,
            udp,
        }
    }

    /// How many descriptors are open. Before Linux 6.2 they must be counted one by one, which
    /// takes milliseconds with ten thousand of them and is done in every third round only.
    fn open_files(&mut self, round: u32) -> Option<u64> {
        let folder = self.proc.join("self/fd");
        let told = fs::metadata(&folder).map(|folder| folder.len());
        match told {
            Ok(0) if !round.is_multiple_of(3) => return None,
            Ok(0) => {}
            Ok(count) => return Some(count),
            Err(error) => {
                self.note("self/fd", Err(error.into()));
                return Some(0);
            }
        }
        match fs::read_dir(&folder) {
            // One of them is that of the folder itself.
            Ok(files) => Some((files.count() as u64).saturating_sub(1)),
            Err(error) => {
                self.note("self/fd", Err(error.into()));
                Some(0)
            }
        }
    }

    /// Reads the file `name` and finds in its text what `find` looks for.
    fn read<T>(&mut self, name: &'static str, find: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        self.buffer.clear();
        let read = File::open(self.proc.join(name))
            .and_then(|file| file.take(MAX_LEN).read_to_end(&mut self.buffer));
        let found = match read {
            Ok(_) => find(&String::from_utf8_lossy(&self.buffer)).ok_or(SourceError::Strange),
            Err(error) => Err(error.into()),
        };
        match found {
            Ok(found) => {
                self.note(name, Ok(()));
                Some(found)
            }
            Err(error) => {
                self.note(name, Err(error));
                None
            }
        }
    }

    /// Tells the log when a source fails that did not, or is back.
    fn note(&mut self, name: &'static str, result: Result<(), SourceError>) {
        let before = self.sources.insert(name, result.is_ok());
        match result {
            Ok(()) if before == Some(false) => tracing::debug!("figures of {name} are back"),
            Err(_) if before == Some(false) => {}
            // A sandbox that hides it does so on purpose.
            Err(SourceError::Unreadable(error))
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
                ) =>
            {
                tracing::debug!("no figures of /proc/{name}: {error}");
            }
            Err(error) => tracing::warn!("no figures of {name}: {error}"),
            Ok(()) => {}
        }
    }
}

/// `seconds` of work as a part of the time that passed.
fn over(seconds: f64, elapsed: Duration) -> f64 {
    if elapsed.is_zero() {
        return 0.0;
    }
    seconds / elapsed.as_secs_f64()
}

fn per_second(count: u64, elapsed: Duration) -> i64 {
    let per_second = (u128::from(count) * 1_000).checked_div(elapsed.as_millis());
    i64::try_from(per_second.unwrap_or(0)).unwrap_or(i64::MAX)
}

fn rss_kbyte(own: &SelfProcStats) -> u64 {
    let pages = u64::try_from(own.rss).unwrap_or(0);
    pages.saturating_mul(procfs::page_size() / 1024)
}

/// `/proc/stat` has some hundred bytes per processor; nothing else that is read is longer.
const MAX_LEN: u64 = 4 << 20;
