//! The files of `/proc` that are read here by hand: few numbers out of much text, or text that
//! the crate `procfs` wants more of than some kernels and containers give.
//!
//! The text is the kernel's, but what it has depends on its version and on sandboxes: everything
//! may be missing, and nothing here panics.

/// The `cpu` line of `/proc/stat`, in clock ticks since the host began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CpuTicks {
    pub user: u64,
    pub nice: u64,
    pub sys: u64,
    pub idle: u64,
    pub iowait: u64,
    pub irq: u64,
    pub softirq: u64,
    pub steal: u64,
    pub guest: u64,
}

impl CpuTicks {
    /// Out of `/proc/stat`. Old kernels have only the first four numbers.
    pub(super) fn parse(stat: &str) -> Option<Self> {
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let mut numbers = line.split_ascii_whitespace().map(str::parse::<u64>);
        let mut needed = || numbers.next()?.ok();
        let (user, nice, sys, idle) = (needed()?, needed()?, needed()?, needed()?);
        let mut optional = || numbers.next().and_then(Result::ok).unwrap_or(0);
        Some(Self {
            user,
            nice,
            sys,
            idle,
            iowait: optional(),
            irq: optional(),
            softirq: optional(),
            steal: optional(),
            guest: optional(),
        })
    }

    /// As the original sums them up: the time of guests, which `user` has already, twice.
    pub(super) fn total(&self) -> u64 {
        [
            self.user,
            self.nice,
            self.sys,
            self.idle,
            self.iowait,
            self.irq,
            self.softirq,
            self.steal,
            self.guest,
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }
}

/// The number in the line of `name`, with or without a colon, as `/proc/meminfo` and
/// `/proc/vmstat` have them.
pub(super) fn number_of(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let is_it = words.next()?.trim_end_matches(':') == name;
        is_it.then(|| words.next()?.parse().ok()).flatten()
    })
}

/// The first `N` numbers of `/proc/uptime` or `/proc/loadavg`.
pub(super) fn floats<const N: usize>(text: &str) -> Option<[f64; N]> {
    let mut words = text.split_ascii_whitespace();
    let mut numbers = [0.0; N];
    for number in &mut numbers {
        *number = words.next()?.parse().ok().filter(|n: &f64| n.is_finite())?;
    }
    Some(numbers)
}

/// A number of `/proc/net/sockstat`: that behind `name` in the line of `protocol`.
pub(super) fn sockstat(text: &str, protocol: &str, name: &str) -> Option<i64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(protocol)?.strip_prefix(':'))?;
    let mut words = line.split_ascii_whitespace();
    while let (Some(key), Some(value)) = (words.next(), words.next()) {
        if key == name {
            return value.parse().ok();
        }
    }
    None
}

/// A number of `/proc/net/snmp`, which has a line of names and a line of numbers per protocol.
pub(super) fn snmp(text: &str, protocol: &str, name: &str) -> Option<i64> {
    let mut lines = text
        .lines()
        .filter_map(|line| line.strip_prefix(protocol)?.strip_prefix(':'));
    let (names, numbers) = (lines.next()?, lines.next()?);
    names
        .split_ascii_whitespace()
        .zip(numbers.split_ascii_whitespace())
        .find_map(|(key, value)| (key == name).then(|| value.parse().ok()).flatten())
}

/// `part` of `whole`; 0 if there is no whole.
pub(super) fn fraction(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}

/// A count as the API has it.
pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_cpu_line_is_read_as_far_as_it_goes() {
        let cases = [
            ("new", "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 9 9 9 9\n", Some(45)),
            ("old", "cpu 1 2 3 4\nintr 5\n", Some(10)),
            ("too short", "cpu 1 2 3\n", None),
            ("no number", "cpu 1 2 3 x\n", None),
            ("missing", "cpu0 1 2 3 4\n", None),
            (
                "too large",
                "cpu 18446744073709551615 1 1 1\n",
                Some(u64::MAX),
            ),
        ];
        for (name, text, total) in cases {
            assert_eq!(CpuTicks::parse(text).map(|t| t.total()), total, "{name}");
        }
    }

    #[test]
    fn numbers_are_found_by_their_names() {
        let meminfo = "MemTotal:       16384 kB\nMemFree:   1 kB\nCached: x kB\nEmpty:\n\n";
        for (name, expected) in [
            ("MemTotal", Some(16384)),
            ("MemFree", Some(1)),
            ("Mem", None),
            ("Cached", None),
            ("Empty", None),
        ] {
            assert_eq!(number_of(meminfo, name), expected, "{name}");
        }
        assert_eq!(number_of("pgpgin 7\npgpgout 8\n", "pgpgout"), Some(8));
    }

    #[test]
    fn floats_must_be_numbers() {
        assert_eq!(floats("3.50 0.15 9"), Some([3.5, 0.15]));
        for text in ["", "3.5", "3.5 x", "3.5 NaN", "inf 1"] {
            assert_eq!(floats::<2>(text), None, "{text}");
        }
    }

    #[test]
    fn sockets_are_found_by_protocol_and_name() {
        let text = "sockets: used 290\nTCP: inuse 5 orphan 0 tw 3 alloc 7 mem 1\nUDP: inuse 2\n\
                    UDPLITE: inuse 9\n";
        for (protocol, name, expected) in [
            ("TCP", "alloc", Some(7)),
            ("TCP", "tw", Some(3)),
            ("UDP", "inuse", Some(2)),
            ("UDP", "tw", None),
            ("RAW", "inuse", None),
        ] {
            assert_eq!(
                sockstat(text, protocol, name),
                expected,
                "{protocol} {name}"
            );
        }
        let text =
            "Ip: A B\nIp: 1 2\nTcp: MaxConn CurrEstab InSegs\nTcp: -1 12 99\nUdp: CurrEstab\n";
        assert_eq!(snmp(text, "Tcp", "CurrEstab"), Some(12));
        assert_eq!(snmp(text, "Tcp", "MaxConn"), Some(-1));
        assert_eq!(snmp(text, "Udp", "CurrEstab"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_them_panic(
            text in "(cpu |TCP|Tcp|UDP|:| |\n|[0-9]{1,25}|-|alloc|tw|CurrEstab|\\PC){0,60}",
        ) {
            CpuTicks::parse(&text).map(|ticks| ticks.total());
            number_of(&text, "tw");
            floats::<3>(&text);
            sockstat(&text, "TCP", "alloc");
            snmp(&text, "Tcp", "CurrEstab");
        }
    }
}
