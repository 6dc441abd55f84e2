//! Who holds the addresses that the server is to listen at.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{IpAddr, SocketAddr, TcpListener};

use procfs::net::{TcpNetEntries, TcpState};
use procfs::prelude::*;
use srs_config::{ApiAddr, Config, ListenAddr};

use super::finding::{Finding, Level};
use super::host::Host;
use super::read::Root;
use super::server::{Absence, Running};
use super::units::{API, HTTP, SERVICE, SOCKET, SOCKETS, Systemd, Unit};
use crate::command::logs::unit_in;

/// What is known of listening sockets.
#[derive(Clone, Debug, Default)]
pub(super) struct Ports {
    /// All that listen with TCP; `None` if the kernel does not tell.
    pub(super) listening: Option<Vec<Listening>>,
    /// The configured addresses that no interface of this host has.
    pub(super) foreign: Vec<IpAddr>,
    /// From which port on everybody may listen.
    pub(super) unprivileged: Option<u64>,
    /// Whether the host has IPv6.
    pub(super) has_ipv6: bool,
}

/// A socket that listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listening {
    pub(super) address: SocketAddr,
    /// Who made it.
    pub(super) uid: u32,
    /// The processes that have it, as far as they can be seen.
    pub(super) owners: Vec<Process>,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) name: String,
    /// Its unit, if it has one.
    pub(super) unit: Option<String>,
}

impl Ports {
    /// Reads what concerns the addresses of `config`.
    pub(super) fn read(root: &Root, config: &Config, systemd: &Systemd) -> Self {
        let wanted = wanted(config, systemd);
        let mut listening: Option<Vec<Listening>> = None;
        let mut inodes = BTreeMap::new();
        for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
            let Some(entries) = entries(root, file) else {
                continue;
            };
            let listening = listening.get_or_insert_with(Vec::new);
            for entry in entries.0 {
                let is_wanted = |it: &Wanted| overlaps(&it.address, entry.local_address);
                if entry.state == TcpState::Listen && wanted.iter().any(is_wanted) {
                    inodes.insert(format!("socket:[{}]", entry.inode), listening.len());
                    listening.push(Listening {
                        address: entry.local_address,
                        uid: entry.uid,
                        owners: Vec::new(),
                    });
                }
            }
        }
        if let Some(listening) = &mut listening {
            for (index, process) in owners(root, &inodes) {
                if let Some(socket) = listening.get_mut(index) {
                    socket.owners.push(process);
                }
            }
        }
        let ips: BTreeSet<IpAddr> = wanted.iter().filter_map(|it| it.address.ip()).collect();
        let ipv6 = root.text("/proc/net/if_inet6").unwrap_or_default();
        Self {
            listening,
            foreign: ips.into_iter().filter(|ip| is_foreign(*ip)).collect(),
            unprivileged: root.number("/proc/sys/net/ipv4/ip_unprivileged_port_start"),
            has_ipv6: !ipv6.is_empty(),
        }
    }
}

fn entries(root: &Root, file: &str) -> Option<TcpNetEntries> {
    let lines = root.lines(file).ok()?;
    TcpNetEntries::from_buf_read(lines, procfs::current_system_info()).ok()
}

/// Whether no interface has the address. A socket is bound to it for a moment, at a port that the
/// kernel chooses; nobody can connect to it, as it would have to guess that.
fn is_foreign(ip: IpAddr) -> bool {
    TcpListener::bind((ip, 0))
        .is_err_and(|error| error.kind() == std::io::ErrorKind::AddrNotAvailable)
}

/// Which processes have these sockets: of other users only root can see it.
fn owners(root: &Root, inodes: &BTreeMap<String, usize>) -> Vec<(usize, Process)> {
    let mut found = Vec::new();
    if inodes.is_empty() {
        return found;
    }
    let folder = fs::read_dir(root.at("/proc")).into_iter().flatten();
    let mut pids: Vec<u32> = folder
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    pids.sort_unstable();
    for pid in pids {
        let files = fs::read_dir(root.at(format!("/proc/{pid}/fd")));
        let mut held: Vec<usize> = files
            .into_iter()
            .flatten()
            .filter_map(|file| {
                let target = fs::read_link(file.ok()?.path()).ok()?;
                inodes.get(target.to_str()?).copied()
            })
            .collect();
        held.sort_unstable();
        held.dedup();
        if held.is_empty() {
            continue;
        }
        let text = |file: &str| root.text(&format!("/proc/{pid}/{file}"));
        let process = Process {
            pid,
            name: text("comm").unwrap_or_default().trim().to_owned(),
            unit: text("cgroup").and_then(|groups| unit_in(&groups).map(str::to_owned)),
        };
        found.extend(held.into_iter().map(|index| (index, process.clone())));
    }
    found
}

