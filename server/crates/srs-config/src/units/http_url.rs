//! URLs of HTTP servers.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// An `http://` or `https://` URL with a host, without user and password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HttpUrl(String);

impl HttpUrl {
    /// `None` if `text` is none.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let rest = text
            .strip_prefix("http://")
            .or_else(|| text.strip_prefix("https://"))?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let is_right = !authority.is_empty()
            && !authority.starts_with(':')
            && !authority.contains('@')
            && !text.contains(|c: char| c.is_control() || c.is_whitespace());
        is_right.then_some(Self(text))
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for HttpUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).ok_or_else(|| {
            de::Error::custom(r#"expected "http://HOST/PATH" or "https://HOST/PATH""#)
        })
    }
}

impl JsonSchema for HttpUrl {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "HttpUrl".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uri", "pattern": "^https?://[^/?#:@]" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_scheme_and_a_host() {
        for (text, is_url) in [
            ("http://127.0.0.1:8085/api/v1/servers", true),
            ("https://[::1]/x?y=z", true),
            ("http://host", true),
            ("ftp://host/", false),
            ("http://", false),
            ("http:///path", false),
            ("http://:80/", false),
            ("http://user:password@host/", false),
            ("http://ho st/", false),
            ("host/path", false),
        ] {
            assert_eq!(HttpUrl::new(text).is_some(), is_url, "{text}");
        }
    }
}
