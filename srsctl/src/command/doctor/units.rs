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
        [SOCKET, API, HTTP].into_iter().find(|name| {
            let mut addresses = self.passed(name);
            addresses.any(|address| address.port() == port)
        })
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

    fn streams(&self) -> impl Iterator<Item = &str> {
        let listen = self.0.get("Listen").into_iter().flatten();
        listen.filter_map(|listen| listen.strip_suffix(" (Stream)"))
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
        "failed" => Some(failure(service)),
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
fn failure(service: &Unit) -> Finding {
    let again = "sudo systemctl reset-failed srs.service && sudo systemctl start srs.service";
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
/// Not ours, and asked for in the same question.
pub(super) const FIREWALLD: &str = "firewalld.service";
/// The exit status of a server whose configuration is wrong.
const INVALID: &str = "78";
const PROPERTIES: &str = "Id,LoadState,ActiveState,SubState,UnitFileState,Result,ExecMainStatus,\
                          NRestarts,NeedDaemonReload,LimitNOFILE,Listen,BindIPv6Only,MainPID,\
                          WorkingDirectory";

#[cfg(test)]
mod tests {
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
        let one_family = Systemd::of(&format!("{shown}BindIPv6Only=ipv6-only\n"));
        assert_eq!(of(&one_family)[0], "[::]:1935");
        let closed = Systemd::of(&shown.replace("=active", "=inactive"));
        assert_eq!(of(&closed), [""; 0]);
        assert_eq!(systemd.socket_at(443), Some(SOCKET));
        assert_eq!(systemd.socket_at(80), None);
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
