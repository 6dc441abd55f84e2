//! serde over a parsed TOML file, with an eye for everything that is wrong.
//!
//! The toml crate's own deserializer stops at the first mistake and tells of it in one string.
//! [`Reader`] says where the mistake is and leaves out what is known to be wrong, so that reading
//! again finds the next one: see [`super::check`].

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, Expected, IntoDeserializer as _, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use toml::de::{DeArray, DeTable, DeValue};

use super::hint;
use super::key_path::KeyPath;

/// What readings of one file have in common.
#[derive(Default)]
pub(super) struct Notes {
    /// Entries that are not read: their mistakes are known.
    pub(super) skipped: BTreeSet<KeyPath>,
    /// The tables that were read, each with all the keys that it may have.
    pub(super) tables: RefCell<Vec<(KeyPath, Keys)>>,
    /// The entries that no table knows, each with the keys that its table may have.
    pub(super) unknown: RefCell<Vec<(KeyPath, Keys)>>,
}

/// The keys of a table, as its struct declares them.
pub(super) type Keys = &'static [&'static str];

/// A mistake at one entry, which ends a reading.
#[derive(Debug)]
pub(super) struct Fault {
    /// Where it is; set by the innermost entry on the way out.
    path: Option<KeyPath>,
    /// Whether the key is wrong, and not the value.
    is_key: bool,
    /// What would have been right.
    help: String,
}

impl Fault {
    /// Where it is, whether the key is wrong and not the value, and what would have been right.
    pub(super) fn into_parts(self) -> (KeyPath, bool, String) {
        (self.path.unwrap_or_default(), self.is_key, self.help)
    }

    fn at(self, path: KeyPath) -> Self {
        Self {
            path: self.path.or(Some(path)),
            ..self
        }
    }

    fn at_key(self, path: KeyPath) -> Self {
        Self {
            is_key: true,
            ..self.at(path)
        }
    }
}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            path: None,
            is_key: false,
            help: message.to_string(),
        }
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("expected {expected}"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("expected {expected}"))
    }

    fn unknown_variant(variant: &str, variants: Keys) -> Self {
        let expected = one_of(variants);
        match hint::nearest(variant, variants) {
            Some(near) => Self::custom(format_args!("did you mean {near:?}? expected {expected}")),
            None => Self::custom(format_args!("expected {expected}")),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.help)
    }
}

impl std::error::Error for Fault {}

/// `"a", "b" or "c"`
fn one_of(variants: Keys) -> String {
    hint::either(variants.iter().map(|variant| format!("{variant:?}")))
}

/// Reads the value at `path`.
pub(super) struct Reader<'a> {
    value: &'a DeValue<'a>,
    path: KeyPath,
    notes: &'a Notes,
}

impl<'a> Reader<'a> {
    /// Reads a whole file.
    pub(super) fn new(root: &'a DeValue<'a>, notes: &'a Notes) -> Self {
        Self {
            value: root,
            path: KeyPath::default(),
            notes,
        }
    }

    fn entries(self, table: &'a DeTable<'a>, known: Option<Keys>) -> Entries<'a> {
        let Self { path, notes, .. } = self;
        let mut entries = Vec::new();
        for (key, value) in table {
            let key: &str = key.get_ref();
            let path = path.key(key);
            if notes.skipped.contains(&path) {
                continue;
            }
            match known {
                Some(known) if !known.contains(&key) => {
                    notes.unknown.borrow_mut().push((path, known));
                }
                _ => entries.push((
                    key,
                    Self {
                        value: value.get_ref(),
                        path,
                        notes,
                    },
                )),
            }
        }
        Entries {
            rest: entries.into_iter(),
            value: None,
        }
    }

    /// What `seed` makes of the value. Its faults are here unless they are further inside.
    fn read<S: DeserializeSeed<'a>>(self, seed: S) -> Result<S::Value, Fault> {
        let path = self.path.clone();
        seed.deserialize(self).map_err(|fault| fault.at(path))
    }

    fn elements(self, array: &'a DeArray<'a>) -> Elements<'a> {
        let Self { path, notes, .. } = self;
        let elements = array.iter().enumerate().map(|(index, value)| {
            let path = path.element(index);
            Self {
                value: value.get_ref(),
                path,
                notes,
            }
        });
        let is_read = |element: &Self| !notes.skipped.contains(&element.path);
        Elements {
            rest: elements.filter(is_read).collect::<Vec<_>>().into_iter(),
        }
    }
}

/// A value is of another type than the one that is asked for.
fn mismatch(expected: &str) -> Fault {
    de::Error::custom(format_args!("expected {expected}"))
}

impl<'de> de::Deserializer<'de> for Reader<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            DeValue::String(text) => visitor.visit_borrowed_str(text),
            DeValue::Integer(integer) => {
                let (digits, radix) = (integer.as_str(), integer.radix());
                match i64::from_str_radix(digits, radix) {
                    Ok(integer) => visitor.visit_i64(integer),
                    // An integer of any length is beyond every range there is: any will do.
                    Err(_) if digits.starts_with('-') => visitor.visit_i64(i64::MIN),
                    Err(_) => visitor.visit_u64(u64::MAX),
                }
            }
            DeValue::Float(float) => visitor.visit_f64(float.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(boolean) => visitor.visit_bool(*boolean),
            DeValue::Datetime(_) => {
                Err(de::Error::invalid_type(Unexpected::Other("date"), &visitor))
            }
            DeValue::Array(array) => visitor.visit_seq(self.elements(array)),
            DeValue::Table(table) => visitor.visit_map(self.entries(table, None)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            DeValue::Boolean(_) => self.deserialize_any(visitor),
            _ => Err(mismatch("true or false")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            DeValue::String(_) => self.deserialize_any(visitor),
            _ => Err(mismatch("a text in quotes")),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            DeValue::Array(_) => self.deserialize_any(visitor),
            _ => Err(mismatch("a list, in brackets")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        known: Keys,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let DeValue::Table(table) = self.value else {
            return Err(mismatch("a table"));
        };
        self.notes
            .tables
            .borrow_mut()
            .push((self.path.clone(), known));
        visitor.visit_map(self.entries(table, Some(known)))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: Keys,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.value {
            DeValue::String(text) => {
                let variant: StrDeserializer<'_, Fault> = (**text).into_deserializer();
                visitor.visit_enum(variant)
            }
            _ => Err(mismatch(&one_of(variants))),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit unit_struct
        tuple tuple_struct map identifier ignored_any
    }
}

/// The entries of a table that are to be read.
struct Entries<'a> {
    rest: std::vec::IntoIter<(&'a str, Reader<'a>)>,
    value: Option<Reader<'a>>,
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        let deserializer: StrDeserializer<'_, Fault> = key.into_deserializer();
        let key = seed
            .deserialize(deserializer)
            .map_err(|fault| fault.at_key(value.path.clone()))?;
        self.value = Some(value);
        Ok(Some(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        match self.value.take() {
            Some(value) => value.read(seed),
            None => Err(de::Error::custom("there is no value without a key")),
        }
    }
}

/// The elements of a list that are to be read.
struct Elements<'a> {
    rest: std::vec::IntoIter<Reader<'a>>,
}

impl<'de> de::SeqAccess<'de> for Elements<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        self.rest
            .next()
            .map(|element| element.read(seed))
            .transpose()
    }
}
