//! Whether the clock is right: heartbeats, logs and certificates go by it.

use jiff::Timestamp;

use super::finding::Finding;
use super::host::Host;
use super::read::{self, Root};
use crate::output::units::WallTime;

/// What is known of the clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// Unix milliseconds.
    pub(super) now_ms: i64,
    /// Whether it is set by others, and who says so; `None` if nobody does.
    pub(super) synchronised: Option<(bool, &'static str)>,
    /// Whether the host is a container, whose clock is that of the host around it.
    pub(super) is_containers: bool,
}

impl Clock {
    /// Reads it.
    pub(super) fn read(root: &Root) -> Self {
        Self {
            now_ms: Timestamp::now().as_millisecond(),
            synchronised: synchronised(root),
            is_containers: MARKS.iter().any(|mark| root.has(mark)),
        }
    }
}

/// The kernel knows whether something keeps it right; timedated and chronyd ask it.
fn synchronised(root: &Root) -> Option<(bool, &'static str)> {
    if root.has("/run/systemd/timesync/synchronized") {
        return Some((true, "systemd-timesyncd"));
    }
    let asked = |program: &str, arguments: &[&str]| {
        let program = read::program(program)?;
        read::printed(&program, arguments)
    };
    if root.has("/run/systemd/system") {
        let shown = asked("timedatectl", &["show", "--property=NTPSynchronized"]);
        let told = shown.as_deref().and_then(by_timedatectl);
        if let Some(is_synchronised) = told {
            return Some((is_synchronised, "timedatectl"));
        }
    }
    let told = asked("chronyc", &["-n", "tracking"]);
    Some((by_chronyc(&told?)?, "chronyd"))
}

fn by_timedatectl(shown: &str) -> Option<bool> {
    match shown.trim().strip_prefix("NTPSynchronized=")? {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

fn by_chronyc(shown: &str) -> Option<bool> {
    let leap = shown.lines().find(|line| line.starts_with("Leap status"))?;
    let (_, leap) = leap.split_once(':')?;
    Some(leap.trim() != "Not synchronised")
}

/// Whether it is right, as far as that can be told.
pub(super) fn check(host: &Host) -> Vec<Finding> {
    let clock = host.clock;
    if clock.now_ms < EARLIEST_MS {
        let seen = format!("it is {}: the clock was never set", WallTime(clock.now_ms));
        let finding = Finding::problem(CHECK, "clock-unset", seen);
        return vec![finding.command(SET)];
    }
    let mut findings = Vec::new();
    match clock.synchronised {
        Some((false, _)) | None if clock.is_containers => {
            let seen = "a container: its clock is kept by the host around it";
            findings.push(Finding::note(CHECK, "clock-containers", seen));
        }
        Some((false, by)) => {
            let seen = format!("nothing keeps the clock right ({by} says so)");
            let finding = Finding::warning(CHECK, "clock-unsynchronised", seen);
            findings.push(
                finding
                    .mend("where there is no service for it, install chrony")
                    .command(SET),
            );
        }
        None => {
            let seen = "whether something keeps the clock right cannot be told here";
            findings.push(Finding::note(CHECK, "clock-unknown", seen));
        }
        Some((true, _)) => {}
    }
    let running = host.server.running();
    let skew = running.and_then(|running| running.skew_ms);
    if let Some((skew, error)) = skew
        && skew.saturating_abs().saturating_sub(error) >= FAR_MS
    {
        let way = if skew > 0 { "ahead of" } else { "behind" };
        let seconds = skew.unsigned_abs() as f64 / 1000.0;
        let seen = format!("the clock of the server is {seconds:.1} s {way} that of this host");
        let finding = Finding::warning(CHECK, "clock-skew", seen);
        findings.push(finding.mend("one of them is wrong: see timedatectl on both"));
    }
    if findings.is_empty() {
        let by = clock.synchronised.map_or("", |(_, by)| by);
        let mut seen = format!("kept right ({by} says so)");
        if let Some((skew, error)) = skew {
            seen += &format!(", the server's differs by {skew} ms (± {error})");
        }
        findings.push(Finding::ok(CHECK, seen));
    }
    findings
}

const CHECK: &str = "clock";
/// What systemd, Docker and Podman leave in their containers.
const MARKS: [&str; 3] = [
    "/run/systemd/container",
    "/.dockerenv",
    "/run/.containerenv",
];
const SET: &str = "sudo timedatectl set-ntp true";
/// 2025: before this program was written.
const EARLIEST_MS: i64 = 1_735_689_600_000;
/// A heartbeat that is so far off looks late, or early.
const FAR_MS: i64 = 2_000;

#[cfg(test)]
mod tests {
    use super::super::server::{Running, Server};
    use super::*;

    #[test]
    fn a_clock_is_kept_right_or_should_be() {
        let well = Host::well().clock;
        for (now_ms, synchronised, skew, expected) in [
            (well.now_ms, Some((true, "x")), Some((1, 1)), "clock"),
            (0, Some((true, "x")), None, "clock-unset"),
            (
                well.now_ms,
                Some((false, "x")),
                None,
                "clock-unsynchronised",
            ),
            (well.now_ms, None, None, "clock-unknown"),
            (
                well.now_ms,
                Some((true, "x")),
                Some((-2_500, 3)),
                "clock-skew",
            ),
            (
                well.now_ms,
                Some((true, "x")),
                Some((2_500, 2_000)),
                "clock",
            ),
        ] {
            let running = Running {
                skew_ms: skew,
                ..Running::default()
            };
            let host = Host {
                clock: Clock {
                    now_ms,
                    synchronised,
                    is_containers: false,
                },
                server: Server::Running(Box::new(running)),
                ..Host::well()
            };
            let ids: Vec<_> = check(&host).iter().map(|finding| finding.id).collect();
            assert_eq!(ids, [expected]);
        }
    }

    #[test]
    fn what_programs_say_of_it_is_understood() {
        assert_eq!(by_timedatectl("NTPSynchronized=yes\n"), Some(true));
        assert_eq!(by_timedatectl("NTPSynchronized=no\n"), Some(false));
        assert_eq!(by_timedatectl(""), None);
        let chrony = |leap: &str| format!("Stratum         : 3\nLeap status     : {leap}\n");
        assert_eq!(by_chronyc(&chrony("Normal")), Some(true));
        assert_eq!(by_chronyc(&chrony("Not synchronised")), Some(false));
        assert_eq!(by_chronyc("506 Cannot talk to daemon\n"), None);
    }

    #[test]
    fn timesyncd_leaves_a_mark() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("run/systemd/timesync");
        std::fs::create_dir_all(&mark).unwrap();
        std::fs::write(mark.join("synchronized"), "").unwrap();
        let read = Clock::read(&Root::of(folder.path()));
        assert_eq!(read.synchronised, Some((true, "systemd-timesyncd")));
        assert!(read.now_ms > EARLIEST_MS);
        assert!(!read.is_containers);
    }

    #[test]
    fn a_container_is_not_to_blame_for_its_clock() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("run")).unwrap();
        std::fs::write(folder.path().join("run/.containerenv"), "").unwrap();
        let mut host = Host::well();
        host.clock.is_containers = Clock::read(&Root::of(folder.path())).is_containers;
        host.clock.synchronised = Some((false, "timedatectl"));
        assert_eq!(check(&host)[0].id, "clock-containers");
    }
}
