//! Durations: `"10s"`, `"350ms"`, `"1m30s"`; bare numbers are seconds.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserializer, Serializer, de};

use super::{AUTO, DecimalError, excerpt, multiply};

/// Reads and writes a `Duration` of `MIN` to `MAX` milliseconds, for `#[serde(with = "…")]`.
pub(crate) struct DurationBetween<const MIN: u64, const MAX: u64>;

impl<const MIN: u64, const MAX: u64> DurationBetween<MIN, MAX> {
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        deserializer.deserialize_any(DurationVisitor {
            min: MIN,
            max: MAX,
            zero_is_off: false,
            auto: None,
            make: |duration| duration,
        })
    }

    pub(crate) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_duration(*duration))
    }
}

/// As [`DurationBetween`], with zero for "off", which is `None`.
pub(crate) struct DurationOrOff<const MIN: u64, const MAX: u64>;

impl<const MIN: u64, const MAX: u64> DurationOrOff<MIN, MAX> {
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        deserializer.deserialize_any(DurationVisitor {
            min: MIN,
            max: MAX,
            zero_is_off: true,
            auto: None,
            make: |duration| Some(duration).filter(|duration| !duration.is_zero()),
        })
    }

    pub(crate) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_duration(duration.unwrap_or_default()))
    }
}

/// As [`DurationBetween`], with "auto" for what the server finds by itself, which is `None`.
pub(crate) struct DurationOrAuto<const MIN: u64, const MAX: u64>;

impl<const MIN: u64, const MAX: u64> DurationOrAuto<MIN, MAX> {
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        deserializer.deserialize_any(DurationVisitor {
            min: MIN,
            max: MAX,
            zero_is_off: false,
            auto: Some(None),
            make: Some,
        })
    }

    pub(crate) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => serializer.serialize_str(&format_duration(*duration)),
            None => serializer.serialize_str(AUTO),
        }
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for DurationBetween<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema(MIN, MAX, "")
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for DurationOrOff<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "DurationOrOff".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema(0, MAX, "")
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for DurationOrAuto<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "DurationOrAuto".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema(MIN, MAX, "^auto$|")
    }
}

/// Durations of `min` to `max` milliseconds, as far as a schema can tell; `or` is a pattern of what
/// else there may be.
fn schema(min: u64, max: u64, or: &str) -> Schema {
    let [min, max] = [min, max].map(|ms| Duration::from_millis(ms).as_secs_f64());
    json_schema!({
        "type": ["string", "number"],
        "pattern": format!(r"{or}^([0-9]+(\.[0-9]+)?(ms|d|h|m|s))+$|^[0-9]+(\.[0-9]+)?$"),
        "minimum": min,
        "maximum": max,
    })
}

/// Parses a duration: numbers with units, the largest unit first; or one number of seconds.
fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    if text.is_empty() {
        return Err(DurationError::Empty);
    }
    if text.starts_with('-') {
        return Err(DurationError::Negative);
    }
    let mut rest = text;
    let mut millis: u64 = 0;
    let mut last_unit = u64::MAX;
    while !rest.is_empty() {
        let (number, after) = split_where(rest, |c| !c.is_ascii_digit() && c != '.');
        let (name, after) = split_where(after, |c| c.is_ascii_digit() || c == '.');
        if number.is_empty() {
            return Err(DurationError::NotANumber(excerpt(rest)));
        }
        let unit = match name {
            "" if rest.len() == text.len() => 1_000,
            "" => return Err(DurationError::NoUnit(excerpt(number))),
            _ => unit_millis(name).ok_or_else(|| DurationError::UnknownUnit(excerpt(name)))?,
        };
        if unit >= last_unit {
            return Err(DurationError::Order);
        }
        let part = multiply(number, unit).map_err(|error| match error {
            DecimalError::NotANumber => DurationError::NotANumber(excerpt(number)),
            DecimalError::TooLarge => DurationError::TooLarge,
            DecimalError::Inexact => DurationError::TooFine,
        })?;
        millis = millis.checked_add(part).ok_or(DurationError::TooLarge)?;
        last_unit = unit;
        rest = after;
    }
    Ok(Duration::from_millis(millis))
}

/// A bare float: the decimal that was written, as seconds.
fn parse_seconds(seconds: f64) -> Result<Duration, DurationError> {
    if !seconds.is_finite() {
        return Err(DurationError::NotFinite);
    }
    // The shortest decimal that reads as this float is the one in the file; going through it is
    // exact where a multiplication by 1000 would be off by a bit.
    parse_duration(&seconds.to_string())
}

/// The text that [`parse_duration`] reads back; parts of a millisecond are cut.
fn format_duration(duration: Duration) -> String {
    let mut millis = duration.as_millis();
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (name, unit) in UNITS {
        let unit = u128::from(unit);
        let count = millis / unit;
        millis %= unit;
        if count > 0 && name == "s" && millis > 0 {
            // "9.9s" is easier on the eye than "9s900ms".
            let fraction = format!("{millis:03}");
            return format!("{text}{count}.{}s", fraction.trim_end_matches('0'));
        }
        if count > 0 {
            text += &format!("{count}{name}");
        }
    }
    text
}

fn split_where(text: &str, is_end: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(is_end).unwrap_or(text.len()))
}

fn unit_millis(name: &str) -> Option<u64> {
    UNITS
        .iter()
        .find(|(unit, _)| *unit == name)
        .map(|(_, millis)| *millis)
}

