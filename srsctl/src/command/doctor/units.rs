//! What systemd says of the units.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use srs_config::ListenAddr;

use super::finding::Finding;
use super::host::Host;
use super::read::{self, Root};
use crate::output::units::plural;

/// What is known of the units.
#[derive(Clone, Debug, Default)]
pub(super) enum Systemd {
    /// Something else runs this host.
    #[default]
    Absent,
    /// It does not answer.
    Silent,
    /// Properties by unit.
    Units(BTreeMap<String, Unit>),
}

/// The properties of a unit by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Unit(BTreeMap<String, Vec<String>>);

impl Systemd {
    /// Asks systemd, where it runs.
    pub(super) fn read(root: &Root) -> Self {
        // As sd_booted(3) tells it.
        if !root.has("/run/systemd/system") {
            return Self::Absent;
        }
        let properties = format!("--property={PROPERTIES}");
        let show = ["show", "--no-pager", &properties];
        let arguments = [&show[..], &[SERVICE, SOCKET, API, HTTP, FIREWALLD]].concat();
        let shown = read::program("systemctl").and_then(|it| read::printed(&it, &arguments));
        shown.map_or(Self::Silent, |shown| Self::of(&shown))
    }

    /// From what `systemctl show` prints: a block a unit.
    pub(super) fn of(shown: &str) -> Self {
        let blocks = shown.split("\n\n").map(|block| {
            let mut unit = Unit::default();
            for (name, value) in block.lines().filter_map(|line| line.split_once('=')) {
                let values = unit.0.entry(name.to_owned()).or_default();
                values.push(value.to_owned());
            }
            (unit.get("Id").to_owned(), unit)
        });
        Self::Units(blocks.filter(|(id, _)| !id.is_empty()).collect())
    }

    /// The unit, if it is installed.
    pub(super) fn unit(&self, name: &str) -> Option<&Unit> {
        match self {
            Self::Units(units) => units.get(name).filter(|unit| unit.is_installed()),
            Self::Absent | Self::Silent => None,
        }
    }

    /// The socket unit, if it is installed and may be used.
    pub(super) fn socket(&self, name: &str) -> Option<&Unit> {
        self.unit(name)
            .filter(|unit| unit.get("LoadState") == "loaded")
    }

    /// The unit of ours that listens at `port` for whoever comes, if systemd holds it now.
    pub(super) fn socket_at(&self, port: u16) -> Option<&'static str> {
        SOCKETS.into_iter().find(|name| {
            let mut addresses = self.passed(name);
            addresses.any(|address| address.port() == port)
        })
    }

    /// The TCP addresses that systemd was to hold by that socket unit, and does not, as it failed.
    pub(super) fn missed(&self, name: &str) -> impl Iterator<Item = ListenAddr> {
        let unit = self.unit(name).filter(|unit| unit.has_failed());
        unit.into_iter().flat_map(Unit::addresses)
    }

    /// The TCP addresses that systemd holds by that socket unit, and passes on.
    pub(super) fn passed(&self, name: &str) -> impl Iterator<Item = ListenAddr> {
        let unit = self.unit(name).filter(|unit| unit.is_active());
        unit.into_iter().flat_map(Unit::addresses)
    }

    /// The unix sockets that systemd holds by that socket unit, and passes on.
    pub(super) fn passed_paths(&self, name: &str) -> impl Iterator<Item = &Path> {
        let unit = self.unit(name).filter(|unit| unit.is_active());
        unit.into_iter().flat_map(Unit::paths)
    }
}

impl Unit {
    /// The value of a property; nothing if it has none.
    pub(super) fn get(&self, name: &str) -> &str {
        let values = self.0.get(name).map(Vec::as_slice);
        values
            .and_then(<[_]>::first)
            .map(String::as_str)
            .unwrap_or_default()
    }

    fn is_installed(&self) -> bool {
        !matches!(self.get("LoadState"), "" | "not-found")
    }

    /// Whether it runs, or listens.
    pub(super) fn is_active(&self) -> bool {
        matches!(self.get("ActiveState"), "active" | "reloading")
    }

    /// Whether it was to run, or to listen, and could not.
    pub(super) fn has_failed(&self) -> bool {
        self.get("ActiveState") == "failed"
    }

    /// Its process; `None` if it has none.
    pub(super) fn main_pid(&self) -> Option<u32> {
        self.get("MainPID").parse().ok().filter(|pid| *pid > 0)
    }