/// An address that is to be listened at.
struct Wanted {
    address: ListenAddr,
    key: &'static str,
}

fn wanted(config: &Config, systemd: &Systemd) -> Vec<Wanted> {
    let rtmp = rtmp(config, systemd).into_iter().map(|address| Wanted {
        address,
        key: "listen",
    });
    let api = config.http_api.listen.iter().filter_map(|address| {
        let ApiAddr::Tcp(address) = address else {
            return None;
        };
        let (address, key) = (*address, "http_api.listen");
        config.http_api.enabled.then_some(Wanted { address, key })
    });
    // Port 0 is whatever the kernel has.
    let wanted = rtmp.chain(api).filter(|it| it.address.port() != 0);
    let mut wanted: Vec<Wanted> = wanted.collect();
    // What else systemd holds is the server's, too, and what it was to hold should be. Of RTMP that
    // it holds see `beside`.
    let passed = [API, HTTP].map(|key| (key, systemd.passed(key).collect::<Vec<_>>()));
    let missed = SOCKETS.map(|key| (key, systemd.missed(key).collect()));
    for (key, addresses) in passed.into_iter().chain(missed) {
        for address in addresses {
            if !wanted.iter().any(|it| is_named(&address, &it.address)) {
                wanted.push(Wanted { address, key });
            }
        }
    }
    wanted
}

/// Where RTMP is to be listened for. The default address gives way to what systemd passes.
pub(super) fn rtmp(config: &Config, systemd: &Systemd) -> Vec<ListenAddr> {
    let passed: Vec<_> = systemd.passed(SOCKET).collect();
    if config.listen == Config::default().listen && !passed.is_empty() {
        passed
    } else {
        config.listen.clone()
    }
}

/// Whether a configuration that has `address` means the socket at `passed`. A port alone means all
/// addresses, of whatever family those are.
fn is_named(passed: &ListenAddr, address: &ListenAddr) -> bool {
    let is_all = passed.ip().is_none_or(|ip| ip.is_unspecified());
    passed == address || (address.ip().is_none() && is_all && passed.port() == address.port())
}

/// Where systemd listens for RTMP beside what `listen` says: who shuts a port there, or the world
/// out, has not done so.
fn beside(host: &Host) -> Vec<Finding> {
    let config = &host.configuration.config;
    let listen = rtmp(config, &host.systemd);
    let mend = of_socket_alone(&listen);
    let passed = host.systemd.passed(SOCKET);
    let unnamed = passed.filter(|passed| !listen.iter().any(|it| is_named(passed, it)));
    unnamed
        .map(|passed| {
            let within = listen.iter().filter(|it| passed.covers(it));
            let within: Vec<_> = within.map(ListenAddr::to_string).collect();
            let all = if passed.ip().is_none() {
                " of all addresses"
            } else {
                ""
            };
            let (id, why) = match within.as_slice() {
                [] => ("port-unnamed", "which listen does not name".to_owned()),
                within => (
                    "port-wider",
                    format!("wider than {} of listen", within.join(" and ")),
                ),
            };
            let seen = format!("{SOCKET} has {passed}{all} open, {why}: RTMP is served there");
            Finding::warning(CHECK, id, seen)
                .mend(&mend)
                .command("sudo systemctl edit srs.socket")
                .command("sudo systemctl restart srs.socket")
        })
        .collect()
}

/// What srs.socket is to have instead of what it has.
fn of_socket_alone(listen: &[ListenAddr]) -> String {
    let streams: Vec<_> = listen
        .iter()
        .map(|it| format!("ListenStream={it}"))
        .collect();
    format!(
        "put below [Socket] ListenStream= and then {}",
        streams.join(", ")
    )
}

/// Whether the kernel would refuse the configured address beside that socket. Whether one at `[::]`
/// takes IPv4 as well it does not tell; most do.
fn overlaps(wanted: &ListenAddr, held: SocketAddr) -> bool {
    if wanted.port() != held.port() {
        return false;
    }
    let held = held.ip().to_canonical();
    match wanted.ip() {
        None => true,
        Some(IpAddr::V4(ip)) => match held {
            IpAddr::V4(held) => ip.is_unspecified() || held.is_unspecified() || ip == held,
            IpAddr::V6(held) => held.is_unspecified(),
        },
        Some(IpAddr::V6(ip)) => match held {
            IpAddr::V4(_) => false,
            IpAddr::V6(held) => ip.is_unspecified() || held.is_unspecified() || ip == held,
        },
    }
}

