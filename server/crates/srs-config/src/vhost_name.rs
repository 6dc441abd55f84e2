//! Names of vhosts: what stands between the quotes of `[vhost."NAME"]`.

use std::borrow::{Borrow, Cow};
use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::VhostConfig;

/// A host name or IP address in the one form in which names are compared: lower case, no dot at
/// the end, no brackets around IPv6. Or [`VhostName::DEFAULT`], as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct VhostName(String);

impl VhostName {
    /// The vhost of all hosts that no table names.
    pub const DEFAULT: &str = "__defaultVhost__";

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// [`VhostName::DEFAULT`].
impl Default for VhostName {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

impl FromStr for VhostName {
    type Err = VhostNameError;

    fn from_str(text: &str) -> Result<Self, VhostNameError> {
        let name = normalize(text);
        if name.parse::<Ipv6Addr>().is_ok() {
            return Ok(Self(name.into_owned()));
        }
        if name.is_empty() {
            return Err(VhostNameError::Empty);
        }
        if name.contains("://") || name.contains('/') {
            return Err(VhostNameError::Url);
        }
        if name.contains(':') {
            return Err(VhostNameError::Port);
        }
        if name.contains('*') {
            return Err(VhostNameError::Wildcard);
        }
        if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
            return Err(VhostNameError::EmptyLabel);
        }
        let is_valid = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if let Some(invalid) = name.chars().find(|&c| !is_valid(c)) {
            return Err(VhostNameError::Character(invalid));
        }
        Ok(Self(name.into_owned()))
    }
}

/// The form in which names are compared, for any host that a client may send.
pub(super) fn normalize(host: &str) -> Cow<'_, str> {
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.eq_ignore_ascii_case(VhostName::DEFAULT) {
        return Cow::Borrowed(VhostName::DEFAULT);
    }
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    if let Ok(ip) = bare.parse::<Ipv6Addr>() {
        return Cow::Owned(ip.to_string());
    }
    if host.chars().any(char::is_uppercase) {
        Cow::Owned(host.to_lowercase())
    } else {
        Cow::Borrowed(host)
    }
}

impl Borrow<str> for VhostName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VhostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for VhostName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(|error| de::Error::custom(format_args!("{error}; {EXPECTED}")))
    }
}

impl JsonSchema for VhostName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "VhostName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^[^\s:/*]+$|^\[?([0-9A-Fa-f]*:){2}[0-9A-Fa-f:.]*\]?$",
        })
    }
}

/// Why a text is no [`VhostName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VhostNameError {
    /// Nothing there.
    #[error("a vhost needs a name")]
    Empty,
    /// `rtmp://…`
    #[error("a vhost is named by its host alone")]
    Url,
    /// `…:1935`
    #[error("a vhost has no port")]
    Port,
    /// `*.example.com`
    #[error("a vhost is one name, not a pattern")]
    Wildcard,
    /// `example..com`
    #[error("there is nothing between two dots, or beside one")]
    EmptyLabel,
    /// A character that no host has.
    #[error("{0:?} cannot be in a host name")]
    Character(char),
}

const EXPECTED: &str = "expected a host name such as \"live.example.com\", or __defaultVhost__ \
                        for all that have no table";

/// Reads and writes the tables by name: no two of the same host.
pub(super) mod map {
    use super::*;

    type Vhosts = BTreeMap<VhostName, VhostConfig>;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vhosts, D::Error> {
        deserializer.deserialize_map(MapVisitor)
    }

    pub(crate) fn serialize<S: Serializer>(
        vhosts: &Vhosts,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        vhosts.serialize(serializer)
    }

    struct MapVisitor;

    impl<'de> de::Visitor<'de> for MapVisitor {
        type Value = Vhosts;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a table per vhost, such as [vhost.\"live.example.com\"]")
        }

        fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Vhosts, A::Error> {
            let mut vhosts = Vhosts::new();
            while let Some(name) = map.next_key_seed(Beside(&vhosts))? {
                let vhost = map.next_value()?;
                vhosts.insert(name, vhost);
            }
            Ok(vhosts)
        }
    }

    /// Reads a name that no table has yet: names that differ in TOML can be one host. As a seed,
    /// so that the error points at the name.
    struct Beside<'a>(&'a Vhosts);

    impl<'de> de::DeserializeSeed<'de> for Beside<'_> {
        type Value = VhostName;

        fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<VhostName, D::Error> {
            let name = VhostName::deserialize(d)?;
            if self.0.contains_key(&name) {
                return Err(de::Error::custom(format_args!(
                    "there is a table for {name} already"
                )));
            }
            Ok(name)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_has_one_form_however_it_is_written() {
        let cases = [
            ("live.example.com", Ok("live.example.com")),
            ("Live.Example.COM.", Ok("live.example.com")),
            ("__DEFAULTVHOST__", Ok("__defaultVhost__")),
            ("192.0.2.1", Ok("192.0.2.1")),
            ("[2001:DB8:0::1]", Ok("2001:db8::1")),
            ("::1", Ok("::1")),
            ("BÜCHER.example", Ok("bücher.example")),
            ("", Err(VhostNameError::Empty)),
            (".", Err(VhostNameError::Empty)),
            ("rtmp://example.com", Err(VhostNameError::Url)),
            ("example.com/live", Err(VhostNameError::Url)),
            ("example.com:1935", Err(VhostNameError::Port)),
            ("*.example.com", Err(VhostNameError::Wildcard)),
            (".example.com", Err(VhostNameError::EmptyLabel)),
            ("example..com", Err(VhostNameError::EmptyLabel)),
            ("example.com..", Err(VhostNameError::EmptyLabel)),
            ("a b", Err(VhostNameError::Character(' '))),
            ("[example]", Err(VhostNameError::Character('['))),
        ];
        for (text, expected) in cases {
            let name = text.parse::<VhostName>();
            assert_eq!(
                name.as_ref().map(VhostName::as_str),
                expected.as_ref().copied(),
                "{text:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_name_stays_what_it_is(text in r"[\[\]:.A-Z0-9_\PC]{0,24}") {
            if let Ok(name) = text.parse::<VhostName>() {
                prop_assert_eq!(normalize(name.as_str()), name.as_str());
            }
        }
    }
}