    /// Where its process starts, and relative paths begin.
    pub(super) fn folder(&self) -> PathBuf {
        // With a mark if it need not be there; empty if nothing is said.
        let folder = self.get("WorkingDirectory").trim_start_matches('!');
        let folder = Path::new(folder);
        if folder.is_absolute() {
            folder.to_owned()
        } else {
            "/".into()
        }
    }

    /// The TCP addresses that a socket unit has: `[::]:1935 (Stream)`.
    fn addresses(&self) -> impl Iterator<Item = ListenAddr> {
        let is_dual = self.get("BindIPv6Only") != "ipv6-only";
        let addresses = self.streams();
        addresses.filter_map(move |address| {
            let address: SocketAddr = address.parse().ok()?;
            let is_all = address.ip().is_unspecified() && address.is_ipv6() && is_dual;
            Some(if is_all {
                ListenAddr::any(address.port())
            } else {
                address.into()
            })
        })
    }

    /// The paths of the unix sockets that a socket unit has.
    fn paths(&self) -> impl Iterator<Item = &Path> {
        self.streams().map(Path::new).filter(|it| it.is_absolute())
    }

    /// `Listen=[::]:1935 (Stream)`; systemd 237 and older print `ListenStream=[::]:1935`.
    fn streams(&self) -> impl Iterator<Item = &str> {
        let values = |name| self.0.get(name).into_iter().flatten();
        let new = values("Listen").filter_map(|listen| listen.strip_suffix(" (Stream)"));
        new.chain(values("ListenStream").map(String::as_str))
    }
}

/// Whether the units are as they should be.
pub(super) fn check(host: &Host) -> Vec<Finding> {
    match &host.systemd {
        Systemd::Absent => {
            let seen = "systemd does not run this host: no unit was looked at";
            return vec![Finding::note(CHECK, "no-systemd", seen)];
        }
        Systemd::Silent => {
            let seen = "systemctl does not answer: no unit was looked at";
            let finding = Finding::warning(CHECK, "systemd-silent", seen);
            return vec![finding.command("systemctl show srs.service")];
        }
        Systemd::Units(_) => {}
    }
    let Some(service) = host.systemd.unit(SERVICE) else {
        let seen = "srs.service is not installed: nothing starts srs after a reboot";
        let finding = Finding::note(CHECK, "unit-missing", seen);
        return vec![
            finding.mend("install the package srs, or start srs by what runs your services"),
        ];
    };
    let mut findings = Vec::new();
    findings.extend(state(service, host));
    findings.extend(sockets(service, host));
    if service.get("NeedDaemonReload") == "yes" {
        let seen = "the files of srs.service have changed since systemd read them";
        let finding = Finding::warning(CHECK, "unit-changed", seen);
        findings.push(finding.command("sudo systemctl daemon-reload"));
    }
    if service.get("UnitFileState") == "disabled" && service.is_active() {
        let seen = "srs.service runs, but is disabled: a reboot ends it";
        let finding = Finding::warning(CHECK, "unit-disabled", seen);
        findings.push(finding.command("sudo systemctl enable srs.service"));
    }
    let restarts = restarts(service);
    if restarts > 0 && service.is_active() {
        let times = plural(restarts, "time");
        let seen = format!("systemd has restarted srs {times} since it was started");
        let finding = Finding::note(CHECK, "unit-restarted", seen);
        findings.push(finding.command("journalctl -u srs -p warning -n 50"));
    }
    if findings.is_empty() {
        let told = [SERVICE, SOCKET, API].into_iter().filter_map(|name| {
            let unit = host.systemd.unit(name)?;
            Some(format!("{name} {}", unit.get("ActiveState")))
        });
        findings.push(Finding::ok(CHECK, told.collect::<Vec<_>>().join(", ")));
    }
    findings
}

/// Whether the service runs as it should.
fn state(service: &Unit, host: &Host) -> Option<Finding> {
    if service.get("LoadState") == "masked" {
        let seen = "srs.service is masked: it cannot be started";
        let finding = Finding::warning(CHECK, "unit-masked", seen);
        return Some(finding.command("sudo systemctl unmask srs.service"));
    }
    if !matches!(service.get("LoadState"), "loaded") {
        let seen = format!("srs.service cannot be used: {}", service.get("LoadState"));
        let finding = Finding::problem(CHECK, "unit-broken", seen);
        return Some(finding.command("systemd-analyze verify srs.service"));
    }
    match service.get("ActiveState") {
        "failed" => Some(failure(service, host)),
        "inactive" => {
            let waits = host.systemd.unit(SOCKET).is_some_and(Unit::is_active);
            (!waits && !host.server.is_here()).then(|| {
                let seen = "srs.service is installed and does not run";
                let finding = Finding::warning(CHECK, "unit-inactive", seen);
                // The systemd of CentOS 7 has no `enable --now`.
                finding.command("sudo systemctl enable srs && sudo systemctl start srs")
            })
        }
        "activating" if service.get("SubState") == "auto-restart" => {
            let ended = ended(service);
            let seen = match restarts(service) {
                0 => format!("srs.service has ended ({ended}), and is about to be started again"),
                restarts => format!(
                    "srs.service ends again and again ({ended}; {} so far)",
                    plural(restarts, "restart")
                ),
            };
            let finding = Finding::problem(CHECK, "unit-restarting", seen);
            Some(finding.command("journalctl -u srs -n 50"))
        }
        _ => None,
    }
}

