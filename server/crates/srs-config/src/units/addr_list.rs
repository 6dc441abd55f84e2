//! Lists of addresses: at least one, none covered by another. A single one may stand without a list.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::IntoDeserializer as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{ApiAddr, ListenAddr};

/// Reads and writes the addresses of one protocol, for `#[serde(with = "…")]`.
pub(crate) struct AddrList<T>(PhantomData<T>);

/// An address of which a list may not hold two that clash.
pub(crate) trait Address: fmt::Display + PartialEq {
    /// How it is written.
    const EXPECTED: &str;

    /// Whether there is no room for `other` beside it.
    fn covers(&self, other: &Self) -> bool;
}

impl Address for ListenAddr {
    const EXPECTED: &str = super::listen_addr::EXPECTED;

    fn covers(&self, other: &Self) -> bool {
        Self::covers(self, other)
    }
}

impl Address for ApiAddr {
    const EXPECTED: &str = super::api_addr::EXPECTED;

    fn covers(&self, other: &Self) -> bool {
        Self::covers(self, other)
    }
}

impl<T: Address> AddrList<T> {
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error>
    where
        T: Deserialize<'de>,
    {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }

    pub(crate) fn serialize<S: Serializer>(
        addresses: &[T],
        serializer: S,
    ) -> Result<S::Ok, S::Error>
    where
        T: Serialize,
    {
        addresses.serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for AddrList<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "AddrList".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let address = generator.subschema_for::<T>();
        let list = json_schema!({ "type": "array", "items": address, "minItems": 1 });
        json_schema!({ "anyOf": [list, address] })
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Address + Deserialize<'de>> de::Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of {}", T::EXPECTED)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut addresses = Vec::new();
        while let Some(address) = seq.next_element_seed(Beside(&addresses))? {
            addresses.push(address);
        }
        if addresses.is_empty() {
            return Err(de::Error::custom("at least one address is needed"));
        }
        Ok(addresses)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        T::deserialize(text.into_deserializer()).map(|address| vec![address])
    }

    fn visit_i64<E: de::Error>(self, port: i64) -> Result<Self::Value, E> {
        T::deserialize(port.into_deserializer()).map(|address| vec![address])
    }

    fn visit_u64<E: de::Error>(self, port: u64) -> Result<Self::Value, E> {
        T::deserialize(port.into_deserializer()).map(|address| vec![address])
    }
}

/// Reads an address that must not clash with those before it. As a seed, so that the error points
/// at the address and not at the list.
struct Beside<'a, T>(&'a [T]);

impl<'de, T: Address + Deserialize<'de>> de::DeserializeSeed<'de> for Beside<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<T, D::Error> {
        let address = T::deserialize(d)?;
        let clashes = |other: &&T| other.covers(&address) || address.covers(other);
        match self.0.iter().find(clashes) {
            None => Ok(address),
            Some(other) if *other == address => Err(de::Error::custom(format_args!(
                "\"{other}\" is listed twice"
            ))),
            Some(other) => {
                let (wide, narrow) = if other.covers(&address) {
                    (other, &address)
                } else {
                    (&address, other)
                };
                Err(de::Error::custom(format_args!(
                    "\"{wide}\" already takes in \"{narrow}\""
                )))
            }
        }
    }
}
