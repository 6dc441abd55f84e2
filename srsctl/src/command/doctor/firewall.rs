//! The firewalls that distributions bring, as far as they tell what they let in.

use super::finding::Finding;
use super::host::Host;
use super::ports;
use super::read::{self, Root};
use super::units::{self, Systemd, Unit};

/// What is known of the firewall. Rules of nftables or iptables that somebody wrote are not looked
/// at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Firewall {
    /// Neither ufw nor firewalld is active.
    #[default]
    Off,
    /// It is active, and who asks may not see its rules, or it does not tell them.
    Hidden(&'static str),
    /// It lets in what is named.
    On { name: &'static str, open: Vec<Open> },
}

/// Ports of TCP that are let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Open {
    from: u16,
    to: u16,
}

impl Open {
    /// `1935`, `1000:2000` or `1000-2000`.
    fn of(text: &str) -> Option<Self> {
        let (from, to) = text.split_once([':', '-']).unwrap_or((text, text));
        Some(Self {
            from: from.parse().ok()?,
            to: to.parse().ok()?,
        })
    }

    const ALL: Self = Self {
        from: 0,
        to: u16::MAX,
    };
}

impl Firewall {
    /// Asks ufw and firewalld.
    pub(super) fn read(root: &Root, systemd: &Systemd, is_root: bool) -> Self {
        let ufw = root.text("/etc/ufw/ufw.conf").unwrap_or_default();
        if ufw.lines().any(|line| line.trim() == "ENABLED=yes") {
            let Some(rules) = root.text("/etc/ufw/user.rules") else {
                return Self::Hidden(UFW);
            };
            let defaults = root.text("/etc/default/ufw").unwrap_or_default();
            return Self::On {
                name: UFW,
                open: by_ufw(&rules, &defaults),
            };
        }
        let firewalld = systemd.unit(units::FIREWALLD);
        if !firewalld.is_some_and(Unit::is_active) {
            return Self::Off;
        }
        // Of others it may want a password, by a window on a desktop.
        let tool = read::program("firewall-cmd").filter(|_| is_root);
        match tool.and_then(|tool| read::printed(&tool, &["--list-all"])) {
            Some(zone) => Self::On {
                name: FIREWALLD,
                open: by_firewalld(&zone),
            },
            None => Self::Hidden(FIREWALLD),
        }
    }
}

/// Of `### tuple ### allow tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 in`. A rule for some senders only is
/// one that lets in: who is meant to come is not known here.
fn by_ufw(rules: &str, defaults: &str) -> Vec<Open> {
    let accepts = defaults
        .lines()
        .any(|line| line.trim().replace('"', "") == "DEFAULT_INPUT_POLICY=ACCEPT");
    if accepts {
        return vec![Open::ALL];
    }
    let rules = rules.lines().filter_map(|line| {
        let mut words = line.strip_prefix("### tuple ### ")?.split_whitespace();
        let action = words.next()?;
        let (protocol, ports) = (words.next()?, words.next()?);
        let is_let_in = action.starts_with("allow") || action.starts_with("limit");
        (is_let_in && matches!(protocol, "tcp" | "any")).then_some(ports)
    });
    let opened = rules.flat_map(|ports| ports.split(',')).filter_map(|port| {
        if port == "any" {
            Some(Open::ALL)
        } else {
            Open::of(port)
        }
    });
    opened.collect()
}