/// Whether the server has its addresses, or would get them.
pub(super) fn check(host: &Host) -> Vec<Finding> {
    let Some(listening) = &host.ports.listening else {
        let seen = "the kernel does not tell who listens: /proc/net/tcp cannot be read";
        return vec![Finding::note(CHECK, "ports-unknown", seen)];
    };
    let wanted = wanted(&host.configuration.config, &host.systemd);
    let (well, mut findings): (Vec<_>, Vec<_>) = wanted
        .iter()
        .map(|wanted| of_address(host, wanted, listening))
        .partition(|finding| finding.level == Level::Ok);
    findings.extend(beside(host));
    let takes_all = wanted.iter().any(|it| it.address.ip().is_none());
    if takes_all && !host.ports.has_ipv6 {
        let seen = "this host has no IPv6: addresses without an IP are those of IPv4 alone";
        findings.push(Finding::note(CHECK, "ipv6-off", seen));
    }
    if !well.is_empty() {
        let seen: Vec<_> = well.into_iter().map(|finding| finding.seen).collect();
        findings.insert(0, Finding::ok(CHECK, seen.join("; ")));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, "no port is configured"));
    }
    findings
}

fn of_address(host: &Host, wanted: &Wanted, listening: &[Listening]) -> Finding {
    let address = &wanted.address;
    let held: Vec<_> = listening
        .iter()
        .filter(|socket| overlaps(address, socket.address))
        .collect();
    if held.is_empty() {
        return free(host, wanted);
    }
    // Whoever else has a part of it is in the way.
    let holders: Vec<_> = held.iter().map(|socket| holder(host, socket)).collect();
    let is_bad = |holder: &&Holder<'_>| !matches!(holder, Holder::Server(_) | Holder::Systemd);
    match holders.iter().find(is_bad).or_else(|| holders.first()) {
        Some(Holder::Server(pid)) => {
            let by = pid.map_or_else(|| "srs".to_owned(), |pid| format!("srs (pid {pid})"));
            let passed = host.systemd.socket_at(address.port());
            let passed = passed.map_or_else(String::new, |unit| format!(" through {unit}"));
            Finding::ok(CHECK, format!("{address} held by {by}{passed}"))
        }
        Some(Holder::Systemd) => {
            let unit = host.systemd.socket_at(address.port()).unwrap_or(SOCKET);
            Finding::ok(CHECK, format!("{address} held by systemd ({unit})"))
        }
        Some(Holder::Other(process)) => taken(wanted, process),
        Some(Holder::Unknown(uid)) => unknown(host, wanted, *uid),
        None => free(host, wanted),
    }
}

/// Who has a socket.
enum Holder<'a> {
    Server(Option<u32>),
    Systemd,
    Other(&'a Process),
    /// A program of this user.
    Unknown(u32),
}

fn holder<'a>(host: &Host, socket: &'a Listening) -> Holder<'a> {
    let running = host.server.here();
    let server = running.map(|running| running.pid).filter(|pid| *pid > 0);
    // Another srs has the same name, and is the likeliest to be in the way: the name alone says
    // little.
    let user = host.accounts.service.as_ref().map(|it| it.uid);
    let unit = host.systemd.socket_at(socket.address.port());
    let service = host.systemd.unit(SERVICE);
    let is_services = |process: &Process| match service {
        Some(service) => unit.is_some() || service.main_pid() == Some(process.pid),
        None => unit.is_some() || user == Some(socket.uid),
    };
    let is_server = |process: &&Process| {
        Some(process.pid) == server || (process.name == PROGRAM && is_services(process))
    };
    let is_systemd = |process: &Process| process.pid == 1 && process.name == "systemd";
    if let Some(process) = socket.owners.iter().find(is_server) {
        return Holder::Server(Some(process.pid));
    }
    match socket.owners.first() {
        Some(process) if is_systemd(process) && unit.is_some() => Holder::Systemd,
        Some(process) => Holder::Other(process),
        // What is not root's to see: the server says what it has, systemd what it holds, and the
        // kernel whose it is.
        None if running.is_some_and(|it| claims(it, socket.address)) => Holder::Server(server),
        None if unit.is_some() && socket.uid == 0 => Holder::Systemd,
        None if user == Some(socket.uid) => Holder::Server(None),
        None => Holder::Unknown(socket.uid),
    }
}

