//! Addresses to listen on: `"1935"`, `"192.0.2.1:1935"`, `"[2001:db8::1]:1935"`.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A TCP address to listen on.
///
/// Without an IP address it means all of the host's, IPv6 and IPv4 on one socket. With one it
/// means that one only, so `[::]:1935` takes no IPv4 and can stand beside `0.0.0.0:1935`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListenAddr {
    ip: Option<IpAddr>,
    port: u16,
}

impl ListenAddr {
    /// All addresses of the host, IPv6 and IPv4.
    #[must_use]
    pub const fn any(port: u16) -> Self {
        Self { ip: None, port }
    }

    /// The IP address, `None` for all of the host's.
    #[must_use]
    pub const fn ip(&self) -> Option<IpAddr> {
        self.ip
    }

    /// The port; 0 lets the kernel pick a free one.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether the kernel would refuse `other` beside `self`, since `self` takes its connections.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        if self.port == 0 || self.port != other.port {
            return false;
        }
        match (self.ip, other.ip) {
            (None, _) => true,
            (Some(IpAddr::V4(ip)), Some(IpAddr::V4(_))) if ip.is_unspecified() => true,
            (Some(IpAddr::V6(ip)), Some(IpAddr::V6(_))) if ip.is_unspecified() => true,
            (ip, other) => ip == other,
        }
    }
}

impl From<SocketAddr> for ListenAddr {
    fn from(address: SocketAddr) -> Self {
        Self {
            ip: Some(address.ip()),
            port: address.port(),
        }
    }
}

impl FromStr for ListenAddr {
    type Err = ListenAddrError;

    fn from_str(text: &str) -> Result<Self, ListenAddrError> {
        if text.starts_with("unix:") {
            return Err(ListenAddrError::Later("listening on a unix socket"));
        }
        if text.starts_with("rtmps:") {
            return Err(ListenAddrError::Later("RTMPS"));
        }
        if text.contains("://") {
            return Err(ListenAddrError::Url);
        }
        if let Some(bracketed) = text.strip_prefix('[') {
            let (ip, port) = bracketed.split_once("]:").ok_or(ListenAddrError::NoPort)?;
            let ip: Ipv6Addr = ip.parse().map_err(|_| ListenAddrError::NoIpv6)?;
            return Ok(Self {
                ip: Some(ip.into()),
                port: parse_port(port)?,
            });
        }
        let Some((ip, port)) = text.rsplit_once(':') else {
            return match text.parse::<IpAddr>() {
                Ok(_) => Err(ListenAddrError::NoPort),
                Err(_) => parse_port(text).map(Self::any),
            };
        };
        if ip.contains(':') {
            return Err(ListenAddrError::NoBrackets);
        }
        if matches!(ip, "" | "*") {
            return Err(ListenAddrError::NoHost);
        }
        let ip: Ipv4Addr = ip.parse().map_err(|_| ListenAddrError::NoIp)?;
        Ok(Self {
            ip: Some(ip.into()),
            port: parse_port(port)?,
        })
    }
}

fn parse_port(text: &str) -> Result<u16, ListenAddrError> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ListenAddrError::NoPort);
    }
    text.parse().map_err(|_| ListenAddrError::Port)
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            Some(ip) => SocketAddr::new(ip, self.port).fmt(f),
            None => self.port.fmt(f),
        }
    }
}

impl Serialize for ListenAddr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ListenAddr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListenAddrVisitor)
    }
}

impl JsonSchema for ListenAddr {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ListenAddr".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "pattern": PATTERN,
            "minimum": 0,
            "maximum": u16::MAX,
        })
    }
}

/// What [`ListenAddr::from_str`] reads, as far as a schema can tell.
pub(super) const PATTERN: &str = r"^([0-9.]+:|\[[0-9A-Fa-f:.]+\]:)?[0-9]{1,5}$";

/// Why a text is no [`ListenAddr`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListenAddrError {
    /// No number where the port should be.
    #[error("there is no port")]
    NoPort,
    /// A number that is no port.
    #[error("a port is 0 to 65535")]
    Port,
    /// A host name, or a mistyped address.
    #[error("an IP address belongs before the port, not a name")]
    NoIp,
    /// No IPv6 address in brackets.
    #[error("there is no IPv6 address in the brackets")]
    NoIpv6,
    /// `::1:1935`
    #[error("an IPv6 address needs brackets")]
    NoBrackets,
    /// `:1935`, `*:1935`
    #[error("for all addresses write the port alone")]
    NoHost,
    /// `rtmp://…`
    #[error("an address is no URL")]
    Url,
    /// What later versions listen on.
    #[error("{0} is not available in this version yet")]
    Later(&'static str),
}

