//! How many descriptors a configuration asks for: the server checks it when it starts, `srsctl
//! doctor` before.

use super::{ApiAddr, HttpApiConfig};

/// Most connections to the API over TCP. Each costs a descriptor and some 20 KiB; dashboards and
/// scrapers have few. What is taken here is taken from the descriptors of clients.
pub const MAX_API_TCP: usize = 512;
/// Most connections to the API over unix sockets, beside those of TCP: however many come from
/// elsewhere, the operator of this host gets in.
pub const MAX_API_UNIX: usize = 128;

/// Descriptors that are not for connections of clients: standard streams, listeners, the log
/// (thirty where there is a journal), the runtime's own, configuration and recordings being read or
/// written, connections to other servers.
const RESERVE: u64 = 96;

impl HttpApiConfig {
    /// How many descriptors are not for RTMP clients: those of the server itself, and of as many
    /// connections to the API as there may be.
    #[must_use]
    pub fn reserved_descriptors(&self) -> u64 {
        let is_tcp = |address: &ApiAddr| matches!(address, ApiAddr::Tcp(_));
        let (tcp, unix) = match self.enabled {
            true => (
                self.listen.iter().any(is_tcp),
                !self.listen.iter().all(is_tcp),
            ),
            false => (false, false),
        };
        let places = |has: bool, most: usize| if has { most as u64 } else { 0 };
        RESERVE + places(tcp, MAX_API_TCP) + places(unix, MAX_API_UNIX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_has_room_where_it_listens() {
        for (api, expected) in [
            ("", 96 + 128),
            (r#"listen = "127.0.0.1:1985""#, 96 + 512),
            (
                r#"listen = ["unix:/run/a", "1985", "unix:/run/b"]"#,
                96 + 128 + 512,
            ),
            ("enabled = false", 96),
        ] {
            let config: HttpApiConfig = toml::from_str(api).unwrap();
            assert_eq!(config.reserved_descriptors(), expected, "{api}");
        }
    }
}
