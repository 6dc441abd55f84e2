//! Settings of the kernel that bound a server from outside.

use srs_config::SendBuffer;

use super::finding::{Finding, Level};
use super::host::Host;
use super::read::Root;
use crate::output::units::count;

/// What the kernel has; `None` where it does not tell, as in some containers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kernel {
    /// net.core.somaxconn
    pub(super) backlog: Option<u64>,
    /// net.core.wmem_max
    pub(super) send_buffer: Option<u64>,
    /// The last of net.ipv4.tcp_wmem.
    pub(super) own_send_buffer: Option<u64>,
    /// Connections that netfilter tracks, and how many it can.
    pub(super) tracked: Option<(u64, u64)>,
    /// How often a connection found no room to wait for its server, since the host began.
    pub(super) overflows: u64,
}

impl Kernel {
    /// Reads it.
    pub(super) fn read(root: &Root) -> Self {
        let tracked = || {
            Some((
                root.number("/proc/sys/net/netfilter/nf_conntrack_count")?,
                root.number("/proc/sys/net/netfilter/nf_conntrack_max")?,
            ))
        };
        let netstat = root.text("/proc/net/netstat").unwrap_or_default();
        Self {
            backlog: root.number("/proc/sys/net/core/somaxconn"),
            send_buffer: root.number("/proc/sys/net/core/wmem_max"),
            own_send_buffer: root.numbers("/proc/sys/net/ipv4/tcp_wmem").last().copied(),
            tracked: tracked(),
            overflows: counter(&netstat, "ListenOverflows").unwrap_or(0),
        }
    }
}

/// A counter of `/proc/net/netstat`: a line of names, and one of numbers under it.
fn counter(netstat: &str, name: &str) -> Option<u64> {
    let lines: Vec<&str> = netstat.lines().collect();
    lines.chunks(2).find_map(|pair| {
        let &[names, numbers] = pair else {
            return None;
        };
        let index = names.split_whitespace().position(|it| it == name)?;
        numbers.split_whitespace().nth(index)?.parse().ok()
    })
}

/// Whether they are wide enough.
pub(super) fn check(host: &Host) -> Vec<Finding> {
    let kernel = host.kernel;
    let config = &host.configuration.config;
    let mut findings = Vec::new();
    if let Some(backlog) = kernel.backlog.filter(|backlog| *backlog < BACKLOG) {
        let seen = format!(
            "net.core.somaxconn is {backlog}: while srs is busy or restarts, so many clients can \
             wait, and not {BACKLOG}"
        );
        let finding = Finding::warning(CHECK, "backlog-small", seen);
        findings.push(set(finding, "net.core.somaxconn", BACKLOG).mend(
            "it counts for sockets that are made afterwards: restart srs.socket and srs then",
        ));
    }
    if kernel.overflows > 0 {
        let seen = format!(
            "{} connections to programs of this host found no room to wait since it began",
            count(kernel.overflows)
        );
        let finding = Finding::note(CHECK, "backlog-overflows", seen);
        let finding =
            finding.mend("if that goes on, programs here are too busy to take clients in");
        findings.push(finding.command("nstat -az TcpExtListenOverflows TcpExtListenDrops"));
    }
    let default = ("__defaultVhost__", config.vhost("").1);
    let vhosts = config
        .vhosts
        .iter()
        .map(|(name, vhost)| (name.as_str(), vhost));
    let wanted = vhosts.chain([default]).filter_map(|(name, vhost)| {
        let SendBuffer::Bytes(bytes) = vhost.play.send_buffer else {
            return None;
        };
        Some((bytes as u64, name))
    });
    if let (Some(largest), Some((bytes, vhost))) = (kernel.send_buffer, wanted.max())
        && bytes > largest
    {
        let seen = format!(
            "play.send_buffer of {vhost} is {} bytes, net.core.wmem_max allows {}",
            count(bytes),
            count(largest)
        );
        let finding = Finding::warning(CHECK, "send-buffer-capped", seen);
        findings.push(set(finding, "net.core.wmem_max", bytes));
    }
    if let Some(own) = kernel.own_send_buffer.filter(|own| *own < SEND_BUFFER) {
        let seen = format!(
            "net.ipv4.tcp_wmem ends at {} bytes: less than two seconds of 4 Mbit/s",
            count(own)
        );
        let finding = Finding::warning(CHECK, "send-buffer-small", seen);
        let setting = "'net.ipv4.tcp_wmem = 4096 16384 4194304'";
        findings.push(written(finding, setting));
    }
    if let Some((tracked, most)) = kernel.tracked {
        let is_full = tracked.saturating_mul(10) >= most.saturating_mul(9);
        if is_full || most < config.max_connections as u64 {
            let seen = format!(
                "netfilter tracks {} of at most {} connections, and drops further ones; \
                 max_connections is {}",
                count(tracked),
                count(most),
                count(config.max_connections as u64)
            );
            let finding = Finding::warning(CHECK, "conntrack-small", seen);
            let most = most.max(config.max_connections as u64).saturating_mul(2);
            findings.push(set(finding, "net.netfilter.nf_conntrack_max", most));
        }
    }
    if findings.iter().all(|finding| finding.level == Level::Note) {
        let figure = |figure: Option<u64>| figure.map_or_else(|| "?".to_owned(), count);
        let seen = format!(
            "net.core.somaxconn {}, net.core.wmem_max {}, net.ipv4.tcp_wmem up to {}",
            figure(kernel.backlog),
            figure(kernel.send_buffer),
            figure(kernel.own_send_buffer)
        );
        findings.insert(0, Finding::ok(CHECK, seen));
    }
    findings
}