/// Whether the server says that it listens there, for whatever it is.
fn claims(running: &Running, held: SocketAddr) -> bool {
    let all = running.service.iter().flat_map(|service| {
        let of_clients = service.listen.iter().chain(&service.listen_http);
        of_clients.chain(&service.listen_api)
    });
    all.filter_map(|text| text.parse::<SocketAddr>().ok())
        .any(|address| address == held)
}

/// Nobody listens there.
fn free(host: &Host, wanted: &Wanted) -> Finding {
    let Wanted { address, key } = wanted;
    if let Some(ip) = address.ip().filter(|ip| host.ports.foreign.contains(ip)) {
        let seen = format!("{key} has {address}, and no interface of this host has {ip}");
        return Finding::problem(CHECK, "address-not-here", seen)
            .mend(format!("add the address, or take it out of {key}"))
            .command("ip address show");
    }
    let from = host.ports.unprivileged.unwrap_or(UNPRIVILEGED);
    // What a unit has is systemd's to open.
    let is_roots = u64::from(address.port()) < from && !SOCKETS.contains(key);
    let running = host.server.here().filter(|_| *key == "listen");
    // A reload gives nobody a port of root's.
    if let Some(running) = running.filter(|it| !is_roots || it.uid == Some(0)) {
        return unserved(wanted, running);
    }
    if is_roots {
        return privileged(host, address, from);
    }
    Finding::ok(CHECK, format!("{address} is free"))
}

/// Nobody listens there, and only root may.
fn privileged(host: &Host, address: &ListenAddr, from: u64) -> Finding {
    let user = match &host.accounts.service {
        Some(service) => &service.name,
        // Whoever asks is who starts it.
        None if host.accounts.is_root() => {
            return Finding::ok(CHECK, format!("{address} is free, for root"));
        }
        None => &host.accounts.me.name,
    };
    let seen =
        format!("{address} is free, but ports below {from} are root's, and srs runs as {user}");
    let finding = Finding::problem(CHECK, "port-privileged", seen);
    // systemd gives our service no capability, whatever its file has.
    let Some(socket) = host.systemd.unit(SOCKET) else {
        return finding.command("sudo setcap cap_net_bind_service=+ep $(command -v srs)");
    };
    let listen = of_socket_alone(&host.configuration.config.listen);
    let finding = finding.mend(format!("let systemd listen: {listen}"));
    let finding = if socket.get("LoadState") == "masked" {
        finding.command("sudo systemctl unmask srs.socket")
    } else {
        finding
    };
    let restart = "sudo systemctl restart srs.socket srs.service";
    // One that has tried for the port too often is not started for a while.
    let service = host.systemd.unit(SERVICE);
    let restart = if service.is_some_and(Unit::has_failed) {
        format!("sudo systemctl reset-failed srs.service && {restart}")
    } else {
        restart.to_owned()
    };
    finding
        .command("sudo systemctl edit srs.socket")
        .command(restart)
}

/// The server that runs does not listen where it should.
fn unserved(wanted: &Wanted, running: &Running) -> Finding {
    let Wanted { address, key } = wanted;
    let listen = running.service.iter().flat_map(|service| &service.listen);
    let listen: Vec<_> = listen.map(String::as_str).collect();
    let at = match listen.as_slice() {
        [] => "nowhere that it tells".to_owned(),
        listen => listen.join(", "),
    };
    let seen = format!("{key} has {address}, but the server listens at {at}");
    Finding::warning(CHECK, "port-not-served", seen)
        .mend("put the configuration in force; what that cannot change waits for a restart")
        .command("sudo srsctl reload")
}

/// Another program listens there.
fn taken(wanted: &Wanted, process: &Process) -> Finding {
    let Wanted { address, key } = wanted;
    let Process { pid, name, unit } = process;
    let another = if name == PROGRAM { "another " } else { "" };
    let seen =
        format!("{address} is taken by {another}{name} (pid {pid}): srs cannot listen there");
    let finding = Finding::problem(CHECK, "port-taken", seen);
    let finding = finding.mend(format!(
        "stop that program, or choose another port in {key}"
    ));
    match unit {
        Some(unit) => finding.command(format!("sudo systemctl stop {unit}")),
        // Whoever started it knows how it is ended, and what a signal would cost.
        None => finding.command(format!("ps -fp {pid}")),
    }
}

