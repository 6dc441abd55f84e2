//! The chunk stream: messages cut into chunks and put together again.
//!
//! Messages of several chunk streams take turns chunk by chunk, so that a long video message does
//! not hold up audio. [`ChunkReader`] and [`ChunkWriter`] each serve one direction of a connection,
//! after the handshake. [`ChunkBatch`] does what the writer does, once for many players. RTMP 1.0,
//! 5.3.

mod batch;
mod header;
mod reader;
mod stream;
mod writer;

pub use batch::ChunkBatch;
pub use reader::ChunkReader;
pub use writer::{ChunkWriter, HeaderPolicy};

use crate::message::MessageType;

/// The chunk size of both directions until a Set Chunk Size message changes it, in bytes.
pub const DEFAULT_CHUNK_SIZE: u32 = 128;

/// The largest chunk size with a meaning, in bytes: no message is longer (RTMP 1.0, 5.4.1).
pub const MAX_CHUNK_SIZE: u32 = 0xFF_FFFF;

/// Why a chunk stream cannot be read any further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// The first chunk of a chunk stream leaves out fields of its header.
    #[error(
        "chunk stream {chunk_stream_id} begins with a type {format} header, type 0 was expected"
    )]
    UnknownChunkStream {
        /// The chunk stream.
        chunk_stream_id: u32,
        /// The type of the header that came, 1 to 3.
        format: u8,
    },
    /// A new message begins where the rest of another was due.
    #[error(
        "chunk stream {chunk_stream_id} has a type 0 header after {received} of {length} bytes of \
         a message, more of it was expected"
    )]
    MessageInterrupted {
        /// The chunk stream.
        chunk_stream_id: u32,
        /// How much of the message has come.
        received: usize,
        /// The length of the message.
        length: usize,
    },
    /// A type 1 header inside a message describes another message.
    #[error(
        "chunk stream {chunk_stream_id} has a header of a {message_type:?} message of {length} \
         bytes inside a {expected_type:?} message of {expected_length} bytes"
    )]
    MessageChanged {
        /// The chunk stream.
        chunk_stream_id: u32,
        /// The type that came.
        message_type: MessageType,
        /// The length that came.
        length: usize,
        /// The type of the message that has begun.
        expected_type: MessageType,
        /// The length of the message that has begun.
        expected_length: usize,
    },
    /// A message is longer than its type may be.
    #[error(
        "chunk stream {chunk_stream_id} announces a {message_type:?} message of {length} bytes, at \
         most {limit} are allowed"
    )]
    MessageTooLong {
        /// The chunk stream.
        chunk_stream_id: u32,
        /// The type of the message.
        message_type: MessageType,
        /// The length that was announced.
        length: usize,
        /// The longest that is allowed.
        limit: usize,
    },
    /// The peer uses too many chunk streams.
    #[error("chunk stream {chunk_stream_id} would be one more than the {limit} that are allowed")]
    TooManyChunkStreams {
        /// The chunk stream that is too much.
        chunk_stream_id: u32,
        /// The most that are allowed.
        limit: usize,
    },
    /// Too much is half read.
    #[error(
        "chunk stream {chunk_stream_id} announces {length} bytes while {partial_bytes} bytes of \
         messages are incomplete, at most {limit} are allowed in sum"
    )]
    TooManyPartialBytes {
        /// The chunk stream of the message that is too much.
        chunk_stream_id: u32,
        /// The length of that message.
        length: usize,
        /// The announced lengths of the messages that have begun.
        partial_bytes: usize,
        /// The most that is allowed in sum.
        limit: usize,
    },
    /// The peer asks for a chunk size that does not exist.
    #[error("chunk size {chunk_size} came, 1 to 2147483647 was expected")]
    ChunkSize {
        /// The size that came.
        chunk_size: u32,
    },
}

#[cfg(test)]
mod tests {
    use bytes::{Buf, Bytes, BytesMut};
    use proptest::prelude::*;

    use super::*;
    use crate::limits::Limits;
    use crate::message::Message;
    use crate::output::SendQueue;

