//! The fields that programs written for SRS 1.0 read: their names and types, one by one.

use anyhow::{Result, ensure};
use serde_json::Value;

use super::Busy;
use super::http::Api;

#[test]
fn every_field_of_srs_is_there_and_of_its_type() -> Result<()> {
    let busy = Busy::start()?;
    let api = Api::of(&busy.srs);
    for (url, place, is_type, names) in FIELDS {
        let answer = api.get(url)?.json()?;
        ensure!(answer["code"] == 0, "{url}: {answer}");
        let object = answer.pointer(place).unwrap_or(&Value::Null);
        for name in names.split_whitespace() {
            let value = &object[name];
            ensure!(is_type(value), "{url}{place}/{name} is {value}");
        }
    }
    Ok(())
}

type IsType = fn(&Value) -> bool;

fn is_int(value: &Value) -> bool {
    value.is_i64() || value.is_u64()
}

const INT: IsType = is_int;
const FLOAT: IsType = Value::is_number;
const TEXT: IsType = Value::is_string;
const BOOL: IsType = Value::is_boolean;
const OBJECT: IsType = Value::is_object;

/// URL, place in the answer, type, names.
const FIELDS: [(&str, &str, IsType, &str); 33] = [
    ("/", "/urls", TEXT, "api"),
    ("/api", "/urls", TEXT, "v1"),
    (
        "/api/v1",
        "/urls",
        TEXT,
        "versions summaries rusages self_proc_stats system_proc_stats meminfos authors requests",
    ),
    ("/api/v1/versions", "/data", INT, "major minor revision"),
    ("/api/v1/versions", "/data", TEXT, "version"),
    (
        "/api/v1/summaries",
        "/data",
        BOOL,
        "rusage_ok self_cpu_stat_ok system_cpu_stat_ok cpuinfo_ok disk_ok meminfo_ok platform_ok \
         network_ok network_srs_ok",
    ),
    ("/api/v1/summaries", "/data", INT, "now_ms"),
    ("/api/v1/summaries", "/data", OBJECT, "self system"),
    ("/api/v1/summaries", "/data/self", TEXT, "version argv cwd"),
    ("/api/v1/summaries", "/data/self", INT, "pid ppid mem_kbyte"),
    (
        "/api/v1/summaries",
        "/data/self",
        FLOAT,
        "mem_percent cpu_percent srs_uptime",
    ),
    (
        "/api/v1/summaries",
        "/data/system",
        FLOAT,
        "cpu_percent disk_busy_percent mem_ram_percent mem_swap_percent uptime ilde_time load_1m \
         load_5m load_15m",
    ),
    (
        "/api/v1/summaries",
        "/data/system",
        INT,
        "disk_read_KBps disk_write_KBps mem_ram_kbyte mem_swap_kbyte cpus cpus_online \
         net_sample_time net_recv_bytes net_send_bytes srs_sample_time srs_recv_bytes \
         srs_recv_kbps srs_send_bytes srs_send_kbps conn_sys conn_sys_et conn_sys_tw conn_sys_udp \
         conn_srs",
    ),
    ("/api/v1/rusages", "/data", BOOL, "ok"),
    (
        "/api/v1/rusages",
        "/data",
        INT,
        "sample_time ru_utime ru_stime ru_maxrss ru_ixrss ru_idrss ru_isrss ru_minflt ru_majflt \
         ru_nswap ru_inblock ru_oublock ru_msgsnd ru_msgrcv ru_nsignals ru_nvcsw ru_nivcsw",
    ),
    ("/api/v1/self_proc_stats", "/data", BOOL, "ok"),
    ("/api/v1/self_proc_stats", "/data", FLOAT, "percent"),
    ("/api/v1/self_proc_stats", "/data", TEXT, "comm state"),
    (
        "/api/v1/self_proc_stats",
        "/data",
        INT,
        "sample_time pid ppid pgrp session tty_nr tpgid flags minflt cminflt majflt cmajflt utime \
         stime cutime cstime priority nice num_threads itrealvalue starttime vsize rss rsslim \
         startcode endcode startstack kstkesp kstkeip signal blocked sigignore sigcatch wchan \
         nswap cnswap exit_signal processor rt_priority policy delayacct_blkio_ticks guest_time \
         cguest_time",
    ),
    ("/api/v1/system_proc_stats", "/data", BOOL, "ok"),
    ("/api/v1/system_proc_stats", "/data", FLOAT, "percent"),
    (
        "/api/v1/system_proc_stats",
        "/data",
        INT,
        "sample_time user nice sys idle iowait irq softirq steal guest",
    ),
    ("/api/v1/meminfos", "/data", BOOL, "ok"),
    (
        "/api/v1/meminfos",
        "/data",
        FLOAT,
        "percent_ram percent_swap",
    ),
    (
        "/api/v1/meminfos",
        "/data",
        INT,
        "sample_time MemActive RealInUse NotInUse MemTotal MemFree Buffers Cached SwapTotal \
         SwapFree",
    ),
    (
        "/api/v1/authors",
        "/data",
        TEXT,
        "primary_authors contributors_link contributors",
    ),
    ("/api/v1/requests", "/data", TEXT, "uri path METHOD"),
    ("/api/v1/requests", "/data", OBJECT, "headers server"),
    (
        "/api/v1/requests",
        "/data/server",
        TEXT,
        "sigature name version link",
    ),
    ("/api/v1/requests", "/data/server", INT, "time"),
    // What later versions of SRS add to every answer, and to errors.
    ("/api/v1/versions", "", TEXT, "server service pid"),
    ("/api/v1/requests", "", TEXT, "server service pid"),
    ("/api/v1/servers", "", INT, "code"),
];
