//! The query of a request, as types: what they take, the OpenAPI document says.

use std::borrow::Cow;
use std::fmt;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use schemars::generate::SchemaGenerator;
use schemars::{JsonSchema, Schema, json_schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, de};

use super::refusal::Refusal;
use crate::control::report::{MAX_PATTERN, Pattern, Sort, SortKey};

/// The query of a request. Parameters that it does not know mean nothing.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => {
                let text = rejection.body_text();
                // What comes after this names the parameter.
                let text = text
                    .strip_prefix("Failed to deserialize query string: ")
                    .unwrap_or(&text);
                Err(Refusal::Query(text.to_owned()))
            }
        }
    }
}

/// Which part of a list is asked for. It counts the rows that the other parameters leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub(super) struct PageQuery {
    /// How many to leave out at the beginning.
    #[serde(default, deserialize_with = "number::<0, MAX_START, _>")]
    #[schemars(range(min = 0, max = MAX_START))]
    pub(super) start: usize,
    /// How many to give at most.
    #[serde(
        default = "default_count",
        deserialize_with = "number::<1, MAX_COUNT, _>"
    )]
    #[schemars(range(min = 1, max = MAX_COUNT))]
    pub(super) count: usize,
}

/// Which rows of a list are asked for, by the text that people see of them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub(super) struct MatchQuery {
    /// Those that this regular expression matches somewhere, in the syntax of the crate `regex`. A
    /// stream's text is `APP/STREAM`, or `VHOST/APP/STREAM` if its vhost has a name; a client's is
    /// `ID TYPE ADDRESS:PORT STREAM AGENT`.
    #[schemars(with = "String", length(max = MAX_PATTERN))]
    filter: Option<String>,
    /// Those that it does not match instead.
    #[serde(default)]
    invert: bool,
}

impl MatchQuery {
    /// The pattern, compiled; that may take some milliseconds.
    ///
    /// # Errors
    /// [`Refusal::Query`]: it is none.
    pub(super) fn pattern(&self) -> Result<Option<Pattern>, Refusal> {
        let compile = |text| Pattern::new(text, self.invert);
        let pattern = self.filter.as_deref().map(compile).transpose();
        pattern.map_err(|error| Refusal::Query(format!("filter: {error}")))
    }
}

impl<'de, K: SortKey> Deserialize<'de> for Sort<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let (name, descending) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (&*text, false),
        };
        match K::ALL.iter().find(|(known, _)| *known == name) {
            Some(&(_, key)) => Ok(Self { key, descending }),
            None => {
                let keys: Vec<&str> = K::ALL.iter().map(|(known, _)| *known).collect();
                let keys = keys.join(", ");
                Err(de::Error::custom(format_args!(
                    "there is no key {name:?}; there are {keys}, and each with a - before it for \
                     the greatest first"
                )))
            }
        }
    }
}

impl<K: SortKey> JsonSchema for Sort<K> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Sort".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names = K::ALL.iter().map(|(name, _)| *name);
        let names: Vec<String> = names
            .flat_map(|name| [name.to_owned(), format!("-{name}")])
            .collect();
        json_schema!({ "type": "string", "enum": names })
    }
}

/// A whole number within bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number<const MIN: usize, const MAX: usize>(pub(super) usize);

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for Number<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        number::<MIN, MAX, D>(deserializer).map(Self)
    }
}

impl<const MIN: usize, const MAX: usize> JsonSchema for Number<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// As SRS.
fn default_count() -> usize {
    10
}

/// A whole number within bounds; the message says which.
pub(super) fn number<'de, const MIN: usize, const MAX: usize, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<usize, D::Error> {
    struct Visitor<const MIN: usize, const MAX: usize>;

    impl<const MIN: usize, const MAX: usize> de::Visitor<'_> for Visitor<MIN, MAX> {
        type Value = usize;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a number from {MIN} to {MAX}")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<usize, E> {
            let number = text
                .parse()
                .ok()
                .filter(|number| (MIN..=MAX).contains(number));
            number.ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }

    deserializer.deserialize_str(Visitor::<MIN, MAX>)
}

/// More than any list has.
const MAX_START: usize = 1_000_000_000;
/// A page of so many streams has some ten megabytes.
const MAX_COUNT: usize = 1_000;
