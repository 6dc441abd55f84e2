//! Whose an address is, for those who count by it.

use std::fmt::{self, Display};
use std::net::{IpAddr, Ipv6Addr};

/// What one host can choose its addresses from: all of IPv6 with the same first half. An IPv4
/// address is one however it came, and this host's own address stands alone.
pub(crate) fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) if !ip.is_loopback() => Ipv6Addr::from_bits(ip.to_bits() & !HALF).into(),
        ip => ip,
    }
}

/// What [`network`] gave, as people write it: `192.0.2.1`, `2001:db8::/64`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown(pub(crate) IpAddr);

impl Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V6(ip) if ip.to_bits() & HALF == 0 => write!(f, "{ip}/64"),
            ip => ip.fmt(f),
        }
    }
}

/// The bits of an IPv6 address that a host chooses by itself.
const HALF: u128 = u64::MAX as u128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_of_ipv6_is_its_network_and_one_of_ipv4_is_its_address() {
        for (ip, expected, shown) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"),
            (
                "2001:db8:1:2:3:4:5:6",
                "2001:db8:1:2::",
                "2001:db8:1:2::/64",
            ),
            ("::1", "::1", "::1"),
        ] {
            let network = network(ip.parse().unwrap());
            assert_eq!(network.to_string(), expected);
            assert_eq!(Shown(network).to_string(), shown);
        }
    }
}
