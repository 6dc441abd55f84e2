//! One chunk stream as its reader knows it: the header in force and the half-read message.

use std::fmt;

use bytes::{Buf, Bytes};

use super::ChunkError;
use super::header::{MessageHeader, TimeField};
use crate::message::{Message, MessageType};

/// What the chunks of one chunk stream have said so far.
#[derive(Clone, Debug)]
pub(super) struct ChunkStream {
    id: u32,
    header: HeaderInForce,
    /// What has come of the message that has begun, if it is not complete.
    partial: Option<Partial>,
}

/// All fields of the latest message's header: later headers leave out what stays the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeaderInForce {
    /// Of the message, in milliseconds modulo 2^32.
    timestamp: u32,
    /// The time field as it came: absolute or a difference.
    time: TimeField,
    pub(super) length: u32,
    pub(super) message_type: MessageType,
    message_stream_id: u32,
}

/// The beginning of a payload.
#[derive(Clone, Default)]
struct Partial(Vec<u8>);

impl ChunkStream {
    /// A chunk stream that begins with the message of `header`.
    pub(super) fn new(id: u32, header: HeaderInForce) -> Self {
        let mut stream = Self {
            id,
            header,
            partial: None,
        };
        stream.begin(header);
        stream
    }

    /// Begins the message of `header`. An empty one is over with that.
    pub(super) fn begin(&mut self, header: HeaderInForce) {
        self.header = header;
        self.partial = (header.length > 0).then(Partial::default);
    }

    /// Takes data of a chunk. Without a message that has begun (it was aborted) they go nowhere.
    pub(super) fn append(&mut self, data: &[u8]) {
        if let Some(partial) = &mut self.partial {
            partial.append(data, self.header.length as usize);
        }
    }

    /// The message that has begun, if nothing of it is missing.
    pub(super) fn take_complete(&mut self) -> Option<Message> {
        if self.missing() != Some(0) {
            return None;
        }
        Some(Message {
            chunk_stream_id: self.id,
            timestamp: self.header.timestamp,
            message_type: self.header.message_type,
            message_stream_id: self.header.message_stream_id,
            payload: Bytes::from(self.partial.take()?.0),
        })
    }

    /// Drops the message that has begun; its announced length, or 0 if there is none.
    pub(super) fn abort(&mut self) -> usize {
        self.partial
            .take()
            .map_or(0, |_| self.header.length as usize)
    }

    pub(super) fn id(&self) -> u32 {
        self.id
    }

    pub(super) fn header(&self) -> &HeaderInForce {
        &self.header
    }

    /// How many bytes of the message that has begun are missing; `None` if none has.
    pub(super) fn missing(&self) -> Option<usize> {
        let partial = self.partial.as_ref()?;
        Some((self.header.length as usize).saturating_sub(partial.0.len()))
    }

    /// How much memory the message that has begun occupies, in bytes.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.partial
            .as_ref()
            .map_or(0, |partial| partial.0.capacity())
    }

    /// Accepts a chunk with this header as more of the message that has begun, and moves `bytes`
    /// to its data; `false` if `bytes` does not tell yet where they begin.
    ///
    /// RTMP 1.0, 5.3.1.2.4 asks for type 3 here, but only asks. Types 1 and 2 are taken for more of
    /// the same message if they do not contradict it; their time field is then without effect, as
    /// in other readers.
    pub(super) fn continues(
        &self,
        header: MessageHeader,
        bytes: &mut &[u8],
    ) -> Result<bool, ChunkError> {
        let in_force = &self.header;
        match header {
            MessageHeader::Type0 { .. } => Err(ChunkError::MessageInterrupted {
                chunk_stream_id: self.id,
                received: self.partial.as_ref().map_or(0, |partial| partial.0.len()),
                length: in_force.length as usize,
            }),
            MessageHeader::Type1 {
                length,
                message_type,
                ..
            } if (length, message_type) != (in_force.length, in_force.message_type) => {
                Err(ChunkError::MessageChanged {
                    chunk_stream_id: self.id,
                    message_type,
                    length: length as usize,
                    expected_type: in_force.message_type,
                    expected_length: in_force.length as usize,
                })
            }
            MessageHeader::Type1 { .. } | MessageHeader::Type2 { .. } => Ok(true),
            MessageHeader::Type3 => Ok(in_force.skip_repeated_time(bytes).is_some()),
        }
    }
}

