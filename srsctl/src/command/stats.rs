//! `srsctl stats`: figures of the process and its host.

use serde::Serialize;
use srs_api::{Answer, Meminfos, Rusages, SelfProcStats, ServiceSummary, Summaries, SystemSummary};

use super::Error;
use crate::client::Client;
use crate::output::units::{Elapsed, Rate, count, percent};
use crate::output::{Page, Report, Size, Terminal};

/// What the server, the kernel and the host account.
#[derive(Debug, Serialize)]
pub(crate) struct Stats {
    summaries: Answer<Summaries>,
    rusages: Answer<Rusages>,
    /// Not of every server that speaks this API.
    #[serde(skip_serializing_if = "Option::is_none")]
    self_proc_stats: Option<Answer<SelfProcStats>>,
    meminfos: Answer<Meminfos>,
}

/// Asks for all of it.
///
/// # Errors
/// The server does not answer.
pub(crate) async fn run(client: &Client) -> Result<Stats, Error> {
    Ok(Stats {
        summaries: client.summaries().await?,
        rusages: client.rusages().await?,
        self_proc_stats: match client.self_proc_stats().await {
            Ok(answer) => Some(answer),
            Err(error) if error.is_unknown_to_server() => None,
            Err(error) => return Err(error.into()),
        },
        meminfos: client.meminfos().await?,
    })
}

impl Report for Stats {
    fn text(&self, terminal: &Terminal) -> String {
        let mut page = Page::default();
        let summaries = &self.summaries.data;
        if let Some(service) = &summaries.srs {
            add_service(&mut page, service, &summaries.system);
        }
        let rusages = &self.rusages.data;
        let time = match &self.self_proc_stats {
            Some(stats) if stats.data.ok => ticks(&stats.data),
            _ => known(summaries.rusage_ok, || {
                format!("{} s user, {} s kernel", rusages.ru_utime, rusages.ru_stime)
            }),
        };
        add_process(&mut page, summaries, rusages, &time);
        add_host(&mut page, summaries, &self.meminfos.data);
        page.render(terminal)
    }
}

fn add_service(page: &mut Page, service: &ServiceSummary, system: &SystemSummary) {
    let bytes = |bytes: i64| Size(bytes.unsigned_abs());
    page.heading("Service");
    page.add("streams", service.streams);
    page.add(
        "clients",
        format!(
            "{} ({} publish, {} play) of {}",
            service.clients,
            service.publishers,
            service.players,
            count(service.max_connections)
        ),
    );
    page.add(
        "clients so far",
        format!(
            "{}, of which {} were refused or cut off",
            count(service.clients_total),
            count(service.clients_errs_total)
        ),
    );
    let line = |now, packets, in_all, average: i64| {
        let average = Rate(average.unsigned_abs());
        let packets = count(packets);
        format!(
            "{}, {average} on average, {in_all} in {packets} packets",
            Rate(now)
        )
    };
    page.add(
        "received",
        line(
            service.kbps.recv_30s,
            service.recv_packets,
            bytes(system.srs_recv_bytes),
            system.srs_recv_kbps,
        ),
    );
    page.add(
        "sent",
        line(
            service.kbps.send_30s,
            service.send_packets,
            bytes(system.srs_send_bytes),
            system.srs_send_kbps,
        ),
    );
    page.add("drops", format!("{} packets", count(service.drops)));
    page.add("reloads", service.reloads);
}

/// The processor time of the process, to the tenth.
fn ticks(stats: &SelfProcStats) -> String {
    let seconds = |ticks: u64| ticks as f64 / USER_HZ;
    let (user, kernel) = (seconds(stats.utime), seconds(stats.stime));
    format!("{user:.1} s user, {kernel:.1} s kernel")
}

