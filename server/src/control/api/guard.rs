//! Who may ask: proof of who it is, and what pages of others may not do in a visitor's name.
//!
//! By `http_api.auth` those need no proof who reach us from this host itself. Two things could
//! borrow that trust: a proxy, whose requests are therefore nobody's of this host if it says what
//! it is, and a browser on this host that shows somebody else's page. Such a page reads nothing
//! without proof, and changes nothing without the token; also if its owner lets its name point to
//! our address, which makes it one of our own origin: what is trusted must name us as no stranger
//! can.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::http::header::{AUTHORIZATION, FORWARDED, HOST, ORIGIN, VIA};
use axum::http::{HeaderMap, Request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::system::uname;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::peer::HttpPeer;
use super::refusal::Refusal;
use crate::config::{ApiAuth, HttpApiConfig};
use crate::control::counters::{Counters, Incident};

/// Who may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody.
    Open,
    /// Everybody if `fleet.open`, or if nobody has to prove anything.
    Heartbeat,
    /// Who has proved it, or need not.
    Proof,
}

/// Checks that a request may be answered; `is_open` says that it needs no proof.
///
/// # Errors
/// It may not: 401 or 403.
pub(super) fn check<B>(
    config: &HttpApiConfig,
    peer: HttpPeer,
    request: &Request<B>,
    is_open: bool,
) -> Result<(), Refusal> {
    let headers = request.headers();
    let proof = Proof::of(headers, config);
    // No page can put a bearer token on a request unless it knows it.
    if proof == Proof::Bearer {
        return Ok(());
    }
    let changes = !request.method().is_safe();
    let is_cross_site = is_cross_site(headers);
    let is_public = is_open || config.auth == ApiAuth::Never;
    // A page that only reads is asked for what would let it.
    let is_borrowed = is_cross_site && !changes;
    let is_trusted = is_public || is_trusted(config.auth, peer, headers) && !is_borrowed;
    if !is_trusted && proof != Proof::Basic {
        return Err(Refusal::Unauthorized {
            has_tried: proof == Proof::Wrong,
            takes_basic: config.username.is_some(),
        });
    }
    if changes && is_cross_site {
        return Err(Refusal::CrossSite);
    }
    // What is for everybody needs no name, and a browser remembers a password only for the site
    // that it was given to.
    if is_open || proof == Proof::Basic {
        return Ok(());
    }
    // A browser that is let in by its address, or by nothing at all, may have been led to us.
    let Some(ip) = peer.ip() else {
        return Ok(());
    };
    let reads_as_trusted = ip.is_loopback() && !(is_public && config.crossdomain);
    if changes || reads_as_trusted {
        check_host(headers)?;
    }
    Ok(())
}

/// Checks that a request calls us by what no stranger can let point to us.
fn check_host(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(host) = headers.get(HOST) else {
        // No browser leaves it out.
        return Ok(());
    };
    let host = String::from_utf8_lossy(host.as_bytes());
    let own = uname();
    if is_ours(&host, &own.nodename().to_string_lossy()) {
        return Ok(());
    }
    Err(Refusal::HostName {
        host: host.into_owned(),
    })
}

/// Whether `peer` need not prove who it is.
fn is_trusted(auth: ApiAuth, peer: HttpPeer, headers: &HeaderMap) -> bool {
    let is_forwarded = [FORWARDED, VIA]
        .iter()
        .any(|name| headers.contains_key(name))
        || FORWARDED_FOR.iter().any(|name| headers.contains_key(*name));
    match auth {
        ApiAuth::Never => true,
        _ if is_forwarded => false,
        ApiAuth::Remote => peer.ip().is_none_or(|ip| ip.is_loopback()),
        ApiAuth::Always => matches!(peer, HttpPeer::Unix { .. }),
    }
}

/// What a request says of who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    None,
    Wrong,
    Bearer,
    Basic,
}

