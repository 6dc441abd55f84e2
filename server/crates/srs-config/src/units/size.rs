//! Sizes: `"16MB"`, `"64KiB"`; bare numbers are bytes.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserializer, Serializer, de};

use super::{AUTO, DecimalError, excerpt, multiply};

/// Reads and writes an integer of `MIN` to `MAX` bytes, for `#[serde(with = "…")]`.
pub(crate) struct SizeBetween<const MIN: u64, const MAX: u64>;

impl<const MIN: u64, const MAX: u64> SizeBetween<MIN, MAX> {
    pub(crate) fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
    where
        D: Deserializer<'de>,
        T: TryFrom<u64>,
    {
        deserializer.deserialize_any(SizeVisitor {
            min: MIN,
            max: MAX,
            auto: None,
            make: |bytes| T::try_from(bytes).ok(),
        })
    }

    pub(crate) fn serialize<S, T>(size: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
        T: Copy + TryInto<u64>,
    {
        serializer.serialize_str(&format_size((*size).try_into().unwrap_or(u64::MAX)))
    }
}

/// As [`SizeBetween`], with "auto" for what the server finds by itself, which is `None`.
pub(crate) struct SizeOrAuto<const MIN: u64, const MAX: u64>;

impl<const MIN: u64, const MAX: u64> SizeOrAuto<MIN, MAX> {
    pub(crate) fn deserialize<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        D: Deserializer<'de>,
        T: TryFrom<u64>,
    {
        deserializer.deserialize_any(SizeVisitor {
            min: MIN,
            max: MAX,
            auto: Some(None),
            make: |bytes| T::try_from(bytes).ok().map(Some),
        })
    }

    pub(crate) fn serialize<S, T>(size: &Option<T>, serializer: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
        T: Copy + TryInto<u64>,
    {
        match size {
            Some(size) => SizeBetween::<MIN, MAX>::serialize(size, serializer),
            None => serializer.serialize_str(AUTO),
        }
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for SizeBetween<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema(MIN, MAX, "")
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for SizeOrAuto<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SizeOrAuto".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema(MIN, MAX, "^auto$|")
    }
}

/// Sizes of `min` to `max` bytes, as far as a schema can tell; `or` is a pattern of what else there
/// may be.
fn schema(min: u64, max: u64, or: &str) -> Schema {
    json_schema!({
        "type": ["string", "integer"],
        "pattern": format!(r"{or}^[0-9]+(\.[0-9]+)?(([kKmMgG][iI]?)?[bB])?$"),
        "minimum": min,
        "maximum": max,
    })
}

/// Parses a number with a unit, or one of bytes.
fn parse_size(text: &str) -> Result<u64, SizeError> {
    if text.is_empty() {
        return Err(SizeError::Empty);
    }
    if text.starts_with('-') {
        return Err(SizeError::Negative);
    }
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, name) = text.split_at(split);
    if number.is_empty() {
        return Err(SizeError::NotANumber(excerpt(text)));
    }
    let unit = unit_bytes(name).ok_or_else(|| match name {
        "k" | "K" | "m" | "M" | "g" | "G" => SizeError::AmbiguousUnit(name.to_uppercase()),
        _ => SizeError::UnknownUnit(excerpt(name)),
    })?;
    multiply(number, unit).map_err(|error| match error {
        DecimalError::NotANumber => SizeError::NotANumber(excerpt(number)),
        DecimalError::TooLarge => SizeError::TooLarge,
        DecimalError::Inexact => SizeError::TooFine,
    })
}

/// The shortest text that [`parse_size`] reads back.
fn format_size(bytes: u64) -> String {
    UNITS
        .iter()
        .filter(|(_, unit)| bytes != 0 && bytes.is_multiple_of(*unit))
        .map(|(name, unit)| format!("{}{name}", bytes / unit))
        .min_by_key(String::len)
        .unwrap_or_else(|| bytes.to_string())
}

fn unit_bytes(name: &str) -> Option<u64> {
    match name {
        "" | "B" | "b" => Some(1),
        _ => UNITS
            .iter()
            .find(|(unit, _)| unit.eq_ignore_ascii_case(name))
            .map(|(_, n)| *n),
    }
}

/// Units and their bytes.
const UNITS: [(&str, u64); 6] = [
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
];

/// Why a value is no size.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum SizeError {
    #[error("a size cannot be empty")]
    Empty,
    #[error("a size cannot be negative")]
    Negative,
    #[error("`{0}` is not a number")]
    NotANumber(String),
    #[error("`{0}` can be {0}B (powers of 1000) or {0}iB (powers of 1024)")]
    AmbiguousUnit(String),
    #[error("`{0}` is no unit of size (KB, MB, GB, KiB, MiB or GiB)")]
    UnknownUnit(String),
    #[error("a byte is the smallest step")]
    TooFine,
    #[error("that is more than can be counted")]
    TooLarge,
}

