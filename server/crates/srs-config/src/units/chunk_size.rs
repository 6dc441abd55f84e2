//! The size of RTMP chunks.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize};

use super::Count;

type Bytes = Count<{ ChunkSize::MIN as u64 }, { ChunkSize::MAX as u64 }>;

/// Most payload bytes of an RTMP chunk that is sent: 128 to 65,536.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ChunkSize(u32);

impl ChunkSize {
    /// RTMP's initial size, which is also the smallest that is worth its headers.
    pub const MIN: u32 = 128;
    /// Larger chunks would keep audio waiting behind video for longer and save nothing.
    pub const MAX: u32 = 65_536;

    /// `None` unless `bytes` is [`Self::MIN`] to [`Self::MAX`].
    #[must_use]
    pub const fn new(bytes: u32) -> Option<Self> {
        if bytes >= Self::MIN && bytes <= Self::MAX {
            Some(Self(bytes))
        } else {
            None
        }
    }

    /// The size in bytes.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for ChunkSize {
    fn default() -> Self {
        Self(60_000)
    }
}

impl<'de> Deserialize<'de> for ChunkSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Bytes::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for ChunkSize {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ChunkSize".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Bytes::json_schema(generator)
    }
}
