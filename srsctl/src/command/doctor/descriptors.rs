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
    /// Of whoever asks: what a server has that is started here, as it claims the hard limit.
    pub(super) of_shell: u64,
}

impl Limit {
    /// Reads it. `pid` is the server's.
    pub(super) fn read(root: &Root, pid: Option<u32>) -> Self {
        let of_server = pid.and_then(|pid| {
            let file = root.lines(&format!("/proc/{pid}/limits")).ok()?;
            let limits = Limits::from_buf_read(file).ok()?;
            Some(match limits.max_open_files.soft_limit {
                LimitValue::Value(most) => most,
                LimitValue::Unlimited => u64::MAX,
            })
        });
        let of_shell = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
        Self {
            of_server,
            of_shell,
        }
    }
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
        Some(limit) => Has {
            // "infinity" is no number.
            limit: limit.parse().unwrap_or(u64::MAX),
            open: None,
            what: "srs.service allows",
        },
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
