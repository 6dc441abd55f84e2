//! What one peer may make us hold in memory.

use crate::message::MessageType;

/// Bounds on what a peer may announce or send; each is checked before memory is taken for it.
///
/// The defaults let every encoder through that is known to exist, and bound what a hostile peer
/// costs: [`partial_bytes`](Self::partial_bytes) is the most that one connection can hold in
/// half-read messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest audio, video or aggregate message, in bytes. The default, 16 777 215, is all that
    /// the 24-bit length of a chunk header can say: a key frame may be large, and cutting it would
    /// break the stream.
    pub media_message: usize,
    /// Longest message of every type that is not audio, video, data or aggregate, in bytes; 64 KiB
    /// by default. The longest real one is a `connect` whose URLs carry tokens.
    pub command_message: usize,
    /// Longest data message (AMF0 or AMF3), in bytes; 256 KiB by default. Metadata with an index of
    /// key frames or an embedded picture is larger than any command.
    pub data_message: usize,
    /// How many chunk streams a peer may use; 64 by default. Encoders use up to six, and the
    /// one-byte form of the chunk stream id has room for 62.
    pub chunk_streams: usize,
    /// Sum of the announced lengths of all messages that have begun and are not complete, in bytes;
    /// 32 MiB by default. It must not be smaller than the longest message that is to pass.
    pub partial_bytes: usize,
    /// How many message streams a peer may create; 16 by default. Players and encoders create one,
    /// a few create one for each direction.
    pub message_streams: usize,
    /// The smallest acknowledgement window that a peer may ask for, in bytes; 100 by default. Every
    /// window that comes costs us a message of sixteen bytes; real peers ask for 64 KiB and more.
    pub least_ack_window: u32,
    /// Depth and number of the AMF0 values in one command or data message.
    pub amf: srs_amf0::Limits,
}

impl Limits {
    /// The longest message of `message_type`, in bytes.
    pub(crate) fn message_len(&self, message_type: MessageType) -> usize {
        match message_type {
            MessageType::Audio | MessageType::Video | MessageType::Aggregate => self.media_message,
            MessageType::DataAmf3 | MessageType::DataAmf0 => self.data_message,
            _ => self.command_message,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            media_message: 0xFF_FFFF,
            command_message: 64 * 1024,
            data_message: 256 * 1024,
            chunk_streams: 64,
            partial_bytes: 32 * 1024 * 1024,
            message_streams: 16,
            least_ack_window: 100,
            amf: srs_amf0::Limits::default(),
        }
    }
}