/// Of what `firewall-cmd --list-all` prints of the default zone.
fn by_firewalld(zone: &str) -> Vec<Open> {
    let value = |name: &str| {
        let mut lines = zone.lines().map(str::trim);
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    if value("target") == Some("ACCEPT") {
        return vec![Open::ALL];
    }
    let services = value("services").unwrap_or_default();
    let ports = value("ports").unwrap_or_default();
    let ours = services.split_whitespace().any(|service| service == "srs");
    let ports = ports.split_whitespace().filter_map(|port| {
        let port = port.strip_suffix("/tcp")?;
        Open::of(port)
    });
    // What the packages' service has.
    let ours = ours.then_some(Open {
        from: RTMP,
        to: RTMP,
    });
    ports.chain(ours).collect()
}

/// Whether it lets clients in.
pub(super) fn check(host: &Host) -> Vec<Finding> {
    let (name, open) = match &host.firewall {
        Firewall::Off => {
            return vec![Finding::ok(CHECK, "neither ufw nor firewalld is active")];
        }
        Firewall::Hidden(name) if host.accounts.is_root() => {
            let seen = format!("{name} is active, and does not tell what it lets in");
            let finding = Finding::note(CHECK, "firewall-silent", seen);
            return vec![match *name {
                UFW => finding.command("ufw status verbose"),
                _ => finding.command("firewall-cmd --list-all"),
            }];
        }
        Firewall::Hidden(name) => {
            let seen = format!("{name} is active; only root sees what it lets in");
            let finding = Finding::note(CHECK, "firewall-hidden", seen);
            return vec![finding.command("sudo srsctl doctor")];
        }
        Firewall::On { name, open } => (*name, open),
    };
    let listen = ports::rtmp(&host.configuration.config, &host.systemd);
    let is_public = |ip: Option<std::net::IpAddr>| ip.is_none_or(|ip| !ip.is_loopback());
    let ports: Vec<u16> = listen
        .iter()
        .filter(|address| is_public(address.ip()) && address.port() != 0)
        .map(|address| address.port())
        .collect();
    let is_open = |port: &u16| open.iter().any(|it| (it.from..=it.to).contains(port));
    let closed = ports.iter().filter(|port| !is_open(port));
    let mut findings: Vec<_> = closed
        .map(|port| {
            let seen = if name == UFW {
                format!("{name} is active and has no rule that lets {port}/tcp in")
            } else {
                format!("{name}: the default zone has neither {port}/tcp nor the service srs")
            };
            let finding = Finding::warning(CHECK, "firewall-closed", seen);
            if name == UFW {
                finding.command(format!("sudo ufw allow {port}/tcp"))
            } else {
                finding
                    .command(format!(
                        "sudo firewall-cmd --permanent --add-port={port}/tcp"
                    ))
                    .command("sudo firewall-cmd --reload")
            }
        })
        .collect();
    if findings.is_empty() {
        let ports: Vec<_> = ports.iter().map(|port| format!("{port}/tcp")).collect();
        let seen = match ports.as_slice() {
            [] => format!("{name} is active, and no port of srs is for others"),
            ports => format!("{name} lets {} in", ports.join(", ")),
        };
        findings.push(Finding::ok(CHECK, seen));
    }
    findings
}

const CHECK: &str = "firewall";
const RTMP: u16 = 1935;
const UFW: &str = "ufw";
const FIREWALLD: &str = "firewalld";

#[cfg(test)]
mod tests {
    use srs_config::Config;

    use super::*;

    const RULES: &str = "### RULES ###\n\
        ### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n\
        ### tuple ### allow tcp 80,443,1930:1940 0.0.0.0/0 any 0.0.0.0/0 in\n\
        ### tuple ### allow udp 5000 0.0.0.0/0 any 0.0.0.0/0 in\n\
        ### tuple ### deny tcp 6000 0.0.0.0/0 any 0.0.0.0/0 in\n";

    fn ids(firewall: Firewall, config: &str) -> Vec<&'static str> {
        let mut host = Host {
            firewall,
            ..Host::well()
        };
        host.configuration.config = Config::parse(config, "the test").unwrap();
        check(&host).iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn rules_of_ufw_are_read() {
        let on = || Firewall::On {
            name: UFW,
            open: by_ufw(RULES, "DEFAULT_INPUT_POLICY=\"DROP\"\n"),
        };
        for (config, expected) in [
            ("", "firewall"),
            ("listen = \"443\"", "firewall"),
            ("listen = \"5000\"", "firewall-closed"),
            ("listen = \"6000\"", "firewall-closed"),
            ("listen = \"127.0.0.1:6000\"", "firewall"),
        ] {
            assert_eq!(ids(on(), config), [expected], "{config}");
        }
        assert_eq!(by_ufw("", "DEFAULT_INPUT_POLICY=\"ACCEPT\""), [Open::ALL]);
    }

    #[test]
    fn zones_of_firewalld_are_read() {
        let zone = "public (active)\n  target: default\n  services: ssh srs\n  \
                    ports: 2000-2010/tcp 9/udp\n  source-ports: 77/tcp\n";
        let on = || Firewall::On {
            name: FIREWALLD,
            open: by_firewalld(zone),
        };
        assert_eq!(ids(on(), ""), ["firewall"]);
        assert_eq!(ids(on(), "listen = \"2005\""), ["firewall"]);
        assert_eq!(ids(on(), "listen = \"9\""), ["firewall-closed"]);
        assert_eq!(ids(on(), "listen = \"77\""), ["firewall-closed"]);
        assert_eq!(by_firewalld("trusted\n  target: ACCEPT\n"), [Open::ALL]);
    }

    #[test]
    fn a_firewall_is_found_by_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::of(folder.path());
        assert_eq!(
            Firewall::read(&root, &Systemd::Absent, false),
            Firewall::Off
        );
        let ufw = folder.path().join("etc/ufw");
        std::fs::create_dir_all(&ufw).unwrap();
        std::fs::write(ufw.join("ufw.conf"), "# on\nENABLED=yes\n").unwrap();
        assert_eq!(
            Firewall::read(&root, &Systemd::Absent, false),
            Firewall::Hidden(UFW)
        );
        std::fs::write(ufw.join("user.rules"), RULES).unwrap();
        assert!(matches!(
            Firewall::read(&root, &Systemd::Absent, false),
            Firewall::On { name: UFW, .. }
        ));
        assert_eq!(ids(Firewall::Hidden(UFW), ""), ["firewall-hidden"]);
    }
}
