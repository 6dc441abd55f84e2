//! `[limits]`: what one peer may cost. Whoever exceeds a limit loses its connection, never the
//! server.

use std::num::NonZeroU32;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::{Count, DurationBetween, SizeBetween};

/// `[limits]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Most connections at a time from one IPv4 address or one /64 network of IPv6; up to 1,000,000.
    /// 0 in the file: no limit.
    #[serde(with = "or_no_limit")]
    #[schemars(with = "Count::<0, 1_000_000>")]
    pub connections_per_address: Option<NonZeroU32>,
    /// How long a peer may take for the handshake; 100 ms to 10 min.
    #[serde(with = "Timeout")]
    pub handshake_timeout: Duration,
    /// How long a peer may take from the handshake to publish or play; 100 ms to 10 min.
    #[serde(with = "Timeout")]
    pub identify_timeout: Duration,
    /// How long a peer may take no byte of what is sent to it; 100 ms to 10 min. Also the
    /// socket's `TCP_USER_TIMEOUT`.
    #[serde(with = "Timeout")]
    pub send_timeout: Duration,
    /// Most bytes of an audio or video message; 64 KiB to 16,777,215 bytes.
    #[serde(with = "SizeBetween::<65_536, MAX_MESSAGE>")]
    pub media_message: usize,
    /// Most bytes of a data message, which is metadata for the most part; 1 KiB to 16,777,215.
    #[serde(with = "SizeBetween::<1_024, MAX_MESSAGE>")]
    pub data_message: usize,
    /// Most bytes of a command message; 1 KiB to 16,777,215.
    #[serde(with = "SizeBetween::<1_024, MAX_MESSAGE>")]
    pub command_message: usize,
    /// Most chunk streams that a peer may use; 8 to 65,598, which is all there are.
    #[serde(with = "Count::<8, 65_598>")]
    pub chunk_streams: usize,
    /// Most message streams that a peer may create at a time; 1 to 1024.
    #[serde(with = "Count::<1, 1_024>")]
    pub message_streams: usize,
    /// Smallest acknowledgement window that a peer may ask for, in bytes; 1 to 1,000,000.
    #[serde(with = "Count::<1, 1_000_000>")]
    pub ack_window: u32,
    /// How deep AMF0 objects and arrays may nest; 4 to 64.
    #[serde(with = "Count::<4, 64>")]
    pub amf_depth: usize,
    /// Most values in one AMF0 message; 64 to 1,000,000.
    #[serde(with = "Count::<64, 1_000_000>")]
    pub amf_values: usize,
    /// Most bytes of media that one stream's log may hold; 1 MiB to 64 GiB.
    #[serde(with = "SizeBetween::<1_048_576, 68_719_476_736>")]
    pub stream_memory: u64,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            connections_per_address: None,
            handshake_timeout: Duration::from_secs(10),
            identify_timeout: Duration::from_secs(30),
            send_timeout: Duration::from_secs(30),
            media_message: 16_000_000,
            data_message: 256 << 10,
            command_message: 64 << 10,
            chunk_streams: 64,
            message_streams: 16,
            ack_window: 100,
            amf_depth: 16,
            amf_values: 4_096,
            stream_memory: 64 << 20,
        }
    }
}

/// 0 in the file is `None` here, so that nobody takes it for a limit of no connection at all.
mod or_no_limit {
    use std::num::NonZeroU32;

    use serde::{Deserializer, Serializer};

    use crate::units::Count;

    type OrZero = Count<0, 1_000_000>;

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<NonZeroU32>, D::Error> {
        OrZero::deserialize(deserializer).map(NonZeroU32::new)
    }

    pub(super) fn serialize<S: Serializer>(
        limit: &Option<NonZeroU32>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        OrZero::serialize(&limit.map_or(0, NonZeroU32::get), serializer)
    }
}

/// 100 ms to 10 min.
type Timeout = DurationBetween<100, 600_000>;

/// RTMP 1.0, 5.3.1.2.1: the length of a message is a field of 24 bits.
const MAX_MESSAGE: u64 = 0xFF_FFFF;