struct ListenAddrVisitor;

impl de::Visitor<'_> for ListenAddrVisitor {
    type Value = ListenAddr;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ListenAddr, E> {
        text.parse().map_err(|error| match error {
            ListenAddrError::Later(_) => E::custom(error),
            _ => E::custom(format_args!("{error}; expected {EXPECTED}")),
        })
    }

    fn visit_i64<E: de::Error>(self, port: i64) -> Result<ListenAddr, E> {
        u16::try_from(port)
            .map(ListenAddr::any)
            .map_err(|_| E::custom(ListenAddrError::Port))
    }

    fn visit_u64<E: de::Error>(self, _port: u64) -> Result<ListenAddr, E> {
        Err(E::custom(ListenAddrError::Port))
    }
}

pub(super) const EXPECTED: &str = r#""PORT", "IP:PORT" or "[IP6]:PORT""#;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_a_port_with_or_without_an_ip_address() {
        let cases = [
            ("1935", None, 1935),
            ("0", None, 0),
            ("65535", None, 65535),
            ("127.0.0.1:1935", Some(IpAddr::from([127, 0, 0, 1])), 1935),
            ("0.0.0.0:0", Some(IpAddr::from([0, 0, 0, 0])), 0),
            ("[::1]:1935", Some(IpAddr::V6(Ipv6Addr::LOCALHOST)), 1935),
            ("[::]:443", Some(IpAddr::V6(Ipv6Addr::UNSPECIFIED)), 443),
        ];
        for (text, ip, port) in cases {
            let address: ListenAddr = text.parse().unwrap();
            assert_eq!((address.ip(), address.port()), (ip, port), "{text:?}");
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_reason() {
        let cases = [
            ("", ListenAddrError::NoPort),
            ("abc", ListenAddrError::NoPort),
            ("-1", ListenAddrError::NoPort),
            ("+1935", ListenAddrError::NoPort),
            ("127.0.0.1", ListenAddrError::NoPort),
            ("127.0.0.1:", ListenAddrError::NoPort),
            ("[::1]", ListenAddrError::NoPort),
            ("::1", ListenAddrError::NoBrackets),
            ("::1:1935", ListenAddrError::NoBrackets),
            ("65536", ListenAddrError::Port),
            ("127.0.0.1:99999999999", ListenAddrError::Port),
            ("localhost:1935", ListenAddrError::NoIp),
            ("127.0.0:1935", ListenAddrError::NoIp),
            ("[127.0.0.1]:1935", ListenAddrError::NoIpv6),
            (":1935", ListenAddrError::NoHost),
            ("*:1935", ListenAddrError::NoHost),
            ("rtmp://127.0.0.1:1935", ListenAddrError::Url),
            (
                "unix:/run/srs/rtmp.sock",
                ListenAddrError::Later("listening on a unix socket"),
            ),
            ("rtmps:443", ListenAddrError::Later("RTMPS")),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<ListenAddr>(), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn an_address_covers_what_the_kernel_would_refuse_beside_it() {
        let cases = [
            ("1935", "1935", true),
            ("1935", "1936", false),
            ("0", "0", false),
            ("1935", "127.0.0.1:1935", true),
            ("1935", "[::1]:1935", true),
            ("127.0.0.1:1935", "1935", false),
            ("0.0.0.0:1935", "127.0.0.1:1935", true),
            ("0.0.0.0:1935", "[::]:1935", false),
            ("[::]:1935", "[::1]:1935", true),
            ("127.0.0.1:1935", "127.0.0.2:1935", false),
        ];
        for (one, other, expected) in cases {
            let [a, b] = [one, other].map(|text| text.parse::<ListenAddr>().unwrap());
            assert_eq!(a.covers(&b), expected, "{one} and {other}");
        }
    }

    proptest! {
        #[test]
        fn every_address_reads_as_it_was_written(ip: Option<IpAddr>, port: u16) {
            let address = ListenAddr { ip, port };
            prop_assert_eq!(address.to_string().parse(), Ok(address));
        }

        #[test]
        fn no_text_makes_it_panic(text in r"[\[\]:.0-9a-f\PC]{0,24}") {
            let _ = text.parse::<ListenAddr>();
        }
    }
}