/// A program listens there that who asks may not see.
fn unknown(host: &Host, wanted: &Wanted, uid: u32) -> Finding {
    let Wanted { address, .. } = wanted;
    let user = host.accounts.name_of(uid);
    let seen = format!("{address} is held by a program of the user {user}");
    // It may well be the server, which does not talk to us.
    let is_hidden = matches!(
        host.server.absence(),
        Some(Absence::Refused | Absence::Trouble)
    );
    let finding = if is_hidden {
        Finding::note(CHECK, "port-unknown", seen)
    } else {
        Finding::problem(CHECK, "port-taken", seen)
    };
    finding
        .mend("root is told which")
        .command(format!("sudo ss -ltnp 'sport = :{}'", address.port()))
}

const CHECK: &str = "ports";
/// What the server's processes are called.
const PROGRAM: &str = "srs";
/// What the kernel begins with.
const UNPRIVILEGED: u64 = 1024;

#[cfg(test)]
mod tests {
    use srs_api::ServiceSummary;

    use super::super::server::Server;
    use super::*;

    fn listening(address: &str, uid: u32, owners: &[(u32, &str)]) -> Listening {
        Listening {
            address: address.parse().unwrap(),
            uid,
            owners: owners
                .iter()
                .map(|(pid, name)| Process {
                    pid: *pid,
                    name: (*name).into(),
                    unit: None,
                })
                .collect(),
        }
    }

    fn host(listen: &str, listening: Vec<Listening>) -> Host {
        let mut host = Host::well();
        let config = format!("listen = [{listen}]");
        host.configuration.config = Config::parse(&config, "the test").unwrap();
        host.ports.listening = Some(listening);
        host
    }

    fn found(host: &Host) -> Vec<(&'static str, String)> {
        let findings = check(host).into_iter();
        findings.map(|finding| (finding.id, finding.seen)).collect()
    }

    fn server(pid: u32, listen: &[&str]) -> Server {
        let listen = listen.iter().map(|it| (*it).to_owned()).collect();
        that_says(
            pid,
            ServiceSummary {
                listen,
                ..ServiceSummary::default()
            },
        )
    }

    fn that_says(pid: u32, service: ServiceSummary) -> Server {
        Server::Running(Box::new(Running {
            is_local: true,
            pid,
            service: Some(service),
            ..Running::default()
        }))
    }

    #[test]
    fn sockets_that_exclude_each_other() {
        for (wanted, held, expected) in [
            ("1935", "[::]:1935", true),
            ("1935", "127.0.0.1:1935", true),
            ("1935", "[::]:1936", false),
            ("127.0.0.1:1935", "0.0.0.0:1935", true),
            ("127.0.0.1:1935", "127.0.0.2:1935", false),
            ("127.0.0.1:1935", "[::]:1935", true),
            ("127.0.0.1:1935", "[::ffff:127.0.0.1]:1935", true),
            ("0.0.0.0:1935", "127.0.0.2:1935", true),
            ("[::1]:1935", "[::1]:1935", true),
            ("[::1]:1935", "0.0.0.0:1935", false),
            ("[::]:1935", "[::1]:1935", true),
        ] {
            let wanted = wanted.parse().unwrap();
            assert_eq!(
                overlaps(&wanted, held.parse().unwrap()),
                expected,
                "{wanted} {held}"
            );
        }
    }

    #[test]
    fn a_port_is_free_or_somebody_has_it() {
        let socket = |uid, owners: &[_]| vec![listening("[::]:1935", uid, owners)];
        for (listening, expected) in [
            (vec![], ("ports", "1935 is free")),
            (
                socket(990, &[(7, "srs")]),
                ("ports", "1935 held by srs (pid 7)"),
            ),
            (socket(990, &[]), ("ports", "1935 held by srs")),
            (
                socket(33, &[(8, "nginx")]),
                (
                    "port-taken",
                    "1935 is taken by nginx (pid 8): srs cannot listen there",
                ),
            ),
            (
                socket(0, &[(1, "systemd")]),
                (
                    "port-taken",
                    "1935 is taken by systemd (pid 1): srs cannot listen there",
                ),
            ),
            (
                socket(33, &[]),
                (
                    "port-taken",
                    "1935 is held by a program of the user with the id 33",
                ),
            ),
        ] {
            let found = found(&host("\"1935\"", listening));
            assert_eq!(found, [(expected.0, expected.1.to_owned())]);
        }
    }