    /// Timestamps that matter: small steps, the border of the extended ones, the end of 32 bits.
    fn timestamp() -> impl Strategy<Value = u32> {
        prop_oneof![
            0..200_u32,
            0xFF_FFF0..0x0100_0010_u32,
            0x7FFF_FFF0..0x8000_0010_u32,
            0xFFFF_FF00..=u32::MAX,
            any::<u32>(),
        ]
    }

    fn payload_len() -> impl Strategy<Value = usize> {
        // The repeated lengths make headers of types 2 and 3 likely.
        prop_oneof![4 => 1..4_usize, 4 => 1..600_usize, 1 => Just(128), 1 => 1..70_000_usize]
    }

    fn message() -> impl Strategy<Value = Message> {
        let chunk_stream_id = prop_oneof![4 => 2..6_u32, 1 => 60..70_u32, 1 => 315..325_u32];
        let message_type = prop_oneof![Just(8_u8), Just(9)];
        (
            chunk_stream_id,
            timestamp(),
            message_type,
            0..2_u32,
            payload_len(),
            any::<u8>(),
        )
            .prop_map(
                |(chunk_stream_id, timestamp, message_type, message_stream_id, len, first)| {
                    let bytes = (0..=u8::MAX).cycle().skip(first.into());
                    Message {
                        chunk_stream_id,
                        timestamp,
                        message_type: message_type.into(),
                        message_stream_id,
                        payload: bytes.take(len).collect::<Vec<_>>().into(),
                    }
                },
            )
    }

    /// Messages in a row, with the timestamps of some replaced by a step from the one before.
    fn messages() -> impl Strategy<Value = Vec<Message>> {
        let step = prop::option::weighted(0.7, prop_oneof![Just(0_u32), Just(23), 0..50_u32]);
        prop::collection::vec((message(), step), 1..30).prop_map(|items| {
            let mut latest = 0_u32;
            let stepped = items.into_iter().map(|(message, step)| {
                latest = step.map_or(message.timestamp, |step| latest.wrapping_add(step));
                Message {
                    timestamp: latest,
                    ..message
                }
            });
            stepped.collect()
        })
    }

    fn policy() -> impl Strategy<Value = HeaderPolicy> {
        prop_oneof![Just(HeaderPolicy::Full), Just(HeaderPolicy::Compressed)]
    }

    fn chunk_size() -> impl Strategy<Value = u32> {
        prop_oneof![1..10_u32, 1..300_u32, 1..70_000_u32]
    }

    fn write(policy: HeaderPolicy, chunk_size: u32, messages: &[Message]) -> Vec<Bytes> {
        let mut writer = ChunkWriter::new(policy);
        writer.set_chunk_size(chunk_size);
        let written = messages.iter().map(|message| {
            let mut out = SendQueue::default();
            writer.write(message, &mut out);
            out.copy_to_bytes(out.remaining())
        });
        written.collect()
    }

    /// All messages in `input`, which comes in pieces of the given lengths, over and over.
    fn read(
        reader: &mut ChunkReader,
        mut input: &[u8],
        pieces: &[usize],
    ) -> (Vec<Message>, Result<(), ChunkError>) {
        let mut inbox = BytesMut::new();
        let mut messages = Vec::new();
        for len in pieces.iter().cycle() {
            if input.is_empty() {
                break;
            }
            let (piece, rest) = input.split_at((*len).min(input.len()));
            input = rest;
            inbox.extend_from_slice(piece);
            loop {
                match reader.read(&mut inbox) {
                    Ok(Some(message)) => messages.push(message),
                    Ok(None) => break,
                    Err(error) => return (messages, Err(error)),
                }
            }
            assert!(
                inbox.len() < header::MAX_HEADER_LEN,
                "no more than part of a header waits"
            );
        }
        (messages, Ok(()))
    }

