//! Whole numbers with a range.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserializer, Serializer, de};

/// Reads and writes an integer of `MIN` to `MAX`, for `#[serde(with = "…")]`.
pub(crate) struct Count<const MIN: u64, const MAX: u64>;

impl<const MIN: u64, const MAX: u64> Count<MIN, MAX> {
    pub(crate) fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
    where
        D: Deserializer<'de>,
        T: TryFrom<u64>,
    {
        deserializer.deserialize_any(CountVisitor {
            min: MIN,
            max: MAX,
            target: PhantomData,
        })
    }

    pub(crate) fn serialize<S, T>(count: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
        T: Copy + TryInto<u64>,
    {
        serializer.serialize_u64((*count).try_into().unwrap_or(u64::MAX))
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Count<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

struct CountVisitor<T> {
    min: u64,
    max: u64,
    target: PhantomData<T>,
}

impl<T: TryFrom<u64>> de::Visitor<'_> for CountVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {} to {}", self.min, self.max)
    }

    fn visit_i64<E: de::Error>(self, count: i64) -> Result<T, E> {
        match u64::try_from(count) {
            Ok(count) => self.visit_u64(count),
            Err(_) => Err(E::invalid_value(de::Unexpected::Signed(count), &self)),
        }
    }

    fn visit_u64<E: de::Error>(self, count: u64) -> Result<T, E> {
        Some(count)
            .filter(|count| (self.min..=self.max).contains(count))
            .and_then(|count| T::try_from(count).ok())
            .ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(count), &self))
    }
}