/// The finding with the commands that set `name`, now and after a reboot.
fn set(finding: Finding, name: &str, value: u64) -> Finding {
    written(finding, &format!("{name}={value}"))
}

fn written(finding: Finding, setting: &str) -> Finding {
    finding
        .command(format!(
            "echo {setting} | sudo tee -a /etc/sysctl.d/60-srs.conf"
        ))
        .command("sudo sysctl --system")
}

const CHECK: &str = "kernel";
/// What srs and its socket unit ask for.
const BACKLOG: u64 = 4096;
/// Two seconds of 4 Mbit/s.
const SEND_BUFFER: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use srs_config::Config;

    use super::*;

    #[test]
    fn what_is_too_narrow_is_told() {
        let well = Host::well().kernel;
        let of = |change: fn(&mut Kernel)| {
            let mut kernel = well;
            change(&mut kernel);
            kernel
        };
        for (kernel, config, expected) in [
            (well, "", "kernel"),
            (Kernel::default(), "", "kernel"),
            (of(|it| it.backlog = Some(128)), "", "backlog-small"),
            (
                of(|it| it.own_send_buffer = Some(65_536)),
                "",
                "send-buffer-small",
            ),
            (
                of(|it| it.tracked = Some((1, 8_192))),
                "",
                "conntrack-small",
            ),
            (
                of(|it| it.tracked = Some((60_000, 65_536))),
                "",
                "conntrack-small",
            ),
            (of(|it| it.tracked = Some((1, 65_536))), "", "kernel"),
            (
                well,
                "[vhost.\"a.example.com\".play]\nsend_buffer = \"1MB\"",
                "send-buffer-capped",
            ),
            (
                well,
                "[vhost.__defaultVhost__.play]\nsend_buffer = \"64KB\"",
                "kernel",
            ),
        ] {
            let mut host = Host {
                kernel,
                ..Host::well()
            };
            host.configuration.config = Config::parse(config, "the test").unwrap();
            let ids: Vec<_> = check(&host).iter().map(|finding| finding.id).collect();
            assert_eq!(ids, [expected], "{kernel:?} {config}");
        }
    }

    #[test]
    fn connections_that_were_lost_are_told_beside_the_settings() {
        let mut host = Host::well();
        host.kernel.overflows = 3;
        let ids: Vec<_> = check(&host).iter().map(|finding| finding.id).collect();
        assert_eq!(ids, ["kernel", "backlog-overflows"]);
    }

    #[test]
    fn they_are_read_where_the_kernel_has_them() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let root = Root::of(folder.path());
        assert_eq!(Kernel::read(&root), Kernel::default());
        write("proc/sys/net/core/somaxconn", "128\n");
        write("proc/sys/net/core/wmem_max", "212992\n");
        write("proc/sys/net/ipv4/tcp_wmem", "4096\t16384\t4194304\n");
        write("proc/sys/net/netfilter/nf_conntrack_count", "7\n");
        write("proc/sys/net/netfilter/nf_conntrack_max", "65536\n");
        let netstat = "TcpExt: A ListenOverflows\nTcpExt: 1 42\nIpExt: B\nIpExt: 2\n";
        write("proc/net/netstat", netstat);
        let expected = Kernel {
            backlog: Some(128),
            send_buffer: Some(212_992),
            own_send_buffer: Some(4_194_304),
            tracked: Some((7, 65_536)),
            overflows: 42,
        };
        assert_eq!(Kernel::read(&root), expected);
    }
}
