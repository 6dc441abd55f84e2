//! Which of its addresses a server tells in its heartbeats.

use std::net::{IpAddr, Ipv4Addr};

/// The IPv4 address number `index` of the host, in the order of the kernel and without the
/// loopback, counted round; empty if the host has none.
///
/// It is looked up at each call: addresses come and go.
pub(super) fn local_ipv4(index: usize) -> String {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let addresses: Vec<Ipv4Addr> = interfaces
        .iter()
        .filter_map(|interface| match interface.ip() {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        })
        .collect();
    pick(&addresses, index).map_or_else(String::new, |address| address.to_string())
}

fn pick(addresses: &[Ipv4Addr], index: usize) -> Option<Ipv4Addr> {
    let addresses = || addresses.iter().filter(|address| !address.is_loopback());
    let index = index.checked_rem(addresses().count())?;
    addresses().nth(index).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn addresses_are_counted_round_without_the_loopback() {
        let addresses = ["127.0.0.1", "192.0.2.1", "127.1.1.1", "198.51.100.1"];
        let addresses = addresses.map(|address| address.parse().unwrap());
        for (index, expected) in [
            (0, "192.0.2.1"),
            (1, "198.51.100.1"),
            (2, "192.0.2.1"),
            (255, "198.51.100.1"),
        ] {
            let picked = pick(&addresses, index).unwrap();
            assert_eq!(picked.to_string(), expected, "{index}");
        }
        assert_eq!(pick(&addresses[..1], 0), None, "nothing but the loopback");
        assert_eq!(pick(&[], 7), None);
    }

    #[test]
    fn the_hosts_own_are_found() {
        // What the kernel itself delivers here, by its routes.
        let routes = std::fs::read_to_string("/proc/net/fib_trie").unwrap();
        let lines: Vec<&str> = routes.lines().map(str::trim).collect();
        let own: BTreeSet<String> = lines
            .windows(2)
            .filter(|pair| pair[1] == "/32 host LOCAL")
            .filter_map(|pair| pair[0].strip_prefix("|-- "))
            .filter(|address| !address.starts_with("127."))
            .map(str::to_owned)
            .collect();
        let found = (0..own.len().max(1)).map(local_ipv4);
        let found: BTreeSet<String> = found.filter(|it| !it.is_empty()).collect();
        assert_eq!(found, own);
    }
}
