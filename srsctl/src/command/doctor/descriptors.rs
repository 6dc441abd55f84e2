//! How many files and sockets the server may have open.

use procfs::FromBufRead as _;
use procfs::process::{LimitValue, Limits};
use rustix::process::{Resource, getrlimit};
use srs_config::Config;

use super::finding::Finding;
use super::host::Host;
use super::read::Root;
use super::units::SERVICE;
use crate::output::units::count;

/// What applies to a server that is started, where none runs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limit {
    /// Of the process that runs, if it can be read.
    pub(super) of_server: Option<u64>,
    /// Of the system's manager, where it may not go beyond that, as in many containers: it cannot
    /// give a service more.
    pub(super) of_manager: Option<u64>,
    /// Of whoever asks: what a server has that is started here, as it claims the hard limit.
    pub(super) of_shell: u64,
}

impl Limit {
    /// Reads it. `pid` is the server's.
    pub(super) fn read(root: &Root, pid: Option<u32>) -> Self {
        let limits = |pid: u32| {
            let file = root.lines(&format!("/proc/{pid}/limits")).ok()?;
            Some(Limits::from_buf_read(file).ok()?.max_open_files)
        };
        let of_server = pid.and_then(|pid| Some(number(limits(pid)?.soft_limit)));
        let of_manager = may_not_raise(root)
            .then(|| Some(number(limits(1)?.hard_limit)))
            .flatten();
        let of_shell = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
        Self {
            of_server,
            of_manager,
            of_shell,
        }
    }
}

fn number(limit: LimitValue) -> u64 {
    match limit {
        LimitValue::Value(most) => most,
        LimitValue::Unlimited => u64::MAX,
    }
}