    #[test]
    fn another_srs_is_not_that_of_the_unit() {
        let taken = "1935 is taken by another srs (pid 352): srs cannot listen there";
        let held = "1935 held by srs (pid 352)";
        let unit = |pid: u32| {
            format!("Id=srs.service\nLoadState=loaded\nActiveState=failed\nMainPID={pid}\n")
        };
        let (failed, active) = (unit(0), unit(352));
        // (user, unit, finding): 990 is the user srs, 0 runs it in the foreground.
        for (uid, units, expected) in [
            (0, "", ("port-taken", taken)),
            (0, &*failed, ("port-taken", taken)),
            (990, &*failed, ("port-taken", taken)),
            (990, &*active, ("ports", held)),
            (990, "", ("ports", held)),
        ] {
            let host = Host {
                systemd: Systemd::of(units),
                ..host(
                    "\"1935\"",
                    vec![listening("[::]:1935", uid, &[(352, "srs")])],
                )
            };
            assert_eq!(
                found(&host),
                [(expected.0, expected.1.to_owned())],
                "{uid} {units}"
            );
        }
        let host = Host {
            systemd: Systemd::of(&failed),
            ..host("\"1935\"", vec![listening("[::]:1935", 0, &[(352, "srs")])])
        };
        assert_eq!(check(&host)[0].commands, ["ps -fp 352"]);
    }

    /// A host whose srs.socket has these addresses.
    fn passing(listen: &str, passed: &[&str]) -> Host {
        let socket = |it: &&str| listening(it, 0, &[(1, "systemd"), (7, "srs")]);
        let passed_on = passed.iter().map(|it| format!("Listen={it} (Stream)\n"));
        let units = format!(
            "Id=srs.socket\nLoadState=loaded\nActiveState=active\n{}",
            passed_on.collect::<String>()
        );
        Host {
            systemd: Systemd::of(&units),
            ..host(listen, passed.iter().map(socket).collect())
        }
    }

    #[test]
    fn a_socket_that_the_file_does_not_name_is_told() {
        for (listen, passed, expected) in [
            ("\"1935\"", vec!["[::]:1935"], vec!["ports"]),
            ("\"1935\", \"1936\"", vec!["[::]:1935"], vec!["ports"]),
            // Of a host without IPv6.
            ("\"1935\", \"1936\"", vec!["0.0.0.0:1935"], vec!["ports"]),
            ("\"192.0.2.1:1935\"", vec!["192.0.2.1:1935"], vec!["ports"]),
            (
                "\"127.0.0.1:1935\"",
                vec!["[::]:1935"],
                vec!["ports", "port-wider"],
            ),
            (
                "\"127.0.0.1:1935\"",
                vec!["0.0.0.0:1935"],
                vec!["ports", "port-wider"],
            ),
            ("\"1936\"", vec!["[::]:1935"], vec!["ports", "port-unnamed"]),
            (
                "\"1936\"",
                vec!["[::]:1935", "[::]:443"],
                vec!["ports", "port-unnamed", "port-unnamed"],
            ),
        ] {
            let found = found(&passing(listen, &passed));
            let ids: Vec<_> = found.iter().map(|(id, _)| *id).collect();
            assert_eq!(ids, expected, "{listen} {passed:?}: {found:?}");
        }
        let finding = check(&passing("\"127.0.0.1:1935\"", &["[::]:1935"])).remove(1);
        assert_eq!(
            finding.seen,
            "srs.socket has 1935 of all addresses open, wider than 127.0.0.1:1935 of listen: RTMP \
             is served there"
        );
        assert_eq!(
            finding.mend.as_deref(),
            Some("put below [Socket] ListenStream= and then ListenStream=127.0.0.1:1935")
        );
        assert_eq!(finding.commands[0], "sudo systemctl edit srs.socket");
    }

    #[test]
    fn who_has_the_port_that_a_socket_could_not_open_is_told() {
        let mut thief = listening("0.0.0.0:443", 33, &[(8, "nginx")]);
        thief.owners[0].unit = Some("nginx.service".into());
        let own = listening("[::]:1935", 990, &[(7, "srs")]);
        let units = "Id=srs.service\nLoadState=loaded\nActiveState=active\nMainPID=7\n\n\
                     Id=srs.socket\nLoadState=loaded\nActiveState=failed\n\
                     Listen=[::]:443 (Stream)\n";
        let on = |listening| Host {
            systemd: Systemd::of(units),
            server: server(7, &["[::]:1935"]),
            ..host("\"1935\"", listening)
        };
        let findings = check(&on(vec![own.clone(), thief]));
        let ids: Vec<_> = findings.iter().map(|it| it.id).collect();
        assert_eq!(ids, ["ports", "port-taken"]);
        assert_eq!(
            findings[1].mend.as_deref(),
            Some("stop that program, or choose another port in srs.socket")
        );
        assert_eq!(findings[1].commands, ["sudo systemctl stop nginx.service"]);
        let freed = "1935 held by srs (pid 7); 443 is free".to_owned();
        assert_eq!(found(&on(vec![own])), [("ports", freed)]);
    }

