//! Who may connect, publish and play: by the page that a player sits in.

use crate::config::{Domain, ReferConfig};

/// What a client wants, where the rules differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To connect, whatever follows.
    Connect,
    /// To publish.
    Publish,
    /// To play.
    Play,
}

/// Whether the page of a client is among those that a vhost allows.
///
/// # Errors
/// [`Refused`], with the page's host, if it is not.
pub fn check_refer(refer: &ReferConfig, purpose: Purpose, page_url: &str) -> Result<(), Refused> {
    let allowed = match purpose {
        Purpose::Connect => &refer.all,
        Purpose::Publish => &refer.publish,
        Purpose::Play => &refer.play,
    };
    if !refer.enabled || allowed.is_empty() {
        return Ok(());
    }
    let host = host_of(page_url);
    if allowed.iter().any(|domain| is_within(&host, domain)) {
        return Ok(());
    }
    Err(Refused { page_host: host })
}

/// A page that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is not among the allowed pages", if page_host.is_empty() { "a client without a page" } else { page_host })]
pub struct Refused {
    /// The page's host; empty for clients that sent none, as encoders.
    pub page_host: String,
}

/// The host of a page's URL, in lower case.
fn host_of(page_url: &str) -> String {
    let rest = page_url
        .split_once("://")
        .map_or(page_url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(literal) => literal.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    host.trim_end_matches('.').to_lowercase()
}

/// Whether `host` is `domain`, or a name below it.
fn is_within(host: &str, domain: &Domain) -> bool {
    match host.strip_suffix(domain.as_str()) {
        Some(below) => below.is_empty() || below.ends_with('.'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refer(domains: &[&str]) -> ReferConfig {
        let play = domains
            .iter()
            .map(|domain| domain.parse().expect("a domain"))
            .collect();
        ReferConfig {
            enabled: true,
            play,
            ..ReferConfig::default()
        }
    }

    #[test]
    fn a_page_is_allowed_by_its_domain_or_one_above_it() {
        let refer = refer(&["example.com", "203.0.113.7"]);
        for (page, allowed) in [
            ("http://example.com/player.html", true),
            ("https://www.Example.com:8443/a?b#c", true),
            ("http://user@deep.www.example.com", true),
            ("http://203.0.113.7/", true),
            ("http://example.com./", true),
            ("http://evilexample.com/", false),
            ("http://example.com.evil.net/", false),
            ("http://evil.net/?example.com", false),
            ("http://example.com@evil.net/", false),
            ("http://evil.net#example.com", false),
            ("", false),
        ] {
            assert_eq!(
                check_refer(&refer, Purpose::Play, page).is_ok(),
                allowed,
                "{page}"
            );
        }
    }

    #[test]
    fn lists_that_are_empty_or_switched_off_restrict_nobody() {
        let on = refer(&["example.com"]);
        assert!(check_refer(&on, Purpose::Publish, "").is_ok());
        let off = ReferConfig {
            enabled: false,
            ..on
        };
        assert!(check_refer(&off, Purpose::Play, "http://evil.net/").is_ok());
    }
}