/// Why a service has failed, and how it runs again.
fn failure(service: &Unit, host: &Host) -> Finding {
    let sockets = SOCKETS.into_iter().filter(|name| {
        let unit = host.systemd.unit(name);
        unit.is_some_and(Unit::has_failed)
    });
    let failed: Vec<_> = [SERVICE].into_iter().chain(sockets).collect();
    let again = format!(
        "sudo systemctl reset-failed {} && sudo systemctl start {SERVICE}",
        failed.join(" ")
    );
    if service.get("ExecMainStatus") == INVALID {
        let seen = "srs.service has failed: its configuration is not valid (exit status 78)";
        let finding = Finding::problem(CHECK, "unit-failed-configuration", seen);
        return finding.command("sudo srs -t").command(again);
    }
    let (id, seen) = match service.get("Result") {
        "start-limit-hit" => (
            "unit-start-limit",
            format!(
                "srs.service ended so often that systemd has given up ({})",
                ended(service)
            ),
        ),
        "watchdog" => (
            "unit-failed-watchdog",
            "srs.service was ended by the watchdog: it hung".to_owned(),
        ),
        "oom-kill" => (
            "unit-failed-memory",
            "srs.service was ended by the kernel: the memory was used up".to_owned(),
        ),
        // The limit itself is the result only of a start that never got so far.
        _ if restarts(service) > 0 => (
            "unit-start-limit",
            format!(
                "srs.service has failed ({}) after {}: systemd has given up",
                ended(service),
                plural(restarts(service), "restart")
            ),
        ),
        _ => (
            "unit-failed",
            format!("srs.service has failed ({})", ended(service)),
        ),
    };
    Finding::problem(CHECK, id, seen)
        .command("journalctl -u srs -n 50")
        .command(again)
}

/// The sockets that systemd does not hold, though it was to. The daemon starts without them, and
/// listens where its configuration alone would have it.
fn sockets(service: &Unit, host: &Host) -> Vec<Finding> {
    let failed = SOCKETS.into_iter().filter_map(|name| {
        let unit = host.systemd.unit(name).filter(|unit| unit.has_failed())?;
        Some((name, unit))
    });
    // What starts a service that has failed starts the sockets that failed with it.
    let failed = failed.filter(|(_, unit)| !(service.has_failed() && is_services(unit)));
    failed
        .map(|(name, unit)| socket_failure(name, unit, service))
        .collect()
}

fn socket_failure(name: &str, unit: &Unit, service: &Unit) -> Finding {
    let result = unit.get("Result");
    let listen = unit.streams().collect::<Vec<_>>().join(" and ");
    let why = match result {
        "resources" if !listen.is_empty() => {
            format!("systemd could not listen at {listen} (result resources)")
        }
        result if is_services(unit) => {
            format!("srs.service could not be started for it (result {result})")
        }
        result => format!("result {result}"),
    };
    let runs = if service.is_active() {
        "; srs runs without it"
    } else {
        ""
    };
    let seen = format!("{name} has failed: {why}{runs}");
    let finding = Finding::problem(CHECK, "unit-socket-failed", seen);
    let finding = if result == "resources" {
        finding.mend(
            "free the address, of which ports and the journal tell who has it; then have systemd \
             open it before srs starts",
        )
    } else {
        finding
    };
    // A socket cannot be started while its service runs.
    finding
        .command(format!("journalctl -u {name} -n 20"))
        .command(format!(
            "sudo systemctl reset-failed {name} && sudo systemctl restart {}",
            if name == HTTP {
                format!("{HTTP} {SERVICE}")
            } else {
                SERVICE.to_owned()
            }
        ))
}

/// Whether a socket failed for its service alone.
fn is_services(socket: &Unit) -> bool {
    matches!(
        socket.get("Result"),
        "service-start-limit-hit" | "service-failed-permanent"
    )
}

