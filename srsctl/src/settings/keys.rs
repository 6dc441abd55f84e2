//! Which keys a table has: read off its struct, so that no list needs to be kept in step with it.

use std::cell::Cell;

use serde::de::{Deserialize, Deserializer, Error as _, Visitor, value};
use serde::forward_to_deserialize_any;

/// The keys of the table that is read into `T`.
pub(super) fn keys_of<'de, T: Deserialize<'de>>() -> Keys {
    let asked = Asked(Cell::new(&[]));
    // Nothing is there to be read: only the question counts.
    let _ = T::deserialize(&asked);
    asked.0.get()
}

/// The keys of a table.
pub(super) type Keys = &'static [&'static str];

/// The key of `known` that `key` is a slip of the pen away from.
pub(super) fn nearest<'a>(key: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if key.len() > MAX_KEY {
        return None;
    }
    let plain = key.to_lowercase().replace('-', "_");
    let slips = key.chars().count().div_ceil(4);
    known
        .into_iter()
        .filter(|known| known.len() <= MAX_KEY)
        .map(|known| (strsim::damerau_levenshtein(&plain, known), known))
        .filter(|(distance, _)| *distance <= slips)
        .min()
        .map(|(_, known)| known)
}

/// Remembers which fields it is asked for, and has none of them.
#[derive(Debug)]
struct Asked(Cell<Keys>);

impl<'de> Deserializer<'de> for &Asked {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(value::Error::custom(NOTHING))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: Keys,
        _: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.set(fields);
        Err(value::Error::custom(NOTHING))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

const NOTHING: &str = "there is nothing to read";
/// No key or name is half as long; comparing takes time by the square of the length.
const MAX_KEY: usize = 64;

#[cfg(test)]
mod tests {
    use super::super::{ServerSettings, Settings};
    use super::*;

    #[test]
    fn the_keys_are_those_of_the_struct() {
        assert_eq!(keys_of::<Settings>(), ["server", "servers", "top"]);
        assert!(keys_of::<ServerSettings>().contains(&"read_only"));
        assert!(keys_of::<String>().is_empty());
    }

    #[test]
    fn a_slip_of_the_pen_is_seen() {
        let known = ["address", "token_file", "read_only"];
        let cases = [
            ("adress", Some("address")),
            ("token-file", Some("token_file")),
            ("READ_ONLY", Some("read_only")),
            ("colour", None),
            ("", None),
        ];
        for (key, expected) in cases {
            assert_eq!(nearest(key, known), expected, "{key}");
        }
        assert_eq!(nearest(&"a".repeat(1_000), known), None);
    }
}