fn add_process(page: &mut Page, summaries: &Summaries, rusages: &Rusages, time: &str) {
    let process = &summaries.process;
    page.heading("Process");
    page.add("pid", format!("{} (parent {})", process.pid, process.ppid));
    page.add("command", &process.argv);
    page.add("in folder", &process.cwd);
    page.add("uptime", Elapsed::seconds(process.srs_uptime));
    page.add(
        "CPU",
        known(summaries.self_cpu_stat_ok, || {
            format!("{} of a core", percent(process.cpu_percent))
        }),
    );
    page.add("CPU time", time);
    page.add("memory", process_memory(summaries));
    if let Some(service) = &summaries.srs {
        page.add("open files", open_files(service));
    }
    let number = |number: i64| count(number.unsigned_abs());
    page.add(
        "page faults",
        known(summaries.rusage_ok, || {
            format!(
                "{} ({} from disk)",
                number(rusages.ru_minflt),
                number(rusages.ru_majflt)
            )
        }),
    );
    page.add(
        "switches",
        known(summaries.rusage_ok, || {
            format!(
                "{} of its own, {} forced",
                number(rusages.ru_nvcsw),
                number(rusages.ru_nivcsw)
            )
        }),
    );
    page.add(
        "disk",
        known(summaries.rusage_ok, || {
            format!(
                "{} blocks read, {} written",
                number(rusages.ru_inblock),
                number(rusages.ru_oublock)
            )
        }),
    );
}

/// What is resident, if the server tells, and the most that was.
fn process_memory(summaries: &Summaries) -> String {
    let process = &summaries.process;
    let most = known(summaries.rusage_ok, || {
        let most = format!("at most {}", memory(process.mem_kbyte));
        // The share is one of the host's memory.
        if summaries.meminfo_ok {
            format!("{most} ({})", percent(process.mem_percent))
        } else {
            most
        }
    });
    match &summaries.srs {
        Some(service) if summaries.rusage_ok => format!("{}, {most}", resident(service)),
        Some(service) => resident(service),
        None => most,
    }
}

fn add_host(page: &mut Page, summaries: &Summaries, meminfos: &Meminfos) {
    let system = &summaries.system;
    page.heading("Host");
    let is_known = summaries.platform_ok;
    page.add(
        "uptime",
        known(is_known, || Elapsed::seconds(system.uptime).to_string()),
    );
    page.add("CPU", processors(summaries));
    page.add(
        "load",
        known(is_known, || {
            format!(
                "{:.2}, {:.2}, {:.2}",
                system.load_1m, system.load_5m, system.load_15m
            )
        }),
    );
    let is_known = summaries.meminfo_ok;
    page.add(
        "memory",
        known(is_known, || {
            format!(
                "{} used of {} ({}), {} cached",
                kibibytes(meminfos.real_in_use),
                kibibytes(meminfos.mem_total),
                percent(meminfos.percent_ram),
                kibibytes(meminfos.cached)
            )
        }),
    );
    page.add(
        "swap",
        known(is_known, || match meminfos.swap_total {
            0 => "none".to_owned(),
            total => format!(
                "{} used of {}",
                percent(meminfos.percent_swap),
                kibibytes(total)
            ),
        }),
    );
    page.add("disks", known(summaries.disk_ok, || disks(system)));
    let bytes = |bytes: i64| Size(bytes.unsigned_abs());
    page.add(
        "network",
        known(summaries.network_ok, || {
            format!(
                "{} received, {} sent",
                bytes(system.net_recv_bytes),
                bytes(system.net_send_bytes)
            )
        }),
    );
    page.add(
        "sockets",
        known(summaries.network_srs_ok, || {
            format!(
                "{} TCP ({} established, {} waiting to be forgotten), {} UDP",
                system.conn_sys, system.conn_sys_et, system.conn_sys_tw, system.conn_sys_udp
            )
        }),
    );
}

/// How busy the host's processors are, and how many there are.
fn processors(summaries: &Summaries) -> String {
    let system = &summaries.system;
    known(summaries.system_cpu_stat_ok, || {
        let busy = percent(system.cpu_percent);
        if summaries.cpuinfo_ok {
            let (online, all) = (system.cpus_online, system.cpus);
            format!("{busy} of {online} processors ({all} configured)")
        } else {
            busy.to_string()
        }
    })
}

/// What is resident. Until the server has looked at itself for the first time it says 0, which no
/// process can have.
pub(super) fn resident(service: &ServiceSummary) -> String {
    known(service.rss_kbyte > 0, || {
        kibibytes(service.rss_kbyte).to_string()
    })
}

/// How many files are open, of how many; the question alone needs one.
pub(super) fn open_files(service: &ServiceSummary) -> String {
    let open = known(service.open_files > 0, || count(service.open_files));
    format!("{open} of {}", count(service.max_open_files))
}

