//! Names of servers in a fleet.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Reads and writes the name of a server, which may be empty, for `#[serde(with = "…")]`.
pub(crate) struct DeviceId;

impl DeviceId {
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<String, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() > MAX_LEN || text.chars().any(char::is_control) {
            return Err(de::Error::custom(
                "expected a text of at most 256 bytes without control characters",
            ));
        }
        Ok(text)
    }

    pub(crate) fn serialize<S: Serializer>(name: &str, serializer: S) -> Result<S::Ok, S::Error> {
        name.serialize(serializer)
    }
}

impl JsonSchema for DeviceId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "DeviceId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": MAX_LEN })
    }
}

/// What a collector takes.
const MAX_LEN: usize = 256;