    #[test]
    fn every_socket_that_systemd_holds_is_listed() {
        let units = "Id=srs.socket\nLoadState=loaded\nActiveState=active\nListen=[::]:443 (Stream)\n\
                     Listen=192.0.2.1:1935 (Stream)\n\n\
                     Id=srs-api.socket\nLoadState=loaded\nActiveState=active\n\
                     Listen=/run/srs/api.sock (Stream)\nListen=127.0.0.1:1985 (Stream)\n\n\
                     Id=srs-http.socket\nLoadState=loaded\nActiveState=active\n\
                     Listen=[::]:8080 (Stream)\n";
        let addresses = ["[::]:443", "192.0.2.1:1935", "127.0.0.1:1985", "[::]:8080"];
        let socket = |it| listening(it, 0, &[(1, "systemd")]);
        let host = Host {
            systemd: Systemd::of(units),
            ..host("\"1935\"", addresses.map(socket).to_vec())
        };
        let expected = "443 held by systemd (srs.socket); 192.0.2.1:1935 held by systemd \
                        (srs.socket); 127.0.0.1:1985 held by systemd (srs-api.socket); 8080 held by \
                        systemd (srs-http.socket)";
        assert_eq!(found(&host), [("ports", expected.to_owned())]);
    }

    #[test]
    fn what_systemd_holds_for_the_server_is_the_servers() {
        let units = "Id=srs.socket\nLoadState=loaded\nActiveState=active\n\
                     Listen=[::]:1935 (Stream)\n";
        for (owners, expected) in [
            (vec![(1, "systemd")], "1935 held by systemd (srs.socket)"),
            (
                vec![(1, "systemd"), (7, "srs")],
                "1935 held by srs (pid 7) through srs.socket",
            ),
            (vec![], "1935 held by systemd (srs.socket)"),
        ] {
            let listening = vec![listening("[::]:1935", 0, &owners)];
            let host = Host {
                systemd: Systemd::of(units),
                ..host("\"1935\"", listening)
            };
            assert_eq!(found(&host), [("ports", expected.to_owned())]);
        }
    }

    #[test]
    fn the_default_address_gives_way_to_what_systemd_holds() {
        let units = "Id=srs.socket\nLoadState=loaded\nActiveState=active\n\
                     Listen=[::]:443 (Stream)\n";
        let systemd = Systemd::of(units);
        let of = |listen: &str| rtmp(&host(listen, vec![]).configuration.config, &systemd);
        assert_eq!(of("\"1935\""), ["443".parse().unwrap()]);
        assert_eq!(of("\"1936\""), ["1936".parse().unwrap()]);
        let none = rtmp(&Config::default(), &Systemd::Absent);
        assert_eq!(none, ["1935".parse().unwrap()]);
    }

    #[test]
    fn a_server_is_known_by_its_pid_and_by_what_it_says() {
        let listen = ["[::]:1935"];
        let by_pid = vec![listening("[::]:1935", 5, &[(44, "other")])];
        let by_word = vec![listening("[::]:1935", 5, &[])];
        for listening in [by_pid, by_word] {
            let host = Host {
                server: server(44, &listen),
                ..host("\"1935\"", listening)
            };
            assert_eq!(
                found(&host),
                [("ports", "1935 held by srs (pid 44)".to_owned())]
            );
        }
        let unserved = Host {
            server: server(44, &listen),
            ..host("\"1936\"", vec![])
        };
        assert_eq!(found(&unserved)[0].0, "port-not-served");
    }