/// The figures of a source that the server could read; the zeros of another are none.
pub(super) fn known(is_known: bool, figures: impl FnOnce() -> String) -> String {
    if is_known {
        figures()
    } else {
        "not known".to_owned()
    }
}

fn disks(system: &SystemSummary) -> String {
    let (read, written) = (
        memory(system.disk_read_kbps),
        memory(system.disk_write_kbps),
    );
    let mut text = format!("{read}/s read, {written}/s written");
    // Where none of them is in stats.disk this is not known, which looks as if they were idle.
    if system.disk_busy_percent > 0.0 {
        text += &format!(", {} busy", percent(system.disk_busy_percent));
    }
    text
}

fn memory(kib: i64) -> Size {
    kibibytes(kib.unsigned_abs())
}

/// An amount of memory, given in KiB.
fn kibibytes(kib: u64) -> Size {
    Size(kib.saturating_mul(1024))
}

/// The kernel counts processor time for programs in ticks of this many a second.
const USER_HZ: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_have_units_and_are_busy_only_where_that_is_known() {
        let mut system = SystemSummary {
            disk_read_kbps: 26_600,
            ..SystemSummary::default()
        };
        assert_eq!(disks(&system), "27.2 MB/s read, 0 B/s written");
        system.disk_busy_percent = 0.05;
        assert_eq!(disks(&system), "27.2 MB/s read, 0 B/s written, 5.0 % busy");
    }

    #[test]
    fn processor_time_has_tenths() {
        let stats = SelfProcStats {
            utime: 1_234,
            stime: 5,
            ..SelfProcStats::default()
        };
        assert_eq!(ticks(&stats), "12.3 s user, 0.1 s kernel");
    }

    #[test]
    fn a_server_that_tells_nothing_breaks_nothing() {
        let answer = |data| Answer {
            code: 0,
            identity: srs_api::Identity::default(),
            data,
        };
        let mut stats = Stats {
            summaries: answer(Summaries::default()),
            rusages: Answer {
                code: 0,
                identity: srs_api::Identity::default(),
                data: Rusages::default(),
            },
            self_proc_stats: None,
            meminfos: Answer {
                code: 0,
                identity: srs_api::Identity::default(),
                data: Meminfos::default(),
            },
        };
        let text = stats.text(&Terminal::NONE);
        assert!(text.starts_with("Process\n"), "{text}");
        assert!(text.contains("\nHost\n"), "{text}");
        stats.summaries.data.srs = Some(ServiceSummary::default());
        assert!(stats.text(&Terminal::NONE).starts_with("Service\n"));
    }

    #[test]
    fn what_the_server_could_not_read_is_not_shown_as_zero() {
        type Flag = fn(&mut Summaries) -> &mut bool;
        let page_of = |summaries: &Summaries| {
            let (rusages, meminfos) = (Rusages::default(), Meminfos::default());
            let mut page = Page::default();
            add_process(&mut page, summaries, &rusages, "");
            add_host(&mut page, summaries, &meminfos);
            page.render(&Terminal::NONE)
        };
        let lines = |summaries: &Summaries| page_of(summaries).matches("not known").count();
        let nothing = Summaries::default();
        assert_eq!(lines(&nothing), 13, "{}", page_of(&nothing));
        // With each source, the lines that are known then.
        let sources: [(Flag, usize); 9] = [
            (|summaries| &mut summaries.rusage_ok, 4),
            (|summaries| &mut summaries.self_cpu_stat_ok, 1),
            (|summaries| &mut summaries.system_cpu_stat_ok, 1),
            (|summaries| &mut summaries.cpuinfo_ok, 0),
            (|summaries| &mut summaries.disk_ok, 1),
            (|summaries| &mut summaries.meminfo_ok, 2),
            (|summaries| &mut summaries.platform_ok, 2),
            (|summaries| &mut summaries.network_ok, 1),
            (|summaries| &mut summaries.network_srs_ok, 1),
        ];
        let mut all = nothing.clone();
        for (index, (flag, known)) in sources.into_iter().enumerate() {
            let mut one = nothing.clone();
            *flag(&mut one) = true;
            assert_eq!(lines(&one), 13 - known, "{index}: {}", page_of(&one));
            *flag(&mut all) = true;
        }
        assert_eq!(lines(&all), 0, "{}", page_of(&all));
    }
}
