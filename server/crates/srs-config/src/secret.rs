//! What must not be shown.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A password or token. It is written into files as it is, and never shown otherwise.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// `None` if `text` is empty, longer than 1024 bytes or has control characters, which no
    /// HTTP header can carry.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let is_right =
            !text.is_empty() && text.len() <= MAX_LEN && !text.chars().any(char::is_control);
        is_right.then_some(Self(text))
    }

    /// The text, for whoever must compare or send it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).ok_or_else(|| {
            de::Error::custom("expected a text of 1 to 1024 bytes without control characters")
        })
    }
}

impl JsonSchema for Secret {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // What is written only is shown nowhere: see `Setting::is_secret`.
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MAX_LEN, "writeOnly": true })
    }
}

/// Reads a bearer token, for `#[serde(deserialize_with = "…")]`: what clients can put into a header
/// as it is (RFC 6750, 2.1, but for its narrower choice of signs).
pub(super) fn token<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Secret>, D::Error> {
    let token = Secret::deserialize(deserializer)?;
    if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(de::Error::custom(
            "expected a text of letters, digits and signs of ASCII, without spaces",
        ));
    }
    Ok(Some(token))
}

const MAX_LEN: usize = 1024;