    #[test]
    fn a_server_is_known_by_the_addresses_of_its_api_too() {
        let config = "listen = [\"0\"]\nhttp_api.listen = [\"127.0.0.1:1985\"]";
        let service = ServiceSummary {
            listen_api: vec!["unix:/run/srs/api.sock".into(), "127.0.0.1:1985".into()],
            ..ServiceSummary::default()
        };
        let mut host = Host {
            server: that_says(44, service),
            ..host("\"1\"", vec![listening("127.0.0.1:1985", 5, &[])])
        };
        host.configuration.config = Config::parse(config, "the test").unwrap();
        let expected = "127.0.0.1:1985 held by srs (pid 44)".to_owned();
        assert_eq!(found(&host), [("ports", expected)]);
    }

    #[test]
    fn ports_of_root_need_systemd_or_a_capability() {
        let host = host("\"443\"", vec![]);
        let finding = check(&host).remove(0);
        assert_eq!(finding.id, "port-privileged");
        assert!(finding.commands[0].contains("setcap"), "{finding:?}");
        let units = "Id=srs.socket\nLoadState=loaded\nActiveState=inactive\n";
        let mut host = Host {
            systemd: Systemd::of(units),
            ..host
        };
        let finding = check(&host).remove(0);
        let recipe =
            "let systemd listen: put below [Socket] ListenStream= and then ListenStream=443";
        assert_eq!(finding.mend.as_deref(), Some(recipe));
        let masked = Host {
            systemd: Systemd::of(&units.replace("loaded", "masked")),
            ..host.clone()
        };
        let finding = check(&masked).remove(0);
        assert_eq!(finding.mend.as_deref(), Some(recipe));
        assert_eq!(
            finding.commands,
            [
                "sudo systemctl unmask srs.socket",
                "sudo systemctl edit srs.socket",
                "sudo systemctl restart srs.socket srs.service"
            ]
        );
        host.ports.unprivileged = Some(443);
        assert_eq!(found(&host), [("ports", "443 is free".to_owned())]);
        host.ports.unprivileged = None;
        host.accounts.service = None;
        assert_eq!(
            found(&host)[0].0,
            "port-privileged",
            "ann starts it herself"
        );
        host.accounts.me.uid = 0;
        assert_eq!(
            found(&host),
            [("ports", "443 is free, for root".to_owned())]
        );
    }

    #[test]
    fn an_address_of_another_host_and_the_lack_of_ipv6_are_told() {
        let mut host = host("\"192.0.2.1:1935\", \"1936\"", vec![]);
        host.ports.foreign = vec!["192.0.2.1".parse().unwrap()];
        host.ports.has_ipv6 = false;
        let ids: Vec<_> = found(&host).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, ["ports", "address-not-here", "ipv6-off"]);
    }

    #[test]
    fn who_cannot_ask_the_server_is_not_told_that_it_is_another() {
        let host = Host {
            server: Server::Absent {
                why: Absence::Refused,
                message: String::new(),
            },
            ..host("\"1935\"", vec![listening("[::]:1935", 5, &[])])
        };
        assert_eq!(found(&host)[0].0, "port-unknown");
    }

    #[test]
    fn sockets_and_their_owners_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let proc = folder.path().join("proc");
        fs::create_dir_all(proc.join("net")).unwrap();
        fs::create_dir_all(proc.join("812/fd")).unwrap();
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n";
        let line = |address: &str, state: &str, inode: u32| {
            format!(
                "   0: {address} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 \
                 33 0 {inode} 1 0000000000000000 100 0 0 10 0\n"
            )
        };
        // 0x078F is 1935; 0A listens, 01 is a connection.
        let text = [
            head.to_owned(),
            line("00000000:078F", "0A", 500),
            line("0100007F:078F", "01", 501),
            line("00000000:0016", "0A", 502),
        ];
        fs::write(proc.join("net/tcp"), text.concat()).unwrap();
        std::os::unix::fs::symlink("socket:[500]", proc.join("812/fd/3")).unwrap();
        fs::write(proc.join("812/comm"), "nginx\n").unwrap();
        fs::write(proc.join("812/cgroup"), "0::/system.slice/nginx.service\n").unwrap();
        let ports = Ports::read(
            &Root::of(folder.path()),
            &Config::default(),
            &Systemd::Absent,
        );
        let expected = Listening {
            owners: vec![Process {
                pid: 812,
                name: "nginx".into(),
                unit: Some("nginx.service".into()),
            }],
            ..listening("0.0.0.0:1935", 33, &[])
        };
        assert_eq!(ports.listening.unwrap(), [expected]);
        assert!(!ports.has_ipv6);
        let nothing = Ports::read(&Root::of(&proc), &Config::default(), &Systemd::Absent);
        assert_eq!(nothing.listening, None);
    }
}
