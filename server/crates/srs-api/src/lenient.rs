//! Numbers and ids as other servers write them.
//!
//! SRS 1.0 prints large whole numbers as floats (`5.27515e+06`), and what is a number in one
//! version is a string in another. Who only watches takes them all.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Visitor};

/// A whole number from any JSON number, without its fraction; what the type cannot hold becomes
/// the nearest that it can. `null` is 0.
pub(crate) fn int<'de, T: Int, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(IntVisitor(PhantomData))
}

/// A number from any JSON number. `null`, which is what a float without a value is in JSON, is 0.
pub(crate) fn float<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    deserializer.deserialize_any(FloatVisitor)
}

/// A text from a string or a whole number. `null` is empty.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_any(TextVisitor)
}

/// A type for [`int`].
pub(crate) trait Int: TryFrom<i128> {
    const MIN: Self;
    const MAX: Self;
}

macro_rules! ints {
    ($($int:ty)*) => {$(
        impl Int for $int {
            const MIN: Self = Self::MIN;
            const MAX: Self = Self::MAX;
        }
    )*};
}

ints!(i64 u64 usize);

struct IntVisitor<T>(PhantomData<T>);

impl<T: Int> IntVisitor<T> {
    fn nearest(number: i128) -> T {
        T::try_from(number).unwrap_or(if number < 0 { T::MIN } else { T::MAX })
    }
}

impl<T: Int> Visitor<'_> for IntVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        Ok(Self::nearest(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        Ok(Self::nearest(number.into()))
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float becomes the nearest number that there is, and NaN 0"
    )]
    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        Ok(Self::nearest(number as i128))
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(Self::nearest(0))
    }
}

struct FloatVisitor;

impl Visitor<'_> for FloatVisitor {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
        Ok(number)
    }

    fn visit_unit<E: Error>(self) -> Result<f64, E> {
        Ok(0.0)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a whole number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<String, E> {
        Ok(text)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_unit<E: Error>(self) -> Result<String, E> {
        Ok(String::new())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Deserializer as Json, Error};

    use super::*;

    fn int_of<T: Int>(json: &str) -> Result<T, Error> {
        int(&mut Json::from_str(json))
    }

    #[test]
    fn whole_numbers_come_in_every_notation() {
        for (json, expected) in [
            ("0", 0),
            ("-3", -3),
            ("5.27515e+06", 5_275_150),
            ("5.9", 5),
            ("-5.9", -5),
            ("null", 0),
            ("18446744073709551615", i64::MAX),
            ("1e300", i64::MAX),
            ("-1e300", i64::MIN),
        ] {
            assert_eq!(int_of::<i64>(json).unwrap(), expected, "{json}");
        }
    }

    #[test]
    fn what_a_type_cannot_hold_becomes_the_nearest() {
        assert_eq!(int_of::<u64>("-1").unwrap(), 0);
        assert_eq!(int_of::<u64>("18446744073709551615").unwrap(), u64::MAX);
        assert_eq!(int_of::<usize>("1e300").unwrap(), usize::MAX);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for json in ["\"5\"", "true", "[]", "{}"] {
            assert!(int_of::<i64>(json).is_err(), "{json}");
            assert!(float(&mut Json::from_str(json)).is_err(), "{json}");
        }
    }

    #[test]
    fn floats_may_be_whole_or_missing() {
        for (json, expected) in [("1", 1.0), ("-2", -2.0), ("0.5", 0.5), ("null", 0.0)] {
            assert_eq!(
                float(&mut Json::from_str(json)).unwrap(),
                expected,
                "{json}"
            );
        }
    }

    #[test]
    fn ids_may_be_numbers() {
        for (json, expected) in [("\"vid-1\"", "vid-1"), ("4711", "4711"), ("null", "")] {
            assert_eq!(text(&mut Json::from_str(json)).unwrap(), expected, "{json}");
        }
        assert!(text(&mut Json::from_str("{}")).is_err());
    }
}