/// Whether the kernel holds the system's manager to its own hard limit: it lacks `CAP_SYS_RESOURCE`,
/// or has it over its container's users alone. `false` if that cannot be told.
fn may_not_raise(root: &Root) -> bool {
    let status = root.text("/proc/1/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    let users = root.numbers("/proc/1/uid_map");
    let is_contained = !users.is_empty() && users != ALL_USERS;
    is_contained || effective.is_some_and(|bits| bits & CAP_SYS_RESOURCE == 0)
}

/// Whether there are enough for the connections that are configured.
pub(super) fn check(host: &Host) -> Vec<Finding> {
    let config = &host.configuration.config;
    let reserve = config.http_api.reserved_descriptors();
    let most = config.max_connections as u64;
    let needed = most.saturating_add(reserve);
    let Has { limit, open, what } = has(host);
    let mut findings = Vec::new();
    if limit < needed {
        let seen = format!(
            "{what} {} open files; {} connections and {reserve} of its own need {}",
            figure(limit),
            count(most),
            count(needed)
        );
        let connections = limit.saturating_sub(reserve);
        // A number that somebody wrote must fit; the default gives way.
        let is_default = config.max_connections == Config::default().max_connections;
        let finding = if is_default && connections > 0 {
            let seen = format!("{seen}: client {} is refused", count(connections + 1));
            Finding::warning(CHECK, "descriptors-few", seen)
        } else {
            let seen = format!("{seen}: srs does not start so");
            Finding::problem(CHECK, "descriptors-too-few", seen)
        };
        findings.push(mended(finding, host, needed));
    }
    if let Some(open) = open.filter(|open| open.saturating_mul(10) >= limit.saturating_mul(9)) {
        let seen = format!("{} of {} files are open", count(open), figure(limit));
        let finding = Finding::warning(CHECK, "descriptors-scarce", seen);
        findings.push(mended(finding, host, limit.saturating_mul(2)));
    }
    if findings.is_empty() {
        let seen = format!(
            "{what} {} open files; {} connections and {reserve} of its own need {}",
            figure(limit),
            count(most),
            count(needed)
        );
        findings.push(Finding::ok(CHECK, seen));
    }
    findings
}

/// How many a server has.
struct Has {
    limit: u64,
    /// How many are open.
    open: Option<u64>,
    what: &'static str,
}

fn has(host: &Host) -> Has {
    let running = host.server.here();
    let service = running.and_then(|running| running.service.as_ref());
    let told = service.map(|it| (it.max_open_files, it.open_files));
    if let Some((limit, open)) = told.filter(|(limit, _)| *limit > 0) {
        return Has {
            limit,
            open: Some(open),
            what: "the server may have",
        };
    }
    if let Some(limit) = host.descriptors.of_server {
        return Has {
            limit,
            open: None,
            what: "the server may have",
        };
    }
    let unit = host.systemd.unit(SERVICE).map(|it| it.get("LimitNOFILE"));
    match unit.filter(|limit| !limit.is_empty()) {
        Some(limit) => {
            // "infinity" is no number.
            let limit = limit.parse().unwrap_or(u64::MAX);
            match host.descriptors.of_manager.filter(|most| *most < limit) {
                Some(most) => Has {
                    limit: most,
                    open: None,
                    what: "srs.service allows more than systemd itself may give here, which is",
                },
                None => Has {
                    limit,
                    open: None,
                    what: "srs.service allows",
                },
            }
        }
        None => Has {
            limit: host.descriptors.of_shell,
            open: None,
            what: "a server started from here may have",
        },
    }
}

fn mended(finding: Finding, host: &Host, needed: u64) -> Finding {
    if needed > MOST {
        return finding.mend(
            "lower max_connections: few kernels give a process more than 1048576 (fs.nr_open)",
        );
    }
    if host
        .descriptors
        .of_manager
        .is_some_and(|most| most < needed)
    {
        let mend = "raise the limit of whatever runs this container, or lower max_connections";
        return finding.mend(mend);
    }
    if host.systemd.unit(SERVICE).is_some() {
        let mend = format!("put LimitNOFILE={needed} below [Service], or lower max_connections");
        finding
            .mend(mend)
            .command("sudo systemctl edit srs.service")
            .command("sudo systemctl restart srs.service")
    } else {
        finding
            .mend("raise the limit before srs is started, or lower max_connections")
            .command(format!("ulimit -n {needed}"))
    }
}

fn figure(limit: u64) -> String {
    match limit {
        u64::MAX => "any number of".to_owned(),
        limit => count(limit),
    }
}

const CHECK: &str = "descriptors";
/// The bit of the capability to go beyond a hard limit.
const CAP_SYS_RESOURCE: u64 = 1 << 24;
/// The `uid_map` of a process that is in no user namespace.
const ALL_USERS: [u64; 3] = [0, 0, 4_294_967_295];
/// fs.nr_open, unless somebody has raised it.
const MOST: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use srs_api::ServiceSummary;

    use super::super::config::Configuration;
    use super::super::server::{Running, Server};
    use super::super::units::Systemd;
    use super::*;

    fn ids(host: &Host) -> Vec<&'static str> {
        check(host).iter().map(|finding| finding.id).collect()
    }

    fn reserve() -> u64 {
        Config::default().http_api.reserved_descriptors()
    }

    fn configured(max_connections: usize) -> Configuration {
        let mut configuration = Host::well().configuration;
        configuration.config.max_connections = max_connections;
        configuration
    }

    #[test]
    fn what_a_unit_gives_must_do() {
        let reserve = reserve();
        let limit = |connections: u64| (connections + reserve).to_string();
        for (limit, most, expected) in [
            (limit(1_000_000), 10_000, "descriptors"),
            (limit(10_000), 10_000, "descriptors"),
            (limit(9_999), 10_000, "descriptors-few"),
            (limit(9_999), 10_001, "descriptors-too-few"),
            (limit(0), 10_000, "descriptors-too-few"),
            ("infinity".into(), 1_000_000, "descriptors"),
        ] {
            let shown = format!("Id=srs.service\nLoadState=loaded\nLimitNOFILE={limit}\n");
            let host = Host {
                systemd: Systemd::of(&shown),
                configuration: configured(most),
                ..Host::well()
            };
            assert_eq!(ids(&host), [expected], "{limit} {most}");
        }
    }

    #[test]
    fn a_unit_gives_no_more_than_systemd_has() {
        let shown = "Id=srs.service\nLoadState=loaded\nLimitNOFILE=1048576\n";
        let of = |most| {
            let mut host = Host {
                systemd: Systemd::of(shown),
                ..Host::well()
            };
            host.descriptors.of_manager = Some(most);
            check(&host).remove(0)
        };
        let few = of(4096);
        assert_eq!(few.id, "descriptors-few");
        assert!(few.seen.contains("which is 4,096 open files"), "{few:?}");
        assert!(few.mend.unwrap().contains("container") && few.commands.is_empty());
        assert!(
            of(20_000)
                .seen
                .contains("which is 20,000 open files; 10,000")
        );
        assert!(
            of(1 << 21)
                .seen
                .starts_with("srs.service allows 1,048,576 open files;")
        );
    }

    #[test]
    fn who_may_raise_limits_is_known_by_capability_and_namespace() {
        let all = "         0          0 4294967295\n";
        for (status, users, expected) in [
            ("CapEff:\t000001ffffffffff\n", all, None),
            ("CapEff:\t00000000fcecbfff\n", all, Some(20_000)),
            (
                "CapEff:\t000001ffffffffff\n",
                "         0     100000      65536\n",
                Some(20_000),
            ),
            ("", "", None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let process = folder.path().join("proc/1");
            std::fs::create_dir_all(&process).unwrap();
            let own = std::fs::read_to_string("/proc/self/limits").unwrap();
            let lines = own.lines().map(|line| {
                if line.starts_with("Max open files") {
                    "Max open files            1024                 20000                files"
                } else {
                    line
                }
            });
            let limits = lines.collect::<Vec<_>>().join("\n");
            std::fs::write(process.join("limits"), limits).unwrap();
            std::fs::write(process.join("status"), status).unwrap();
            std::fs::write(process.join("uid_map"), users).unwrap();
            let limit = Limit::read(&Root::of(folder.path()), None);
            assert_eq!(limit.of_manager, expected, "{status} {users}");
        }
    }

    #[test]
    fn what_the_server_has_counts_before_all() {
        let running = |open_files, max_open_files| {
            let service = ServiceSummary {
                open_files,
                max_open_files,
                ..ServiceSummary::default()
            };
            Host {
                server: Server::Running(Box::new(Running {
                    is_local: true,
                    service: Some(service),
                    ..Running::default()
                })),
                ..Host::well()
            }
        };
        assert_eq!(ids(&running(40, 20_000)), ["descriptors"]);
        assert_eq!(ids(&running(18_000, 20_000)), ["descriptors-scarce"]);
        assert_eq!(ids(&running(40, 1024)), ["descriptors-few"]);
        let finding = check(&running(40, 1024)).remove(0);
        let needed = 10_000 + reserve();
        assert_eq!(finding.commands, [format!("ulimit -n {needed}")]);
        let refused = format!("client {} is refused", 1024 - reserve() + 1);
        assert!(finding.seen.contains(&refused), "{finding:?}");
        let well = check(&running(40, 20_000)).remove(0).seen;
        assert!(
            well.starts_with("the server may have 20,000 open files;"),
            "{well}"
        );
    }

    #[test]
    fn the_limit_of_a_process_is_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("proc/7")).unwrap();
        let own = std::fs::read_to_string("/proc/self/limits").unwrap();
        let lines = own.lines().map(|line| {
            if line.starts_with("Max open files") {
                "Max open files            4096                 524288               files"
            } else {
                line
            }
        });
        let text = lines.collect::<Vec<_>>().join("\n");
        std::fs::write(folder.path().join("proc/7/limits"), text).unwrap();
        let root = Root::of(folder.path());
        assert_eq!(Limit::read(&root, Some(7)).of_server, Some(4096));
        assert_eq!(Limit::read(&root, Some(8)).of_server, None);
    }
}
