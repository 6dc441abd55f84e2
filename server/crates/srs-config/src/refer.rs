//! `[vhost."NAME".refer]`: the web pages whose players may connect.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// `[vhost."NAME".refer]`: domains of the page that a client names in `pageUrl`. An empty list
/// restricts nobody.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReferConfig {
    /// Whether the lists are looked at.
    pub enabled: bool,
    /// Checked when a client connects.
    pub all: Vec<Domain>,
    /// Checked when a client publishes, beside `all`.
    pub publish: Vec<Domain>,
    /// Checked when a client plays, beside `all`.
    pub play: Vec<Domain>,
}

/// A domain name or IP address in lower case: no scheme, no port, no path, no dot at either end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Domain(String);

impl Domain {
    /// The domain as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Domain {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, DomainError> {
        if text.contains("://") {
            return Err(DomainError::Scheme);
        }
        if text.contains('/') {
            return Err(DomainError::Path);
        }
        if text.contains(':') {
            return Err(DomainError::Port);
        }
        if text.contains('*') {
            return Err(DomainError::Wildcard);
        }
        let domain = text.strip_prefix('.').unwrap_or(text);
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        if domain.is_empty() {
            return Err(DomainError::Empty);
        }
        let is_valid = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if let Some(invalid) = domain.chars().find(|&c| !is_valid(c)) {
            return Err(DomainError::Character(invalid));
        }
        Ok(Self(domain.to_lowercase()))
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Domain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(|error| de::Error::custom(format_args!("{error}; {EXPECTED}")))
    }
}

impl JsonSchema for Domain {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Domain".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^[^\s:/*]+$" })
    }
}

/// Why a text is no [`Domain`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DomainError {
    /// Nothing there.
    #[error("a domain cannot be empty")]
    Empty,
    /// `http://…`
    #[error("a domain has no scheme")]
    Scheme,
    /// `…/index.html`
    #[error("a domain has no path")]
    Path,
    /// `…:8080`
    #[error("a domain has no port")]
    Port,
    /// `*.example.com`
    #[error("a domain covers its subdomains without `*`")]
    Wildcard,
    /// A character that no domain has.
    #[error("{0:?} cannot be in a domain")]
    Character(char),
}

const EXPECTED: &str = "expected a domain such as \"example.com\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_a_name_in_lower_case_without_outer_dots() {
        let cases = [
            ("example.com", Ok("example.com")),
            ("Example.COM.", Ok("example.com")),
            (".example.com", Ok("example.com")),
            ("192.0.2.1", Ok("192.0.2.1")),
            ("bücher.example", Ok("bücher.example")),
            ("", Err(DomainError::Empty)),
            (".", Err(DomainError::Empty)),
            ("http://example.com", Err(DomainError::Scheme)),
            ("example.com/live", Err(DomainError::Path)),
            ("example.com:8080", Err(DomainError::Port)),
            ("*.example.com", Err(DomainError::Wildcard)),
            ("example com", Err(DomainError::Character(' '))),
        ];
        for (text, expected) in cases {
            let domain = text.parse::<Domain>();
            assert_eq!(
                domain.as_ref().map(Domain::as_str),
                expected.as_ref().copied(),
                "{text:?}"
            );
        }
    }
}