impl Proof {
    fn of(headers: &HeaderMap, config: &HttpApiConfig) -> Self {
        let mut all = headers.get_all(AUTHORIZATION).iter();
        let Some(first) = all.next() else {
            return Self::None;
        };
        let Some((scheme, rest)) = first.to_str().ok().and_then(|text| text.split_once(' ')) else {
            return Self::Wrong;
        };
        let rest = rest.trim();
        // Who sends two has to be asked which.
        if all.next().is_some() {
            return Self::Wrong;
        }
        if scheme.eq_ignore_ascii_case("bearer") {
            let token = config.token.as_ref();
            if token.is_some_and(|token| is_same(token.expose().as_bytes(), rest.as_bytes())) {
                return Self::Bearer;
            }
        } else if scheme.eq_ignore_ascii_case("basic")
            && let (Some(username), Some(password)) = (&config.username, &config.password)
            && let Ok(given) = STANDARD.decode(rest)
        {
            let expected = format!("{username}:{}", password.expose());
            if is_same(expected.as_bytes(), &given) {
                return Self::Basic;
            }
        }
        Self::Wrong
    }
}

/// Compares in a time that says nothing of where or how long they differ: the digests are compared.
fn is_same(expected: &[u8], given: &[u8]) -> bool {
    Sha256::digest(expected)
        .ct_eq(&Sha256::digest(given))
        .into()
}

/// Whether a browser says that this is for a page of ours.
pub(super) fn is_same_origin(headers: &HeaderMap) -> bool {
    headers
        .get(SEC_FETCH_SITE)
        .is_some_and(|of| of.as_bytes() == b"same-origin")
}

/// Whether a browser sends this for a page that is not ours.
fn is_cross_site(headers: &HeaderMap) -> bool {
    let is_ours = |of: &[u8]| matches!(of, b"same-origin" | b"none");
    if headers
        .get(SEC_FETCH_SITE)
        .is_some_and(|of| !is_ours(of.as_bytes()))
    {
        return true;
    }
    headers.get(ORIGIN).is_some_and(|origin| {
        let origin = origin
            .to_str()
            .ok()
            .and_then(|origin| origin.split_once("://"));
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        match (origin, host) {
            (Some((_, origin)), Some(host)) => !origin.eq_ignore_ascii_case(host),
            _ => true,
        }
    })
}

/// Whether a `Host`, with or without a port, is an IP address, the name `own` of this host, or a
/// name without a dot, as `localhost`: those are given by the host and its own network.
fn is_ours(host: &str, own: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((ip, "")) => return ip.parse::<Ipv6Addr>().is_ok(),
        Some((ip, port)) => {
            return ip.parse::<Ipv6Addr>().is_ok() && port.strip_prefix(':').is_some_and(is_port);
        }
        None => match host.split_once(':') {
            Some((name, port)) if is_port(port) => name,
            Some(_) => return false,
            None => host,
        },
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    name.bytes().all(is_plain) || name.eq_ignore_ascii_case(own) || name.parse::<Ipv4Addr>().is_ok()
}

impl Counters {
    /// Counts a refusal that is somebody's guess.
    pub(super) fn count_refusal(&self, refusal: &Refusal) {
        if let Refusal::Unauthorized { .. } = refusal {
            self.count(Incident::ApiUnauthorized);
        }
    }
}