    fn pieces() -> impl Strategy<Value = Vec<usize>> {
        prop::collection::vec(prop_oneof![1..20_usize, 1..5000_usize], 1..20)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_with_any_chunk_size_and_any_split(
            messages in messages(),
            policy in policy(),
            chunk_size in chunk_size(),
            pieces in pieces(),
        ) {
            let bytes = write(policy, chunk_size, &messages).concat();
            let mut reader = ChunkReader::new(Limits::default());
            reader.set_chunk_size(chunk_size).unwrap();
            let (read, result) = read(&mut reader, &bytes, &pieces);
            prop_assert_eq!(result, Ok(()));
            prop_assert_eq!(read, messages);
        }

        #[test]
        fn chunk_streams_that_take_turns_are_told_apart(
            messages in messages(),
            policy in policy(),
            turns in prop::collection::vec(any::<prop::sample::Index>(), 1..50),
            pieces in pieces(),
        ) {
            const CHUNK_SIZE: u32 = 200;
            // Each chunk stream is written by itself; then their chunks are mixed.
            let mut streams: Vec<Vec<Message>> = Vec::new();
            for message in messages {
                let same = |other: &&mut Vec<Message>| {
                    other[0].chunk_stream_id == message.chunk_stream_id
                };
                match streams.iter_mut().find(same) {
                    Some(stream) => stream.push(message),
                    None => streams.push(vec![message]),
                }
            }
            let mut waiting: Vec<Vec<Vec<u8>>> = streams
                .iter()
                .map(|messages| {
                    let written = write(policy, CHUNK_SIZE, messages);
                    let chunks = written.iter().zip(messages);
                    let mut chunks: Vec<_> = chunks.flat_map(|(b, m)| chunks_of(b, m)).collect();
                    chunks.reverse();
                    chunks
                })
                .collect();
            let mut mixed = Vec::new();
            for turn in turns.iter().cycle() {
                waiting.retain(|chunks| !chunks.is_empty());
                if waiting.is_empty() {
                    break;
                }
                mixed.extend(turn.get_mut(&mut waiting[..]).pop().unwrap());
            }

            let mut reader = ChunkReader::new(Limits::default());
            reader.set_chunk_size(CHUNK_SIZE).unwrap();
            let (read, result) = read(&mut reader, &mixed, &pieces);
            prop_assert_eq!(result, Ok(()));
            for stream in streams {
                let id = stream[0].chunk_stream_id;
                let of_stream = read.iter().filter(|m| m.chunk_stream_id == id);
                prop_assert_eq!(of_stream.cloned().collect::<Vec<_>>(), stream);
            }
        }

        #[test]
        fn any_bytes_are_read_within_the_limits_and_the_same_in_any_split(
            // Short headers and small numbers, so that much of it has a meaning.
            bytes in prop::collection::vec(
                prop_oneof![4 => 0..12_u8, 2 => prop::sample::select(vec![0xC3, 0xC4, 0x44, 0x84, 0xFF]), 1 => any::<u8>()],
                0..3000,
            ),
            chunk_size in chunk_size(),
            pieces in pieces(),
        ) {
            let limits = Limits {
                media_message: 70_000,
                chunk_streams: 5,
                partial_bytes: 150_000,
                ..Limits::default()
            };
            let mut reader = ChunkReader::new(limits.clone());
            reader.set_chunk_size(chunk_size).unwrap();
            let mut other = reader.clone();
            let in_pieces = read(&mut reader, &bytes, &pieces);
            prop_assert!(reader.memory() <= limits.partial_bytes);
            let at_once = read(&mut other, &bytes, &[usize::MAX]);
            prop_assert_eq!(in_pieces, at_once);
        }
    }

    /// The chunks in `bytes`, which are those of `message` with a chunk size of 200.
    fn chunks_of(bytes: &[u8], message: &Message) -> Vec<Vec<u8>> {
        let mut rest = bytes;
        let mut missing = message.payload.len();
        let mut chunks = Vec::new();
        while missing > 0 {
            let data = missing.min(200);
            missing -= data;
            // Behind this chunk stand the others: full ones but for the last.
            let behind = missing.div_ceil(200) * continuation_len(bytes, message) + missing;
            let (chunk, others) = rest.split_at(rest.len() - behind);
            chunks.push(chunk.to_vec());
            rest = others;
        }
        chunks
    }

    /// The length of each type 3 header in `bytes`: with an extended timestamp after a type 0 one.
    fn continuation_len(bytes: &[u8], message: &Message) -> usize {
        let basic = match message.chunk_stream_id {
            2..=63 => 1,
            64..=319 => 2,
            _ => 3,
        };
        let is_extended = bytes[0] >> 6 == 0 && message.timestamp >= 0xFF_FFFF;
        basic + if is_extended { 4 } else { 0 }
    }
}