/// How often systemd has started it again.
fn restarts(service: &Unit) -> usize {
    service.get("NRestarts").parse().unwrap_or(0)
}

/// How it ended.
fn ended(service: &Unit) -> String {
    match (service.get("Result"), service.get("ExecMainStatus")) {
        (result, "" | "0") => format!("result {result}"),
        (result @ ("signal" | "core-dump"), signal) => format!("result {result}, signal {signal}"),
        (result, status) => format!("result {result}, exit status {status}"),
    }
}

const CHECK: &str = "units";
/// The daemon.
pub(super) const SERVICE: &str = "srs.service";
/// Its RTMP port.
pub(super) const SOCKET: &str = "srs.socket";
/// Its API's socket.
pub(super) const API: &str = "srs-api.socket";
/// The port of HTTP delivery.
pub(super) const HTTP: &str = "srs-http.socket";
/// All of ours that listen.
pub(super) const SOCKETS: [&str; 3] = [SOCKET, API, HTTP];
/// Not ours, and asked for in the same question.
pub(super) const FIREWALLD: &str = "firewalld.service";
/// The exit status of a server whose configuration is wrong.
const INVALID: &str = "78";
const PROPERTIES: &str = "Id,LoadState,ActiveState,SubState,UnitFileState,Result,ExecMainStatus,\
                          NRestarts,NeedDaemonReload,LimitNOFILE,Listen,ListenStream,BindIPv6Only,\
                          MainPID,WorkingDirectory";

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    fn seen(shown: &str) -> Vec<(&'static str, String)> {
        let host = Host {
            systemd: Systemd::of(shown),
            ..Host::well()
        };
        let findings = check(&host);
        findings.into_iter().map(|it| (it.id, it.seen)).collect()
    }

    #[test]
    fn the_state_of_the_service_is_told() {
        let cases = [
            ("LoadState=not-found\nActiveState=inactive", "unit-missing"),
            ("LoadState=masked\nActiveState=inactive", "unit-masked"),
            ("LoadState=bad-setting", "unit-broken"),
            ("LoadState=loaded\nActiveState=inactive", "unit-inactive"),
            (
                "LoadState=loaded\nActiveState=failed\nResult=start-limit-hit\nExecMainStatus=1",
                "unit-start-limit",
            ),
            (
                "LoadState=loaded\nActiveState=failed\nResult=exit-code\nExecMainStatus=1\n\
                 NRestarts=5",
                "unit-start-limit",
            ),
            (
                "LoadState=loaded\nActiveState=failed\nResult=exit-code\nExecMainStatus=78",
                "unit-failed-configuration",
            ),
            (
                "LoadState=loaded\nActiveState=failed\nResult=watchdog",
                "unit-failed-watchdog",
            ),
            (
                "LoadState=loaded\nActiveState=failed\nResult=oom-kill",
                "unit-failed-memory",
            ),
            (
                "LoadState=loaded\nActiveState=failed\nResult=signal\nExecMainStatus=11",
                "unit-failed",
            ),
            (
                "LoadState=loaded\nActiveState=activating\nSubState=auto-restart\nNRestarts=3",
                "unit-restarting",
            ),
            (
                "LoadState=loaded\nActiveState=active\nNeedDaemonReload=yes",
                "unit-changed",
            ),
            (
                "LoadState=loaded\nActiveState=active\nUnitFileState=disabled",
                "unit-disabled",
            ),
            (
                "LoadState=loaded\nActiveState=active\nNRestarts=2",
                "unit-restarted",
            ),
            (
                "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nNRestarts=0",
                "units",
            ),
        ];
        for (properties, id) in cases {
            let seen = seen(&format!("Id=srs.service\n{properties}\n"));
            assert_eq!(seen.len(), 1, "{seen:?}");
            assert_eq!(seen[0].0, id, "{properties}: {}", seen[0].1);
        }
    }

    #[test]
    fn a_service_that_has_ended_once_does_not_end_again_and_again() {
        let told = |restarts: u32| {
            let shown = format!(
                "Id=srs.service\nLoadState=loaded\nActiveState=activating\n\
                 SubState=auto-restart\nResult=exit-code\nExecMainStatus=1\nNRestarts={restarts}\n"
            );
            seen(&shown).remove(0).1
        };
        let once = "srs.service has ended (result exit-code, exit status 1), and is about to be \
                    started again";
        assert_eq!(told(0), once);
        assert!(told(1).contains("again and again") && told(1).contains("; 1 restart so far"));
        assert!(told(2).contains("; 2 restarts so far"));
        let running = "Id=srs.service\nLoadState=loaded\nActiveState=active\nNRestarts=1\n";
        assert!(seen(running)[0].1.contains("restarted srs 1 time since"));
    }

    #[test]
    fn a_service_starts_in_its_folder() {
        for (folder, expected) in [
            ("", "/"),
            ("/srv/srs", "/srv/srs"),
            ("!/srv/srs", "/srv/srs"),
        ] {
            let shown = format!("Id=srs.service\nLoadState=loaded\nWorkingDirectory={folder}\n");
            let systemd = Systemd::of(&shown);
            assert_eq!(systemd.unit(SERVICE).unwrap().folder(), Path::new(expected));
        }
    }

    #[test]
    fn a_service_that_its_socket_starts_may_rest() {
        let shown = "Id=srs.service\nLoadState=loaded\nActiveState=inactive\n\n\
                     Id=srs.socket\nLoadState=loaded\nActiveState=active\n";
        let expected = "srs.service inactive, srs.socket active".to_owned();
        assert_eq!(seen(shown), [("units", expected)]);
    }

    #[test]
    fn the_ports_of_a_socket_are_known() {
        let shown = "Id=srs.socket\nLoadState=loaded\nActiveState=active\n\
                     Listen=[::]:1935 (Stream)\nListen=192.0.2.1:443 (Stream)\n\
                     Listen=/run/x (Stream)\n";
        let systemd = Systemd::of(shown);
        let of = |systemd: &Systemd| -> Vec<String> {
            let addresses = systemd.passed(SOCKET).map(|it| it.to_string());
            let paths = systemd.passed_paths(SOCKET);
            addresses
                .chain(paths.map(|it| it.display().to_string()))
                .collect()
        };
        assert_eq!(of(&systemd), ["1935", "192.0.2.1:443", "/run/x"]);
        let old = "Id=srs.socket\nLoadState=loaded\nActiveState=active\nListenStream=[::]:1935\n\
                   ListenStream=192.0.2.1:443\nListenStream=/run/x\n";
        assert_eq!(of(&Systemd::of(old)), of(&systemd), "of systemd 237");
        let one_family = Systemd::of(&format!("{shown}BindIPv6Only=ipv6-only\n"));
        assert_eq!(of(&one_family)[0], "[::]:1935");
        let closed = Systemd::of(&shown.replace("=active", "=inactive"));
        assert_eq!(of(&closed), [""; 0]);
        assert_eq!(systemd.socket_at(443), Some(SOCKET));
        assert_eq!(systemd.socket_at(80), None);
    }

    #[test]
    fn a_socket_that_failed_is_a_problem() {
        let of = |service: &str, socket: &str| {
            let shown = format!(
                "Id=srs.service\nLoadState=loaded\n{service}\n\nId=srs.socket\nLoadState=loaded\n\
                 ActiveState=failed\nListen=[::]:443 (Stream)\nResult={socket}\n"
            );
            let host = Host {
                systemd: Systemd::of(&shown),
                ..Host::well()
            };
            check(&host)
        };
        let taken = of("ActiveState=active", "resources").remove(0);
        assert_eq!(
            (taken.id, taken.level),
            ("unit-socket-failed", Level::Problem)
        );
        assert_eq!(
            taken.seen,
            "srs.socket has failed: systemd could not listen at [::]:443 (result resources); srs \
             runs without it"
        );
        assert_eq!(
            taken.commands[1],
            "sudo systemctl reset-failed srs.socket && sudo systemctl restart srs.service"
        );
        let left = of("ActiveState=active", "service-start-limit-hit").remove(0);
        assert_eq!(left.id, "unit-socket-failed");
        // With its service it is one problem, and one command mends both.
        let failed = "ActiveState=failed\nResult=exit-code\nExecMainStatus=78";
        let both = of(failed, "service-start-limit-hit");
        assert_eq!(both.len(), 1, "{both:?}");
        assert_eq!(
            both[0].commands[1],
            "sudo systemctl reset-failed srs.service srs.socket && sudo systemctl start srs.service"
        );
        let apart: Vec<_> = of(failed, "resources").iter().map(|it| it.id).collect();
        assert_eq!(apart, ["unit-failed-configuration", "unit-socket-failed"]);
    }

    #[test]
    fn without_systemd_nothing_is_wrong() {
        let host = Host {
            systemd: Systemd::Absent,
            ..Host::well()
        };
        assert_eq!(check(&host)[0].id, "no-systemd");
    }
}