/// What proxies add, beside `Forwarded` and `Via`.
const FORWARDED_FOR: [&str; 2] = ["x-forwarded-for", "x-real-ip"];
/// Browsers say by it whose page asks; pages cannot set it.
const SEC_FETCH_SITE: &str = "sec-fetch-site";

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::http::Method;

    use super::*;
    use crate::config::Secret;

    fn config(auth: ApiAuth) -> HttpApiConfig {
        HttpApiConfig {
            auth,
            token: Secret::new("s3cret"),
            username: Some("admin".to_owned()),
            password: Secret::new("a:b"),
            ..HttpApiConfig::default()
        }
    }

    fn tcp(address: &str) -> HttpPeer {
        HttpPeer::Tcp(address.parse::<SocketAddr>().unwrap())
    }

    type Headers = &'static [(&'static str, &'static str)];

    const UNIX: HttpPeer = HttpPeer::Unix { uid: None };

    fn status(
        config: &HttpApiConfig,
        peer: HttpPeer,
        method: Method,
        headers: &[(&str, &str)],
    ) -> u16 {
        let mut request = Request::builder().method(method).uri("/api/v1/clients/100");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let checked = check(config, peer, &request.body(()).unwrap(), false);
        checked.map_or_else(|refusal| refusal.status().as_u16(), |()| 200)
    }

    #[test]
    fn who_comes_from_elsewhere_must_prove_it() {
        let remote = tcp("192.0.2.1:5000");
        let (v4, v6, mapped) = (
            tcp("127.0.0.1:1"),
            tcp("[::1]:1"),
            tcp("[::ffff:127.0.0.1]:1"),
        );
        let mapped_remote = tcp("[::ffff:192.0.2.1]:1");
        let proxied: Headers = &[("x-forwarded-for", "127.0.0.1")];
        let cases: [(ApiAuth, HttpPeer, Headers, u16); 18] = [
            (ApiAuth::Remote, UNIX, &[], 200),
            (ApiAuth::Remote, v4, &[], 200),
            (ApiAuth::Remote, v6, &[], 200),
            (ApiAuth::Remote, mapped, &[], 200),
            (ApiAuth::Remote, remote, &[], 401),
            (ApiAuth::Remote, mapped_remote, &[], 401),
            (ApiAuth::Remote, v4, proxied, 401),
            (ApiAuth::Remote, v4, &[("Forwarded", "for=127.0.0.1")], 401),
            (ApiAuth::Remote, v4, &[("X-Real-IP", "127.0.0.1")], 401),
            (ApiAuth::Remote, v4, &[("Via", "1.1 proxy")], 401),
            (ApiAuth::Remote, UNIX, proxied, 401),
            (ApiAuth::Always, UNIX, &[], 200),
            (ApiAuth::Always, UNIX, proxied, 401),
            (ApiAuth::Always, v4, &[], 401),
            (ApiAuth::Always, remote, &[], 401),
            (ApiAuth::Never, remote, &[], 200),
            (ApiAuth::Never, remote, proxied, 200),
            (
                ApiAuth::Always,
                v4,
                &[("Authorization", "Bearer s3cret")],
                200,
            ),
        ];
        for (auth, peer, headers, expected) in cases {
            let found = status(&config(auth), peer, Method::GET, headers);
            assert_eq!(found, expected, "{auth:?} {peer} {headers:?}");
        }
    }

    #[test]
    fn a_proof_is_the_token_or_name_and_password_and_nothing_near_it() {
        let cases = [
            ("Bearer s3cret", 200),
            ("bearer s3cret", 200),
            ("Bearer  s3cret ", 200),
            ("Bearer s3cre", 401),
            ("Bearer s3crett", 401),
            ("Bearer S3CRET", 401),
            ("Bearer ", 401),
            ("Bearer", 401),
            ("s3cret", 401),
            // admin:a:b, admin:a, admin, and what is no base64.
            ("Basic YWRtaW46YTpi", 200),
            ("BASIC YWRtaW46YTpi", 200),
            ("Basic YWRtaW46YQ==", 401),
            ("Basic YWRtaW4=", 401),
            ("Basic ###", 401),
            ("Digest YWRtaW46YTpi", 401),
        ];
        let remote = tcp("192.0.2.1:5000");
        for (value, expected) in cases {
            let headers = [("Authorization", value)];
            let found = status(&config(ApiAuth::Remote), remote, Method::GET, &headers);
            assert_eq!(found, expected, "{value}");
        }
        let twice = [
            ("Authorization", "Bearer s3cret"),
            ("Authorization", "Bearer x"),
        ];
        assert_eq!(
            status(&config(ApiAuth::Remote), remote, Method::GET, &twice),
            401
        );
    }

    #[test]
    fn without_a_token_none_is_right() {
        let bare = HttpApiConfig {
            auth: ApiAuth::Always,
            ..HttpApiConfig::default()
        };
        for value in ["Bearer ", "Bearer x", "Basic Og==", "Basic "] {
            let headers = [("Authorization", value)];
            assert_eq!(
                status(&bare, tcp("127.0.0.1:1"), Method::GET, &headers),
                401,
                "{value}"
            );
        }
    }

    #[test]
    fn pages_of_others_read_nothing_without_proof_and_change_nothing() {
        let here = tcp("127.0.0.1:1");
        const BEARER: (&str, &str) = ("Authorization", "Bearer s3cret");
        const BASIC: (&str, &str) = ("Authorization", "Basic YWRtaW46YTpi");
        const HOST: (&str, &str) = ("Host", "127.0.0.1:1985");
        const FOREIGN: (&str, &str) = ("Origin", "http://evil.example");
        let cases: [(Headers, u16, u16); 17] = [
            // curl and Prometheus, by whatever name a host has.
            (&[HOST], 200, 200),
            (&[("Host", "localhost:1985")], 200, 200),
            (&[("Host", "[::1]:1985")], 200, 200),
            (&[("Host", "server:1985")], 200, 200),
            (&[], 200, 200),
            // A page whose name points here.
            (&[("Host", "evil.example:1985")], 403, 403),
            (&[("Host", "localhost.evil.example")], 403, 403),
            (
                &[("Host", "evil.example"), ("Authorization", "Bearer x")],
                403,
                403,
            ),
            // A page of ours.
            (&[HOST, ("Origin", "http://127.0.0.1:1985")], 200, 200),
            (&[HOST, ("Sec-Fetch-Site", "same-origin")], 200, 200),
            // Pages of others.
            (&[HOST, FOREIGN], 401, 403),
            (&[HOST, ("Origin", "null")], 401, 403),
            (&[HOST, ("Sec-Fetch-Site", "cross-site")], 401, 403),
            (&[HOST, ("Sec-Fetch-Site", "same-site")], 401, 403),
            (&[HOST, FOREIGN, ("Authorization", "Bearer x")], 401, 403),
            // What a browser remembers is no proof that its user wants it.
            (&[HOST, FOREIGN, BASIC], 200, 403),
            (&[("Host", "evil.example"), FOREIGN, BEARER], 200, 200),
        ];
        for (headers, read, change) in cases {
            for (method, expected) in [(Method::GET, read), (Method::DELETE, change)] {
                let found = status(&config(ApiAuth::Remote), here, method.clone(), headers);
                assert_eq!(found, expected, "{method} {headers:?}");
            }
        }
        let remote = tcp("192.0.2.1:5000");
        let remembered = [("Host", "live.example:1985"), FOREIGN, BASIC];
        let found = status(&config(ApiAuth::Remote), remote, Method::POST, &remembered);
        assert_eq!(found, 403);
        // A proxy before a unix socket passes on what pages ask.
        let found = status(&config(ApiAuth::Remote), UNIX, Method::GET, &[FOREIGN]);
        assert_eq!(found, 401);
    }

    #[test]
    fn where_nobody_proves_anything_pages_read_but_change_nothing_by_a_borrowed_name() {
        let config = config(ApiAuth::Never);
        const FOREIGN: Headers = &[("Host", "127.0.0.1"), ("Origin", "http://evil.example")];
        for peer in [tcp("127.0.0.1:1"), tcp("192.0.2.1:5000")] {
            let cases: [(Headers, u16, u16); 4] = [
                (&[("Host", "192.0.2.9:1985")], 200, 200),
                (&[("Host", "srs:1985")], 200, 200),
                (&[("Host", "evil.example:1985")], 200, 403),
                (FOREIGN, 200, 403),
            ];
            for (headers, read, change) in cases {
                assert_eq!(status(&config, peer, Method::GET, headers), read);
                let found = status(&config, peer, Method::DELETE, headers);
                assert_eq!(found, change, "{peer} {headers:?}");
            }
        }
    }

    #[test]
    fn without_crossdomain_a_borrowed_name_reads_nothing_where_nobody_proves_anything() {
        let strict = HttpApiConfig {
            crossdomain: false,
            ..config(ApiAuth::Never)
        };
        let here = tcp("127.0.0.1:1");
        for (host, expected) in [("evil.example", 403), ("127.0.0.1:1985", 200)] {
            let found = status(&strict, here, Method::GET, &[("Host", host)]);
            assert_eq!(found, expected, "{host}");
        }
    }

    #[test]
    fn what_is_for_everybody_may_be_asked_by_any_name() {
        let request = Request::post("/api/v1/servers")
            .header("Host", "collector.example:1985")
            .body(())
            .unwrap();
        for peer in [tcp("127.0.0.1:1"), tcp("192.0.2.1:5000")] {
            assert_eq!(
                check(&config(ApiAuth::Remote), peer, &request, true),
                Ok(())
            );
        }
    }

    #[test]
    fn a_host_is_ours_by_address_or_by_a_name_that_no_stranger_gives() {
        for (host, expected) in [
            ("127.0.0.1", true),
            ("192.0.2.1:1985", true),
            ("[::1]:1985", true),
            ("LOCALHOST", true),
            ("live.example.com:1985", true),
            ("Live.Example.Com", true),
            ("live", true),
            ("example.com", false),
            ("live.example.com.evil.example", false),
            ("evil.example.", false),
            ("evil.", false),
            ("x:y:z", false),
            ("[evil.example]", false),
        ] {
            assert_eq!(is_ours(host, "live.example.com"), expected, "{host}");
        }
    }
}