/// Units and their milliseconds, the largest first.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Why a value is no duration.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum DurationError {
    #[error("a duration cannot be empty")]
    Empty,
    #[error("a duration cannot be negative")]
    Negative,
    #[error("a duration is a finite number")]
    NotFinite,
    #[error("`{0}` is not a number")]
    NotANumber(String),
    #[error("`{0}` needs a unit (d, h, m, s or ms)")]
    NoUnit(String),
    #[error("`{0}` is no unit of time (d, h, m, s or ms)")]
    UnknownUnit(String),
    #[error("units go from the largest to the smallest, each once")]
    Order,
    #[error("a millisecond is the smallest step")]
    TooFine,
    #[error("that is more than can be counted")]
    TooLarge,
}

/// People who come from other servers think of milliseconds.
const BARE: &str = "a bare number is seconds; ";

/// `min` and `max` in milliseconds.
struct DurationVisitor<T> {
    min: u64,
    max: u64,
    zero_is_off: bool,
    /// What "auto" means, where it means something.
    auto: Option<T>,
    make: fn(Duration) -> T,
}

impl<T> DurationVisitor<T> {
    /// `note` is said where a duration is out of range.
    fn check<E: de::Error>(
        &self,
        parsed: Result<Duration, DurationError>,
        note: &str,
    ) -> Result<T, E> {
        let expected: &dyn de::Expected = self;
        let duration =
            parsed.map_err(|error| E::custom(format_args!("{error}; expected {expected}")))?;
        let range = u128::from(self.min)..=u128::from(self.max);
        if range.contains(&duration.as_millis()) || (self.zero_is_off && duration.is_zero()) {
            Ok((self.make)(duration))
        } else {
            Err(E::custom(format_args!("{note}expected {expected}")))
        }
    }
}

impl<T> de::Visitor<'_> for DurationVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [min, max] = [self.min, self.max].map(|ms| format_duration(Duration::from_millis(ms)));
        if self.auto.is_some() {
            // What the server finds by itself is a matter of milliseconds.
            return write!(
                f,
                "{AUTO:?} or a duration from {min} to {max}, such as \"350ms\""
            );
        }
        write!(f, "a duration from {min} to {max}, such as \"10s\"")?;
        if self.zero_is_off {
            f.write_str(", or 0 for off")
        } else {
            Ok(())
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        match self.auto {
            Some(auto) if text == AUTO => Ok(auto),
            _ if text.ends_with(|c: char| c.is_ascii_digit()) => {
                self.check(parse_duration(text), BARE)
            }
            _ => self.check(parse_duration(text), ""),
        }
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<T, E> {
        let seconds = u64::try_from(seconds).map_err(|_| DurationError::Negative);
        self.check(seconds.map(Duration::from_secs), BARE)
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<T, E> {
        self.check(Ok(Duration::from_secs(seconds)), BARE)
    }

    fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<T, E> {
        self.check(parse_seconds(seconds), BARE)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_numbers_with_units_or_bare_seconds() {
        let cases = [
            ("0", 0),
            ("0s", 0),
            ("10s", 10_000),
            ("350ms", 350),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("1d", 86_400_000),
            ("1m30s", 90_000),
            ("1h500ms", 3_600_500),
            ("9.9s", 9_900),
            ("1.5m", 90_000),
            ("10", 10_000),
            ("0.35", 350),
        ];
        for (text, millis) in cases {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_its_reason() {
        let cases = [
            ("", DurationError::Empty),
            ("-1s", DurationError::Negative),
            ("s", DurationError::NotANumber("s".to_owned())),
            ("1.2.3s", DurationError::NotANumber("1.2.3".to_owned())),
            (" 1s", DurationError::NotANumber(" 1s".to_owned())),
            ("NaN", DurationError::NotANumber("NaN".to_owned())),
            ("1m30", DurationError::NoUnit("30".to_owned())),
            ("10 s", DurationError::UnknownUnit(" s".to_owned())),
            ("10sec", DurationError::UnknownUnit("sec".to_owned())),
            ("30s1m", DurationError::Order),
            ("1s1s", DurationError::Order),
            ("0.5ms", DurationError::TooFine),
            ("18446744073709551615s", DurationError::TooLarge),
            ("18446744073709551615ms1ms", DurationError::Order),
            ("99999999999999999999s", DurationError::TooLarge),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_duration(text), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn a_bare_float_is_the_decimal_that_was_written() {
        let cases = [
            (0.35, Ok(Duration::from_millis(350))),
            (9.9, Ok(Duration::from_millis(9_900))),
            (1e3, Ok(Duration::from_secs(1_000))),
            (0.0001, Err(DurationError::TooFine)),
            (-1.0, Err(DurationError::Negative)),
            (1e300, Err(DurationError::TooLarge)),
            (f64::NAN, Err(DurationError::NotFinite)),
            (f64::INFINITY, Err(DurationError::NotFinite)),
        ];
        for (seconds, expected) in cases {
            assert_eq!(parse_seconds(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn durations_are_written_with_the_largest_units() {
        let cases = [
            (0, "0s"),
            (350, "350ms"),
            (30_000, "30s"),
            (90_000, "1m30s"),
            (90_050, "1m30.05s"),
            (9_900, "9.9s"),
            (60_001, "1m1ms"),
            (300_000, "5m"),
        ];
        for (millis, expected) in cases {
            assert_eq!(format_duration(Duration::from_millis(millis)), expected);
        }
    }

    proptest! {
        #[test]
        fn every_duration_reads_as_it_was_written(millis: u64) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn no_text_makes_it_panic(text in r"[-0-9.dhms \PC]{0,24}", seconds: f64) {
            let _ = parse_duration(&text);
            let _ = parse_seconds(seconds);
        }
    }
}
