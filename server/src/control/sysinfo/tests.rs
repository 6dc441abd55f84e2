//! Looks at files of a kernel that the tests write, and at those of the real one.

use std::fs;
use std::path::Path;

use srs_api::ServiceSummary;
use tempfile::TempDir;

use super::*;

/// What a small host has in `/proc`.
fn host() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("self/net")).unwrap();
    fs::create_dir_all(folder.path().join("self/fd")).unwrap();
    for (name, text) in [
        (
            "stat",
            "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 1 1 1\nintr 5\n",
        ),
        ("vmstat", "nr_free_pages 1\npgpgin 1000\npgpgout 2000\n"),
        ("diskstats", DISKSTATS),
        ("meminfo", MEMINFO),
        ("uptime", "350735.47 234388.90\n"),
        ("loadavg", "0.15 1.50 2.25 1/100 4711\n"),
        ("self/stat", SELF_STAT),
        ("self/net/dev", NET_DEV),
        (
            "self/net/sockstat",
            "TCP: inuse 5 orphan 0 tw 3 alloc 7 mem 1\nUDP: inuse 2 mem 0\n",
        ),
        ("self/net/snmp", "Tcp: MaxConn CurrEstab\nTcp: -1 4\n"),
    ] {
        write(folder.path(), name, text);
    }
    folder
}

fn write(proc: &Path, name: &str, text: &str) {
    fs::write(proc.join(name), text).unwrap();
}

/// The time of each round.
fn clock() -> impl Fn(u32) -> Instant {
    let start = Instant::now();
    move |round| start + EVERY * round
}

#[test]
fn every_figure_is_read_from_its_file() {
    let proc = host();
    let mut look = Look::default();
    Sampler::new(proc.path()).sample(0, &["sda".to_owned()], Instant::now(), &mut look);

    assert!(look.own.ok && look.host.ok && look.disk.ok && look.memory.ok);
    assert!(look.platform.ok && look.network.ok && look.sockets.ok && look.rusage.ok);
    assert_eq!(
        (look.own.comm.as_str(), look.own.state.as_str()),
        ("(s) (rs)", "S")
    );
    assert_eq!((look.own.ppid, look.own.utime, look.own.stime), (7, 30, 20));
    assert_eq!(look.own.rsslim, u64::MAX);
    assert_eq!(look.rss_kbyte, 256 * (procfs::page_size() / 1024));
    assert_eq!((look.host.user, look.host.idle), (100, 800));
    assert_eq!(
        (look.memory.mem_total, look.memory.real_in_use),
        (1000, 400)
    );
    assert_eq!(
        (look.memory.percent_ram, look.memory.percent_swap),
        (0.4, 0.25)
    );
    assert_eq!(
        (look.platform.uptime, look.platform.idle),
        (350_735.47, 234_388.9)
    );
    assert_eq!(look.platform.load, [0.15, 1.5, 2.25]);
    // Of the interfaces all but `lo`, those with long names, too.
    assert_eq!(
        (look.network.recv_bytes, look.network.send_bytes),
        (1_100, 2_200)
    );
    let sockets = &look.sockets;
    assert_eq!((sockets.tcp, sockets.established), (10, 4));
    assert_eq!((sockets.time_wait, sockets.udp), (3, 2));
    // There are no rates yet.
    assert_eq!(
        (look.own.percent, look.host.percent, look.disk.busy),
        (0.0, 0.0, 0.0)
    );
    assert_eq!((look.disk.read_kbps, look.disk.write_kbps), (0, 0));
}

#[test]
fn rates_are_between_two_looks() {
    let proc = host();
    let at = clock();
    let disks = ["sda".to_owned(), "nvme0n1".to_owned()];
    let mut sampler = Sampler::new(proc.path());
    let mut look = Look::default();
    sampler.sample(0, &disks, at(0), &mut look);
    write(proc.path(), "stat", "cpu  150 0 125 825 0 0 0 0 0 0\n");
    write(proc.path(), "vmstat", "pgpgin 3999\npgpgout 2000\n");
    write(proc.path(), "diskstats", &DISKSTATS.replace("70", "170"));
    write(
        proc.path(),
        "self/stat",
        &SELF_STAT.replace(" 30 20 ", " 130 20 "),
    );
    sampler.sample(2, &disks, at(2), &mut look);

    assert_eq!(look.host.percent, 0.75);
    // Rounds are three seconds: 100 clock ticks, 2999 KB and 2 × 100 ms in six.
    let ticks = procfs::ticks_per_second() as f64;
    assert_eq!(look.own.percent, 100.0 / ticks / 6.0);
    assert_eq!((look.disk.read_kbps, look.disk.write_kbps), (499, 0));
    assert_eq!(look.disk.busy, 0.2 / 6.0);

    // Other disks have another sum, which says nothing about the time between.
    sampler.sample(4, &disks[..1], at(4), &mut look);
    assert_eq!(look.disk.busy, 0.0);
}

