//! Messages into chunks.

use bytes::BufMut;

use super::header::{
    ChunkHeader, MAX_CHUNK_STREAM_ID, MAX_HEADER_LEN, MIN_CHUNK_STREAM_ID, MessageHeader, TimeField,
};
use super::{DEFAULT_CHUNK_SIZE, MAX_CHUNK_SIZE};
use crate::message::{Message, MessageType};
use crate::output::SendQueue;

/// The sending half of a chunk stream.
///
/// The chunks of one message stand one behind the other, without those of another in between.
#[derive(Clone, Debug)]
pub struct ChunkWriter {
    policy: HeaderPolicy,
    chunk_size: u32,
    /// What the peer remembers of each chunk stream; always empty with full headers.
    latest: Vec<Latest>,
}

/// How message headers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderPolicy {
    /// A message begins with all fields (type 0), so its chunks do not depend on those before:
    /// they can be made once and sent to every player, wherever each joins.
    Full,
    /// A message leaves out what it shares with the one before it (types 1, 2 and 3) where all
    /// readers agree on the meaning. Up to eleven bytes less for each message.
    Compressed,
}

/// The latest message on a chunk stream, as later headers refer to it.
#[derive(Clone, Copy, Debug)]
struct Latest {
    chunk_stream_id: u32,
    message_stream_id: u32,
    message_type: MessageType,
    length: u32,
    timestamp: u32,
    /// The difference that a type 3 header repeats, if readers agree on it.
    delta: Option<u32>,
}

impl ChunkWriter {
    /// A writer at the start of the chunk stream, with the default chunk size of 128 bytes.
    pub fn new(policy: HeaderPolicy) -> Self {
        Self {
            policy,
            chunk_size: DEFAULT_CHUNK_SIZE,
            latest: Vec::new(),
        }
    }

    /// Uses another chunk size from the next message on; the peer must have been told with a Set
    /// Chunk Size message before it. In bytes, brought into the range 1 to 16 777 215.
    pub fn set_chunk_size(&mut self, chunk_size: u32) {
        self.chunk_size = chunk_size.clamp(1, MAX_CHUNK_SIZE);
    }

    /// The chunk size in use, in bytes.
    pub fn chunk_size(&self) -> u32 {
        self.chunk_size
    }

    /// Appends the chunks of `message` to `out`: headers copied, the payload by reference.
    ///
    /// A chunk stream id outside of 2 to 65599 is replaced by the nearest one in it. An empty
    /// message is a header alone. A payload longer than [`Message::MAX_PAYLOAD_LEN`] cannot be
    /// expressed in RTMP; it is a mistake of the caller's, and nothing is written.
    pub fn write(&mut self, message: &Message, out: &mut SendQueue) {
        let payload = &message.payload;
        let Some(length) = u32::try_from(payload.len())
            .ok()
            .filter(|len| *len <= MAX_LENGTH)
        else {
            debug_assert!(false, "a message of {} bytes", payload.len());
            return;
        };
        let chunk_stream_id = message
            .chunk_stream_id
            .clamp(MIN_CHUNK_STREAM_ID, MAX_CHUNK_STREAM_ID);
        let full = MessageHeader::Type0 {
            time: TimeField::new(message.timestamp),
            length,
            message_type: message.message_type,
            message_stream_id: message.message_stream_id,
        };
        let header = match self.policy {
            HeaderPolicy::Full => full,
            HeaderPolicy::Compressed => self
                .compress(chunk_stream_id, message, length)
                .unwrap_or(full),
        };
        put_header(out, |bytes| {
            ChunkHeader {
                chunk_stream_id,
                message: header,
            }
            .encode(bytes)
        });

        // Only type 0 has an extended timestamp here. RTMP 1.0, 5.3.1.3: it follows the headers of
        // the message's other chunks too.
        let repeated = matches!(header, MessageHeader::Type0 { .. })
            .then(|| TimeField::new(message.timestamp));
        let mut chunks = payload.chunks(self.chunk_size as usize);
        if let Some(first) = chunks.next() {
            out.put_part(payload, first);
        }
        for chunk in chunks {
            put_header(out, |bytes| {
                ChunkHeader {
                    chunk_stream_id,
                    message: MessageHeader::Type3,
                }
                .encode(bytes);
                if let Some(time) = repeated {
                    time.encode_extended(bytes);
                }
            });
            out.put_part(payload, chunk);
        }
    }

    /// The shortest header that says the same as the full one to every reader, if there is one, and
    /// notes the message for the next.
    ///
    /// Readers differ in what a type 3 message after a type 0 adds to the timestamp (the absolute
    /// value by the letter, nothing in some), in extended differences, and in where a message
    /// begins after an empty one. Such headers are not written.
    fn compress(
        &mut self,
        chunk_stream_id: u32,
        message: &Message,
        length: u32,
    ) -> Option<MessageHeader> {
        if length == 0 {
            self.latest
                .retain(|latest| latest.chunk_stream_id != chunk_stream_id);
            return None;
        }
        let mut new = Latest {
            chunk_stream_id,
            message_stream_id: message.message_stream_id,
            message_type: message.message_type,
            length,
            timestamp: message.timestamp,
            // The two readings of a type 3 header after this one agree on zero.
            delta: (message.timestamp == 0).then_some(0),
        };
        let Some(latest) = self
            .latest
            .iter_mut()
            .find(|latest| latest.chunk_stream_id == chunk_stream_id)
        else {
            if self.latest.len() < MAX_REMEMBERED {
                self.latest.push(new);
            }
            return None;
        };
        // Beyond 32 bits time seems to go back, to readers that count further than that.
        let time = message
            .timestamp
            .checked_sub(latest.timestamp)
            .map(TimeField::new)
            .filter(|time| !time.is_extended && latest.message_stream_id == new.message_stream_id);
        let header = time.map(|time| {
            let is_same = latest.message_type == new.message_type && latest.length == length;
            if !is_same {
                MessageHeader::Type1 {
                    time,
                    length,
                    message_type: new.message_type,
                }
            } else if latest.delta != Some(time.value) {
                MessageHeader::Type2 { time }
            } else {
                MessageHeader::Type3
            }
        });
        if let Some(time) = time {
            new.delta = Some(time.value);
        }
        *latest = new;
        header
    }
}

/// Appends what `encode` writes: at most [`MAX_HEADER_LEN`] bytes.
fn put_header(out: &mut SendQueue, encode: impl FnOnce(&mut &mut [u8])) {
    let mut bytes = [0; MAX_HEADER_LEN];
    let mut unused = &mut bytes[..];
    encode(&mut unused);
    let len = MAX_HEADER_LEN - unused.remaining_mut();
    out.put_slice(&bytes[..len]);
}

/// The longest payload that a header can announce.
const MAX_LENGTH: u32 = 0xFF_FFFF;
/// Chunk streams beyond this many get full headers always, so that memory has a bound whatever
/// ids are asked for.
const MAX_REMEMBERED: usize = 64;

#[cfg(test)]
mod tests;
