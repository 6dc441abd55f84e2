//! Messages: what travels in chunks, and what it says.
//!
//! A [`Message`] is an envelope with an opaque payload. The modules below read and write the
//! payloads that steer a connection; audio and video are not looked into. RTMP 1.0, 5.4, 6 and 7.

pub mod aggregate;
pub mod command;
pub mod control;
pub mod data;

use std::fmt;

use bytes::Bytes;
use srs_amf0::{Decoder, Value};

/// One RTMP message, whole.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The chunk stream that carries it, 2 to 65599.
    pub chunk_stream_id: u32,
    /// Milliseconds since a moment that the sender chose, modulo 2^32.
    pub timestamp: u32,
    /// What the payload is.
    pub message_type: MessageType,
    /// The message stream that it belongs to; 0 is the connection itself.
    pub message_stream_id: u32,
    /// At most [`Message::MAX_PAYLOAD_LEN`] bytes.
    pub payload: Bytes,
}

impl Message {
    /// The longest payload that the 24-bit length of a chunk header can announce, in bytes.
    pub const MAX_PAYLOAD_LEN: usize = 0xFF_FFFF;
}

impl fmt::Debug for Message {
    /// Shows the payload's length and beginning only: a key frame would fill the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.payload.get(..32).unwrap_or(&self.payload);
        f.debug_struct("Message")
            .field("chunk_stream_id", &self.chunk_stream_id)
            .field("timestamp", &self.timestamp)
            .field("message_type", &self.message_type)
            .field("message_stream_id", &self.message_stream_id)
            .field("payload_len", &self.payload.len())
            .field("payload", &format_args!("\"{}\"", shown.escape_ascii()))
            .finish()
    }
}

/// What a message's payload is (RTMP 1.0, 5.4 and 7.1).
///
/// Made from a byte with [`From`], which never gives an [`Other`](Self::Other) with the id of a
/// type that has a name here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// 1: the sender's new chunk size.
    SetChunkSize,
    /// 2: the rest of a half-sent message will not come.
    Abort,
    /// 3: how many bytes have been received.
    Acknowledgement,
    /// 4: events of a message stream, pings.
    UserControl,
    /// 5: after how many bytes the sender wants an acknowledgement.
    WindowAckSize,
    /// 6: how much the receiver may send without an acknowledgement.
    SetPeerBandwidth,
    /// 8: the body of an FLV audio tag.
    Audio,
    /// 9: the body of an FLV video tag.
    Video,
    /// 15: data in AMF3.
    DataAmf3,
    /// 16: a shared object event in AMF3.
    SharedObjectAmf3,
    /// 17: a command in AMF3.
    CommandAmf3,
    /// 18: data in AMF0: the body of an FLV script tag.
    DataAmf0,
    /// 19: a shared object event in AMF0.
    SharedObjectAmf0,
    /// 20: a command in AMF0.
    CommandAmf0,
    /// 22: several messages in one.
    Aggregate,
    /// Any other id.
    Other(u8),
}

impl MessageType {
    /// The byte that stands for it in a chunk header.
    pub const fn id(self) -> u8 {
        match self {
            Self::SetChunkSize => 1,
            Self::Abort => 2,
            Self::Acknowledgement => 3,
            Self::UserControl => 4,
            Self::WindowAckSize => 5,
            Self::SetPeerBandwidth => 6,
            Self::Audio => 8,
            Self::Video => 9,
            Self::DataAmf3 => 15,
            Self::SharedObjectAmf3 => 16,
            Self::CommandAmf3 => 17,
            Self::DataAmf0 => 18,
            Self::SharedObjectAmf0 => 19,
            Self::CommandAmf0 => 20,
            Self::Aggregate => 22,
            Self::Other(id) => id,
        }
    }
}