#[test]
fn counters_that_go_back_make_no_rates() {
    let proc = host();
    let at = clock();
    let disks = ["sda".to_owned()];
    let mut sampler = Sampler::new(proc.path());
    let mut look = Look::default();
    sampler.sample(0, &disks, at(0), &mut look);
    write(proc.path(), "stat", "cpu  1 0 1 1\n");
    write(proc.path(), "vmstat", "pgpgin 1\npgpgout 1\n");
    write(proc.path(), "diskstats", &DISKSTATS.replace("70", "1"));
    write(
        proc.path(),
        "self/stat",
        &SELF_STAT.replace(" 30 20 ", " 1 1 "),
    );
    sampler.sample(2, &disks, at(2), &mut look);
    let rates = [look.own.percent, look.host.percent, look.disk.busy];
    assert_eq!(rates, [0.0; 3]);
    assert_eq!((look.disk.read_kbps, look.disk.write_kbps), (0, 0));
}

#[test]
fn what_is_hidden_is_said_to_be_so_and_comes_back() {
    let proc = host();
    let at = clock();
    let mut sampler = Sampler::new(proc.path());
    let mut look = Look::default();
    sampler.sample(0, &[], at(0), &mut look);
    for name in [
        "stat",
        "vmstat",
        "meminfo",
        "uptime",
        "self/net/dev",
        "self/net/snmp",
    ] {
        fs::remove_file(proc.path().join(name)).unwrap();
    }
    write(proc.path(), "self/stat", "nonsense");
    sampler.sample(6, &[], at(6), &mut look);
    assert!(look.rusage.ok, "needs no file");
    assert!(!look.own.ok && !look.host.ok && !look.disk.ok && !look.memory.ok);
    assert!(!look.platform.ok && !look.network.ok && !look.sockets.ok);
    assert_eq!((look.memory.mem_total, look.network.recv_bytes), (0, 0));

    write(proc.path(), "meminfo", MEMINFO);
    sampler.sample(8, &[], at(8), &mut look);
    assert!(look.memory.ok);
}

#[test]
fn each_figure_has_its_cadence() {
    let proc = host();
    let at = clock();
    let mut sampler = Sampler::new(proc.path());
    let mut look = Look::default();
    let mut looks = vec![];
    for round in 0..6 {
        look.memory.ok = false;
        look.platform.ok = false;
        look.host.ok = false;
        sampler.sample(round, &[], at(round), &mut look);
        looks.push((look.host.ok, look.memory.ok, look.platform.ok));
    }
    let every = [true; 6];
    let second = [true, false, true, false, true, false];
    let third = [true, false, false, true, false, false];
    for round in 0..6 {
        let expected = (every[round], second[round], third[round]);
        assert_eq!(looks[round], expected, "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_look_is_at_once_and_is_that_of_the_real_process() {
    let sysinfo = Sysinfo::new();
    let (_sender, config) = watch::channel(Arc::default());
    let folders = || vec![std::env::temp_dir()];
    tokio::select! {
        () = run(sysinfo.clone(), config, folders) => panic!("it ended"),
        () = async {
            while !sysinfo.rusages().ok {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    let mut summaries = Summaries {
        srs: Some(ServiceSummary::default()),
        ..Summaries::default()
    };
    sysinfo.fill(&mut summaries);

    assert!(summaries.rusage_ok && summaries.self_cpu_stat_ok && summaries.cpuinfo_ok);
    assert_eq!(summaries.process.pid, i64::from(std::process::id()));
    assert_eq!(
        summaries.process.ppid,
        i64::from(std::os::unix::process::parent_id())
    );
    assert_eq!(summaries.process.version, env!("CARGO_PKG_VERSION"));
    assert!(
        summaries.process.argv.contains("srs"),
        "{}",
        summaries.process.argv
    );
    assert!(Path::new(&summaries.process.cwd).is_dir());
    assert!(summaries.process.mem_kbyte >= 1_000);
    assert!(summaries.system.cpus >= summaries.system.cpus_online);
    assert!(summaries.system.cpus_online >= 1);
    let srs = summaries.srs.unwrap();
    assert!(srs.rss_kbyte >= 1_000, "{}", srs.rss_kbyte);
    assert!(srs.open_files >= 3 && srs.open_files < srs.max_open_files);
    assert_eq!(sysinfo.self_proc_stats().pid, i64::from(std::process::id()));
}

const MEMINFO: &str = "\
MemTotal:           1000 kB
MemFree:             300 kB
MemAvailable:        500 kB
Buffers:             100 kB
Cached:              200 kB
SwapCached:            0 kB
SwapTotal:           400 kB
SwapFree:            300 kB
";

const DISKSTATS: &str = "   \
8       0 sda 1 2 3 4 5 6 7 8 0 70 99 0 0 0 0
   8       1 sda1 1 2 3 4 5 6 7 8 0 70 99
 259       0 nvme0n1 1 2 3 4 5 6 7 8 0 70 99 0 0 0 0 1 1
";

/// The name of a process may have anything in it.
const SELF_STAT: &str = "42 (s) (rs) S 7 42 42 0 -1 4194304 9 0 0 0 30 20 0 0 20 0 5 0 100 1000000 \
256 18446744073709551615 1 2 3 0 0 0 0 4096 17643 0 0 0 17 1 0 0 0 0 0 1 2 3 4 5 6 7 0\n";

const NET_DEV: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo \
colls carrier compressed
    lo: 9000 1 0 0 0 0 0 0 9000 1 0 0 0 0 0 0
  eth0: 1000 1 0 0 0 0 0 0 2000 1 0 0 0 0 0 0
enp0s31f6: 100 1 0 0 0 0 0 0 200 1 0 0 0 0 0 0
";