impl HeaderInForce {
    /// The first header on a chunk stream, which must be complete in itself.
    pub(super) fn first(chunk_stream_id: u32, header: MessageHeader) -> Result<Self, ChunkError> {
        match header {
            MessageHeader::Type0 {
                time,
                length,
                message_type,
                message_stream_id,
            } => Ok(Self::absolute(
                time,
                length,
                message_type,
                message_stream_id,
            )),
            // librtmp begins the control chunk stream with its ping in this form.
            MessageHeader::Type1 {
                time,
                length,
                message_type,
            } if chunk_stream_id == 2 => Ok(Self::absolute(time, length, message_type, 0)),
            _ => Err(ChunkError::UnknownChunkStream {
                chunk_stream_id,
                format: header.format(),
            }),
        }
    }

    /// The header of the next message; `None` if `bytes` does not hold all of its extended
    /// timestamp, which is skipped otherwise.
    pub(super) fn next(self, header: MessageHeader, bytes: &mut &[u8]) -> Option<Self> {
        let (time, same) = match header {
            MessageHeader::Type0 {
                time,
                length,
                message_type,
                message_stream_id,
            } => {
                return Some(Self::absolute(
                    time,
                    length,
                    message_type,
                    message_stream_id,
                ));
            }
            MessageHeader::Type1 {
                time,
                length,
                message_type,
            } => (
                time,
                Self {
                    length,
                    message_type,
                    ..self
                },
            ),
            MessageHeader::Type2 { time } => (time, self),
            // The time field is repeated; after type 0 that makes the absolute timestamp a
            // difference (RTMP 1.0, 5.3.1.2.4), which Flash Media Live Encoder's audio relies on.
            // An extended value stands here once more, and ffmpeg takes the field for repeated
            // even if that value is another one.
            MessageHeader::Type3 if self.time.is_extended => {
                let value = bytes.try_get_u32().ok()?;
                (TimeField { value, ..self.time }, self)
            }
            MessageHeader::Type3 => (self.time, self),
        };
        Some(Self {
            time,
            timestamp: self.timestamp.wrapping_add(time.value),
            ..same
        })
    }

    fn absolute(
        time: TimeField,
        length: u32,
        message_type: MessageType,
        message_stream_id: u32,
    ) -> Self {
        Self {
            timestamp: time.value,
            time,
            length,
            message_type,
            message_stream_id,
        }
    }

    /// Moves `bytes` behind the extended timestamp of a type 3 chunk inside a message, if it is
    /// there; `None` if there are too few bytes to tell.
    ///
    /// RTMP 1.0, 5.3.1.3 has it there if the message's first header has one. librtmp and old ffmpeg
    /// omit it, so it counts only if it says the expected: the field of the first header, or the
    /// timestamp that came of it. Otherwise the bytes are data.
    fn skip_repeated_time(&self, bytes: &mut &[u8]) -> Option<()> {
        if !self.time.is_extended {
            return Some(());
        }
        let expected = [self.time.value.to_be_bytes(), self.timestamp.to_be_bytes()];
        let (seen, rest) = bytes.split_at_checked(4).unwrap_or((bytes, &[]));
        if !expected.iter().any(|time| time.starts_with(seen)) {
            return Some(());
        }
        if seen.len() < 4 {
            return None;
        }
        *bytes = rest;
        Some(())
    }
}

impl Partial {
    /// Adds to a payload that will have `length` bytes. Memory grows with what has come, not with
    /// what was announced, and ends at exactly `length`.
    fn append(&mut self, data: &[u8], length: usize) {
        let Self(payload) = self;
        let needed = payload.len() + data.len();
        if needed > payload.capacity() {
            let grown = (payload.capacity() * 2).max(FIRST_ALLOCATION).min(length);
            payload.reserve_exact(grown.max(needed) - payload.len());
        }
        payload.extend_from_slice(data);
    }
}

impl fmt::Debug for Partial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// How much memory a message gets when its first bytes come, unless it is shorter. Nearly all are,
/// and are then assembled without moving.
const FIRST_ALLOCATION: usize = 64 * 1024;