impl From<u8> for MessageType {
    fn from(id: u8) -> Self {
        match id {
            1 => Self::SetChunkSize,
            2 => Self::Abort,
            3 => Self::Acknowledgement,
            4 => Self::UserControl,
            5 => Self::WindowAckSize,
            6 => Self::SetPeerBandwidth,
            8 => Self::Audio,
            9 => Self::Video,
            15 => Self::DataAmf3,
            16 => Self::SharedObjectAmf3,
            17 => Self::CommandAmf3,
            18 => Self::DataAmf0,
            19 => Self::SharedObjectAmf0,
            20 => Self::CommandAmf0,
            22 => Self::Aggregate,
            id => Self::Other(id),
        }
    }
}

/// Why a message's payload does not say what its type promises.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MessageError {
    /// The message is of another type than the one asked for.
    #[error("message type {} came, {expected} was expected", message_type.id())]
    UnexpectedType {
        /// The type that came.
        message_type: MessageType,
        /// In words, what was asked for.
        expected: &'static str,
    },
    /// A protocol control message ends too early.
    #[error("{message_type:?} has {len} bytes, {expected} were expected")]
    TooShort {
        /// The type of the message.
        message_type: MessageType,
        /// The length of its payload.
        len: usize,
        /// The length that the type needs.
        expected: usize,
    },
    /// A command or data message does not begin with a name.
    #[error("{message_type:?} without the name that it must begin with")]
    NoName {
        /// The type of the message.
        message_type: MessageType,
    },
    /// A value that the message cannot do without is no AMF0.
    #[error("{message_type:?}: reading the {what}")]
    Amf {
        /// The type of the message.
        message_type: MessageType,
        /// Which value it is.
        what: &'static str,
        /// What is wrong with it.
        #[source]
        source: srs_amf0::DecodeError,
    },
    /// An item of an aggregate reaches beyond the aggregate's end.
    #[error("aggregate item at byte {offset} needs {needed} bytes, {available} are left")]
    TruncatedItem {
        /// Where the item begins in the aggregate's payload.
        offset: usize,
        /// Its length with its header.
        needed: usize,
        /// How many bytes there are.
        available: usize,
    },
}

/// The AMF0 values of a command or data message, read one by one.
struct Values<'a> {
    message_type: MessageType,
    decoder: Decoder<'a>,
}

impl<'a> Values<'a> {
    fn new(message: &'a Message, limits: &srs_amf0::Limits) -> Self {
        let mut payload = &message.payload[..];
        if matches!(
            message.message_type,
            MessageType::DataAmf3 | MessageType::CommandAmf3
        ) {
            // A byte that stands for "AMF0 follows"; not every encoder sends it. It cannot be taken
            // for the marker of a number, as the first value is a name.
            payload = payload.strip_prefix(&[0]).unwrap_or(payload);
        }
        Self {
            message_type: message.message_type,
            decoder: Decoder::new(payload, *limits),
        }
    }

    fn name(&mut self) -> Result<String, MessageError> {
        match self.next("name")? {
            Some(Value::String(name) | Value::LongString(name)) => Ok(name),
            _ => Err(MessageError::NoName {
                message_type: self.message_type,
            }),
        }
    }

    /// The next value, which is called `what` if it cannot be read; `None` if there are no more.
    fn next(&mut self, what: &'static str) -> Result<Option<Value>, MessageError> {
        if self.decoder.is_empty() {
            return Ok(None);
        }
        self.decoder
            .decode()
            .map(Some)
            .map_err(|source| MessageError::Amf {
                message_type: self.message_type,
                what,
                source,
            })
    }

    /// All further values, up to the first that cannot be read.
    fn rest(mut self) -> Vec<Value> {
        let mut values = Vec::new();
        while let Ok(Some(value)) = self.next("value") {
            values.push(value);
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_id_survives_the_way_through_its_name() {
        for id in 0..=u8::MAX {
            assert_eq!(MessageType::from(id).id(), id);
        }
    }

    #[test]
    fn a_message_shows_the_beginning_of_its_payload_only() {
        let message = Message {
            chunk_stream_id: 6,
            timestamp: 40,
            message_type: MessageType::Video,
            message_stream_id: 1,
            payload: Bytes::from(vec![0; 10_000]),
        };
        let shown = format!("{message:?}");
        assert!(
            shown.contains("payload_len: 10000") && shown.len() < 300,
            "{shown}"
        );
    }
}
