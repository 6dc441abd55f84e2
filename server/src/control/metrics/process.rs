//! The process, under the names that Prometheus's own libraries give to it, and its traffic.

use rustix::param::{clock_ticks_per_second, page_size};
use srs_api::Summaries;

use super::family::{Families, millis, number};
use crate::service::Service;

pub(super) fn add(families: &mut Families, service: &Service, summaries: &Summaries) {
    families
        .gauge(
            "srs_build_info",
            "The version that runs; the value is always 1.",
        )
        .with(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    families
        .gauge(
            "process_start_time_seconds",
            "When the process began, in Unix seconds.",
        )
        .is(millis(service.started_ms));

    let stat = service.sysinfo.self_proc_stats();
    if stat.ok {
        families
            .counter(
                "process_cpu_seconds_total",
                "Processor time, in user mode and in the kernel.",
            )
            .is(number(stat.utime + stat.stime) / number(clock_ticks_per_second()));
        families
            .gauge("process_virtual_memory_bytes", "Virtual memory.")
            .is(number(stat.vsize));
        families
            .gauge("process_resident_memory_bytes", "Resident memory.")
            .is(number(stat.rss) * number(page_size()));
        families
            .gauge("process_threads", "Threads.")
            .is(number(stat.num_threads));
    }
    if let Some(state) = summaries
        .srs
        .as_ref()
        .filter(|state| state.max_open_files > 0)
    {
        families
            .gauge("process_open_fds", "Files and sockets that are open.")
            .is(number(state.open_files));
        families
            .gauge("process_max_fds", "Files and sockets that may be open.")
            .is(number(state.max_open_files));
    }
    families
        .counter(
            "srs_receive_bytes_total",
            "Bytes received from RTMP clients.",
        )
        .is(number(summaries.system.srs_recv_bytes));
    families
        .counter("srs_send_bytes_total", "Bytes sent to RTMP clients.")
        .is(number(summaries.system.srs_send_bytes));
}
