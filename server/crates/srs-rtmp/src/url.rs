//! Where a stream is: the URL that a client is given, and what a server makes of `connect` and of
//! the stream's name.
//!
//! RTMP splits a URL such as `rtmp://host/app/stream` in two: `connect` carries the part up to the
//! app (`tcUrl`), `publish` and `play` carry the rest. [`RtmpUrl`] is the client's whole URL,
//! [`AppTarget`] and [`Target`] are the server's view of the parts as they come in. No standard
//! says how: the forms are those that encoders and players send.

mod query;
mod rtmp_url;
mod target;

use std::net::Ipv6Addr;

use thiserror::Error;

pub use rtmp_url::RtmpUrl;
pub use target::{AppTarget, Target};

/// The port of a URL that names none.
pub const DEFAULT_PORT: u16 = 1935;

/// Why text is no address of a stream.
///
/// What it quotes is short and escaped, and never a parameter or password: errors end up in logs.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// There is no `://`, or nothing usable before it.
    #[error("found no scheme, expected rtmp://HOST[:PORT]/APP/STREAM")]
    MissingScheme,
    /// The scheme is not `rtmp`.
    #[error("scheme {scheme:?} {}, expected \"rtmp\"", scheme_hint(scheme))]
    UnsupportedScheme {
        /// What stands before `://`.
        scheme: String,
    },
    /// There is nothing between `://` and the path.
    #[error("found no host, expected rtmp://HOST[:PORT]/APP/STREAM")]
    MissingHost,
    /// The host looks like an IPv6 address, but is none or lacks its brackets.
    #[error("host {host:?} is not valid, expected a name, an IPv4 address or [IPV6]")]
    BadHost {
        /// The host as it came.
        host: String,
    },
    /// The port is no number or out of range.
    #[error("port {port:?} is not valid, expected 1 to 65535")]
    BadPort {
        /// What stands behind the colon.
        port: String,
    },
    /// There is a user name or a password before the host.
    #[error("user name and password before the host are not supported")]
    UserInfo,
    /// There is no app.
    #[error("found no app, expected rtmp://HOST[:PORT]/APP/STREAM")]
    MissingApp,
    /// There is an app, but no stream.
    #[error("found no stream, expected rtmp://HOST[:PORT]/APP/STREAM")]
    MissingStream,
    /// A character that can only be a mistake or an attack, such as a line break in a client's URL.
    #[error("found the character {found:?}, which is not allowed")]
    BadCharacter {
        /// The first such character.
        found: char,
    },
    /// A name is `.` or `..` or has such a level. Names become paths of files.
    #[error("name {name:?} has a level that is \".\" or \"..\"")]
    BadName {
        /// The name of the app, stream or vhost.
        name: String,
    },
}

/// Splits `scheme://rest`.
fn split_scheme(url: &str) -> Result<(&str, &str), UrlError> {
    let (scheme, rest) = url.split_once("://").ok_or(UrlError::MissingScheme)?;
    // Otherwise the :// belongs to something further behind.
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    if scheme.is_empty() || !scheme.chars().all(is_scheme) {
        return Err(UrlError::MissingScheme);
    }
    Ok((scheme, rest))
}

/// Splits `host[:port]`. The host loses the brackets of an IPv6 address.
fn split_host(authority: &str) -> Result<(&str, Option<u16>), UrlError> {
    let bad_host = || UrlError::BadHost {
        host: quoted(authority),
    };
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']').ok_or_else(bad_host)?;
        // A link-local address may name its interface behind a percent sign.
        let address = host.split_once('%').map_or(host, |(address, _)| address);
        address.parse::<Ipv6Addr>().map_err(|_| bad_host())?;
        match port.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if port.is_empty() => (host, None),
            None => return Err(bad_host()),
        }
    } else {
        match authority.split_once(':') {
            Some((_, port)) if port.contains(':') => return Err(bad_host()),
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    if host.is_empty() {
        return Err(UrlError::MissingHost);
    }
    let port = port.map(parse_port).transpose()?;
    Ok((host, port))
}

fn parse_port(port: &str) -> Result<u16, UrlError> {
    match port.parse() {
        // A sign would be parsed as well.
        Ok(number) if number > 0 && port.starts_with(|c: char| c.is_ascii_digit()) => Ok(number),
        _ => Err(UrlError::BadPort { port: quoted(port) }),
    }
}

/// What of foreign text is shown in an error.
fn quoted(text: &str) -> String {
    text.chars().take(64).collect()
}

fn scheme_hint(scheme: &str) -> &'static str {
    match scheme.to_ascii_lowercase().as_str() {
        "rtmps" => "(RTMP over TLS) is not supported yet",
        "rtmpt" | "rtmpts" => "(RTMP through HTTP) is not supported",
        "rtmpe" | "rtmpte" => "(encrypted RTMP) is not supported",
        _ => "is not supported",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_told_apart() {
        let bad_host = |host: &str| {
            Err(UrlError::BadHost {
                host: host.to_owned(),
            })
        };
        let bad_port = |port: &str| {
            Err(UrlError::BadPort {
                port: port.to_owned(),
            })
        };
        let cases = [
            ("example.com", Ok(("example.com", None))),
            ("example.com:1", Ok(("example.com", Some(1)))),
            ("10.0.0.1:65535", Ok(("10.0.0.1", Some(65535)))),
            ("[::1]", Ok(("::1", None))),
            ("[2001:db8::1]:19350", Ok(("2001:db8::1", Some(19350)))),
            ("[fe80::1%eth0]:1935", Ok(("fe80::1%eth0", Some(1935)))),
            ("", Err(UrlError::MissingHost)),
            (":1935", Err(UrlError::MissingHost)),
            ("[]", bad_host("[]")),
            ("[::1", bad_host("[::1")),
            ("[::1]1935", bad_host("[::1]1935")),
            ("[example.com]", bad_host("[example.com]")),
            ("::1", bad_host("::1")),
            ("h:1:2", bad_host("h:1:2")),
            ("h:", bad_port("")),
            ("h:0", bad_port("0")),
            ("h:+1", bad_port("+1")),
            ("h:65536", bad_port("65536")),
            ("h:port", bad_port("port")),
        ];
        for (authority, expected) in cases {
            assert_eq!(split_host(authority), expected, "{authority}");
        }
    }

    #[test]
    fn messages_tell_what_to_change() {
        let scheme = |scheme: &str| UrlError::UnsupportedScheme {
            scheme: scheme.to_owned(),
        };
        let cases = [
            (
                scheme("rtmps"),
                r#"scheme "rtmps" (RTMP over TLS) is not supported yet, expected "rtmp""#,
            ),
            (
                scheme("rtmpt"),
                r#"scheme "rtmpt" (RTMP through HTTP) is not supported, expected "rtmp""#,
            ),
            (
                scheme("http"),
                r#"scheme "http" is not supported, expected "rtmp""#,
            ),
            (
                UrlError::BadPort {
                    port: "19\n".to_owned(),
                },
                r#"port "19\n" is not valid, expected 1 to 65535"#,
            ),
        ];
        for (error, message) in cases {
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn long_text_is_not_quoted_whole() {
        let error = split_host(&format!("h:{}", "9".repeat(60_000))).unwrap_err();
        assert_eq!(
            error,
            UrlError::BadPort {
                port: "9".repeat(64)
            }
        );
    }
}
