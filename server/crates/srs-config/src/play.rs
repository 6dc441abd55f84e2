//! `[vhost."NAME".play]`: how players are served.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::units::{DurationBetween, DurationOrAuto, SizeOrAuto};

/// `[vhost."NAME".play]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PlayConfig {
    /// How long a player may wait for a stream that nobody has published yet; 0 to 24 h. Zero:
    /// it is refused at once.
    #[serde(with = "DurationBetween::<0, 86_400_000>")]
    pub wait: Duration,
    /// How long packets are collected before they are written to a player in one go, unless
    /// `min_latency` says otherwise.
    pub merge: Merge,
    /// Whether each packet is written at once, whatever `merge` says.
    pub min_latency: bool,
    /// Size of the kernel's send buffer of each player's socket.
    pub send_buffer: SendBuffer,
}

impl PlayConfig {
    /// How long packets are collected for a player, as `merge` and `min_latency` say together.
    #[must_use]
    pub const fn merge(&self) -> Merge {
        if self.min_latency {
            Merge::For(Duration::ZERO)
        } else {
            self.merge
        }
    }
}

impl Default for PlayConfig {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(300),
            merge: Merge::Auto,
            min_latency: false,
            send_buffer: SendBuffer::Auto,
        }
    }
}

/// How long packets are collected before they are written to a player in one go.
///
/// Fewer and larger writes cost less; in return a player is behind by up to that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Merge {
    /// The longer, the more players there are.
    Auto,
    /// So long, 0 to 10 s. Zero: each packet is written at once.
    For(Duration),
}

type MergeTime = DurationOrAuto<0, 10_000>;

impl<'de> Deserialize<'de> for Merge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        MergeTime::deserialize(deserializer).map(|time| time.map_or(Self::Auto, Self::For))
    }
}

impl JsonSchema for Merge {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Merge".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        MergeTime::json_schema(generator)
    }
}

impl Serialize for Merge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = match *self {
            Self::Auto => None,
            Self::For(time) => Some(time),
        };
        MergeTime::serialize(&time, serializer)
    }
}

/// Size of the kernel's send buffer of a player's socket (`SO_SNDBUF`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendBuffer {
    /// Large enough for one merged write of the stream at its bit rate.
    Auto,
    /// So many bytes, 4 KB to 64 MB.
    Bytes(usize),
}

type SendBufferSize = SizeOrAuto<4_000, 64_000_000>;

impl<'de> Deserialize<'de> for SendBuffer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SendBufferSize::deserialize(deserializer).map(|size| size.map_or(Self::Auto, Self::Bytes))
    }
}

impl JsonSchema for SendBuffer {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SendBuffer".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        SendBufferSize::json_schema(generator)
    }
}

impl Serialize for SendBuffer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let size = match *self {
            Self::Auto => None,
            Self::Bytes(size) => Some(size),
        };
        SendBufferSize::serialize(&size, serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table of only these lines, read and written and read again.
    fn play(lines: &str) -> PlayConfig {
        let config: PlayConfig = toml::from_str(lines).unwrap();
        let written = toml::to_string(&config).unwrap();
        assert_eq!(
            toml::from_str::<PlayConfig>(&written).unwrap(),
            config,
            "{written}"
        );
        config
    }

    #[test]
    fn packets_are_merged_automatically_for_some_time_or_not_at_all() {
        let ms = |ms| Merge::For(Duration::from_millis(ms));
        let cases = [
            ("", Merge::Auto),
            ("merge = \"auto\"", Merge::Auto),
            ("merge = \"0s\"", ms(0)),
            ("merge = 0", ms(0)),
            ("merge = \"350ms\"", ms(350)),
            ("merge = 0.35", ms(350)),
            ("merge = 10", ms(10_000)),
            ("min_latency = true", ms(0)),
            ("min_latency = true\nmerge = \"350ms\"", ms(0)),
            ("min_latency = false\nmerge = \"350ms\"", ms(350)),
        ];
        for (lines, expected) in cases {
            assert_eq!(play(lines).merge(), expected, "{lines}");
        }
    }

    #[test]
    fn the_send_buffer_is_automatic_or_has_a_size() {
        let cases = [
            ("", SendBuffer::Auto),
            ("send_buffer = \"auto\"", SendBuffer::Auto),
            ("send_buffer = \"4KB\"", SendBuffer::Bytes(4_000)),
            ("send_buffer = \"64KiB\"", SendBuffer::Bytes(65_536)),
            ("send_buffer = 100000", SendBuffer::Bytes(100_000)),
            ("send_buffer = \"64MB\"", SendBuffer::Bytes(64_000_000)),
        ];
        for (lines, expected) in cases {
            assert_eq!(play(lines).send_buffer, expected, "{lines}");
        }
    }

    #[test]
    fn what_is_written_is_what_a_person_would_write() {
        let config = play("merge = 0.35\nsend_buffer = 65536");
        let written = toml::Table::try_from(&config).unwrap();
        assert_eq!(written["merge"].as_str(), Some("350ms"));
        assert_eq!(written["send_buffer"].as_str(), Some("64KiB"));
        let written = toml::Table::try_from(PlayConfig::default()).unwrap();
        assert_eq!(written["merge"].as_str(), Some("auto"));
        assert_eq!(written["send_buffer"].as_str(), Some("auto"));
    }
}