struct SizeVisitor<T> {
    min: u64,
    max: u64,
    /// What "auto" means, where it means something.
    auto: Option<T>,
    /// `None` if a number is too large for its type.
    make: fn(u64) -> Option<T>,
}

impl<T> SizeVisitor<T> {
    fn check<E: de::Error>(&self, parsed: Result<u64, SizeError>) -> Result<T, E> {
        let expected: &dyn de::Expected = self;
        let bytes =
            parsed.map_err(|error| E::custom(format_args!("{error}; expected {expected}")))?;
        Some(bytes)
            .filter(|bytes| (self.min..=self.max).contains(bytes))
            .and_then(self.make)
            .ok_or_else(|| E::custom(format_args!("expected {expected}")))
    }
}

impl<T> de::Visitor<'_> for SizeVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [min, max] = [self.min, self.max].map(format_size);
        let bytes = if max.ends_with('B') { "" } else { " bytes" };
        if self.auto.is_some() {
            write!(f, "{AUTO:?} or ")?;
        }
        write!(f, "a size from {min} to {max}{bytes}, such as \"2MB\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        match self.auto {
            Some(auto) if text == AUTO => Ok(auto),
            _ => self.check(parse_size(text)),
        }
    }

    fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<T, E> {
        self.check(u64::try_from(bytes).map_err(|_| SizeError::Negative))
    }

    fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<T, E> {
        self.check(Ok(bytes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_numbers_with_units_or_bare_bytes() {
        let cases = [
            ("0", 0),
            ("100", 100),
            ("100B", 100),
            ("16MB", 16_000_000),
            ("16mb", 16_000_000),
            ("1kB", 1_000),
            ("2GB", 2_000_000_000),
            ("64KiB", 65_536),
            ("1.5MiB", 1_572_864),
            ("1GiB", 1_073_741_824),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse_size(text), Ok(bytes), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused_with_its_reason() {
        let cases = [
            ("", SizeError::Empty),
            ("-1MB", SizeError::Negative),
            ("MB", SizeError::NotANumber("MB".to_owned())),
            ("1..5MB", SizeError::NotANumber("1..5".to_owned())),
            ("16m", SizeError::AmbiguousUnit("M".to_owned())),
            ("16 MB", SizeError::UnknownUnit(" MB".to_owned())),
            ("16TB", SizeError::UnknownUnit("TB".to_owned())),
            ("0.5", SizeError::TooFine),
            ("1.0001KB", SizeError::TooFine),
            ("18446744073709551615KB", SizeError::TooLarge),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_size(text), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn sizes_are_written_as_short_as_they_can_be() {
        let cases = [
            (0, "0"),
            (1, "1"),
            (16_000_000, "16MB"),
            (65_536, "64KiB"),
            (16_777_215, "16777215"),
            (68_719_476_736, "64GiB"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(format_size(bytes), expected);
        }
    }

    proptest! {
        #[test]
        fn every_size_reads_as_it_was_written(bytes: u64, shift in 0_u32..64) {
            for bytes in [bytes, bytes >> shift << shift] {
                prop_assert_eq!(parse_size(&format_size(bytes)), Ok(bytes));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in r"[-0-9.KMGiB \PC]{0,24}") {
            let _ = parse_size(&text);
        }
    }
}
