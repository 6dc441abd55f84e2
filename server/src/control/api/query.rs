//! The query of a request, as types: what they take, the OpenAPI document says.

use std::fmt;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, de};

use super::refusal::Refusal;

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

/// Which part of a list is asked for.
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

/// As SRS.
fn default_count() -> usize {
    10
}

/// A whole number within bounds; the message says which.
fn number<'de, const MIN: usize, const MAX: usize, D: Deserializer<'de>>(
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
