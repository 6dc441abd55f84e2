//! Messages in chunks, made once for many players.
//!
//! Players of one stream get the same messages, but for the timestamps, which count from each
//! player's own beginning, and for the number of the message stream. A [`ChunkBatch`] holds the
//! chunks of a run of messages one behind the other, and rewrites these two fields in place: what
//! a player costs is then the write to its socket.

use std::ops::Range;

use bytes::BufMut;

use super::MAX_CHUNK_SIZE;
use super::header::{ChunkHeader, MessageHeader, TimeField};
use crate::MediaKind;
use crate::link;

/// A run of messages in chunks with full headers, byte for byte as a [`ChunkWriter`] with
/// [`HeaderPolicy::Full`] writes them.
///
/// [`ChunkWriter`]: super::ChunkWriter
/// [`HeaderPolicy::Full`]: super::HeaderPolicy::Full
#[derive(Clone, Debug)]
pub struct ChunkBatch {
    chunk_size: usize,
    message_stream_id: u32,
    bytes: Vec<u8>,
    messages: Vec<Framed>,
}

/// One message of a batch.
#[derive(Clone, Copy, Debug)]
struct Framed {
    kind: MediaKind,
    payload_len: usize,
    /// Where its first header stands.
    start: usize,
    time: TimeField,
}

impl ChunkBatch {
    /// An empty batch for players that use this chunk size: in bytes, brought into the range 1 to
    /// 16 777 215.
    pub fn new(chunk_size: u32) -> Self {
        Self {
            chunk_size: chunk_size.clamp(1, MAX_CHUNK_SIZE) as usize,
            message_stream_id: 0,
            bytes: Vec::new(),
            messages: Vec::new(),
        }
    }

    /// Uses another chunk size for the messages to come; only an empty batch may change it.
    pub fn set_chunk_size(&mut self, chunk_size: u32) {
        debug_assert!(
            self.is_empty(),
            "the messages in it have another chunk size"
        );
        self.chunk_size = chunk_size.clamp(1, MAX_CHUNK_SIZE) as usize;
    }

    /// Appends a message. Its timestamp is zero until [`Self::stamp`] sets it.
    ///
    /// A payload longer than [`Message::MAX_PAYLOAD_LEN`] cannot be expressed in RTMP; it is a
    /// mistake of the caller's, and an empty message takes its place.
    ///
    /// [`Message::MAX_PAYLOAD_LEN`]: crate::message::Message::MAX_PAYLOAD_LEN
    pub fn push(&mut self, kind: MediaKind, payload: &[u8]) {
        let fits = payload.len() <= MAX_CHUNK_SIZE as usize;
        debug_assert!(fits, "a message of {} bytes", payload.len());
        let payload = if fits { payload } else { &[] };
        let message = Framed {
            kind,
            payload_len: payload.len(),
            start: self.bytes.len(),
            time: TimeField::new(0),
        };
        self.write(message, payload.chunks(self.chunk_size));
    }

    /// Gives every message the timestamp that `time` has for its index, and the number of a
    /// player's message stream.
    ///
    /// Takes time for each message, not for its length, unless one of them gets or loses an
    /// extended timestamp: then all of them are written anew, once.
    pub fn stamp(&mut self, message_stream_id: u32, time: impl Fn(usize) -> u32) {
        let renumbered = message_stream_id != self.message_stream_id;
        self.message_stream_id = message_stream_id;
        let is_extended = |index| TimeField::new(time(index)).is_extended;
        let mut messages = self.messages.iter().enumerate();
        if messages.any(|(index, message)| message.time.is_extended != is_extended(index)) {
            self.lay_out_anew(&time);
            return;
        }
        for index in 0..self.messages.len() {
            let time = TimeField::new(time(index));
            match self.messages.get_mut(index) {
                Some(message) if message.time != time || renumbered => {
                    message.time = time;
                    let message = *message;
                    self.write_headers(&message);
                }
                _ => {}
            }
        }
    }

    /// The bytes from the message of this index on; empty behind the last.
    pub fn bytes_from(&self, index: usize) -> &[u8] {
        let start = self.messages.get(index).map(|message| message.start);
        start
            .and_then(|start| self.bytes.get(start..))
            .unwrap_or_default()
    }

    /// What is left to send to a peer that has had `written` bytes from the message at `from` on:
    /// the rest of the message that it has had a part of, and the index of the next one.
    pub fn rest_after(&self, from: usize, written: usize) -> (&[u8], usize) {
        let start = |message: &Framed| message.start;
        let begin = self.messages.get(from).map_or(self.bytes.len(), start);
        let at = begin.saturating_add(written).min(self.bytes.len());
        let next = self.messages.partition_point(|message| message.start < at);
        let end = self.messages.get(next).map_or(self.bytes.len(), start);
        (self.bytes.get(at..end).unwrap_or_default(), next)
    }

    /// How many bytes they have with their headers.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Takes all messages out, and keeps memory for `capacity` bytes of others at most.
    pub fn clear(&mut self, capacity: usize) {
        self.messages.clear();
        self.bytes.clear();
        self.bytes.shrink_to(capacity);
    }

    /// Appends a message: its headers, and behind each of them a chunk of its payload.
    fn write<'a>(&mut self, message: Framed, chunks: impl Iterator<Item = &'a [u8]>) {
        self.messages.push(message);
        message.first_header(self.message_stream_id, &mut self.bytes);
        for (index, chunk) in chunks.enumerate() {
            if index > 0 {
                message.next_header(&mut self.bytes);
            }
            self.bytes.extend_from_slice(chunk);
        }
    }

    /// Writes the headers of a message over those that are there, which are as long.
    fn write_headers(&mut self, message: &Framed) {
        if let Some(mut place) = self.bytes.get_mut(message.start..) {
            message.first_header(self.message_stream_id, &mut place);
        }
        // The other headers tell the time only where it is extended.
        if message.time.is_extended {
            for chunk in message.chunks(self.chunk_size).skip(1) {
                let start = chunk.start - message.next_header_len();
                if let Some(mut place) = self.bytes.get_mut(start..) {
                    message.next_header(&mut place);
                }
            }
        }
    }

    /// Writes all messages anew with other times. Where one is extended that was not, or the other
    /// way round, the headers get longer or shorter, and everything behind them moves.
    fn lay_out_anew(&mut self, time: impl Fn(usize) -> u32) {
        let old = std::mem::take(&mut self.bytes);
        self.bytes.reserve(old.len());
        for (index, before) in std::mem::take(&mut self.messages).into_iter().enumerate() {
            let after = Framed {
                start: self.bytes.len(),
                time: TimeField::new(time(index)),
                ..before
            };
            let chunks = before.chunks(self.chunk_size);
            self.write(
                after,
                chunks.map(|chunk| old.get(chunk).unwrap_or_default()),
            );
        }
    }
}

impl Framed {
    fn first_header(&self, message_stream_id: u32, out: &mut impl BufMut) {
        let (chunk_stream_id, message_type) = link::channel(self.kind);
        ChunkHeader {
            chunk_stream_id,
            message: MessageHeader::Type0 {
                time: self.time,
                // `push` has compared it with the longest.
                length: u32::try_from(self.payload_len).unwrap_or(MAX_CHUNK_SIZE),
                message_type,
                message_stream_id,
            },
        }
        .encode(out);
    }

    /// The header of every chunk but the first. RTMP 1.0, 5.3.1.3: an extended timestamp is
    /// repeated in it.
    fn next_header(&self, out: &mut impl BufMut) {
        let (chunk_stream_id, _) = link::channel(self.kind);
        ChunkHeader {
            chunk_stream_id,
            message: MessageHeader::Type3,
        }
        .encode(out);
        self.time.encode_extended(out);
    }

    /// Media has chunk stream ids of one byte.
    fn first_header_len(&self) -> usize {
        if self.time.is_extended { 16 } else { 12 }
    }

    fn next_header_len(&self) -> usize {
        if self.time.is_extended { 5 } else { 1 }
    }

    /// Where the chunks of its payload stand.
    fn chunks(self, chunk_size: usize) -> impl Iterator<Item = Range<usize>> {
        let first = self.start + self.first_header_len();
        (0..self.payload_len.div_ceil(chunk_size)).map(move |index| {
            let start = first + index * (chunk_size + self.next_header_len());
            let len = chunk_size.min(self.payload_len - index * chunk_size);
            start..start + len
        })
    }
}

#[cfg(test)]
mod tests {
    use bytes::{Buf as _, Bytes};
    use proptest::prelude::*;

    use super::*;
    use crate::SendQueue;
    use crate::chunk::{ChunkWriter, HeaderPolicy};
    use crate::message::Message;

    /// What a writer makes of the same messages.
    fn written(
        chunk_size: u32,
        message_stream_id: u32,
        messages: &[(MediaKind, Bytes, u32)],
    ) -> Bytes {
        let mut writer = ChunkWriter::new(HeaderPolicy::Full);
        writer.set_chunk_size(chunk_size);
        let mut out = SendQueue::default();
        for (kind, payload, timestamp) in messages {
            let (chunk_stream_id, message_type) = link::channel(*kind);
            let message = Message {
                chunk_stream_id,
                timestamp: *timestamp,
                message_type,
                message_stream_id,
                payload: payload.clone(),
            };
            writer.write(&message, &mut out);
        }
        out.copy_to_bytes(out.remaining())
    }

    fn kind() -> impl Strategy<Value = MediaKind> {
        prop_oneof![
            Just(MediaKind::Audio),
            Just(MediaKind::Video),
            Just(MediaKind::Data)
        ]
    }

    fn timestamp() -> impl Strategy<Value = u32> {
        // Near the value from which on it is extended, more often than not.
        prop_oneof![0xFF_FFF0..0x100_0010_u32, any::<u32>()]
    }

    proptest! {
        #[test]
        fn every_player_gets_what_a_writer_of_its_own_would_send(
            chunk_size in prop_oneof![1..300_u32, Just(60_000)],
            messages in prop::collection::vec((kind(), prop::collection::vec(any::<u8>(), 0..700)), 0..8),
            players in prop::collection::vec((1..4_u32, prop::collection::vec(timestamp(), 8)), 1..6),
        ) {
            let mut batch = ChunkBatch::new(chunk_size);
            for (kind, payload) in &messages {
                batch.push(*kind, payload);
            }
            prop_assert_eq!(batch.len(), messages.len());
            for (message_stream_id, times) in players {
                batch.stamp(message_stream_id, |index| times[index]);
                let timed: Vec<_> = messages
                    .iter()
                    .zip(&times)
                    .map(|((kind, payload), time)| (*kind, Bytes::copy_from_slice(payload), *time))
                    .collect();
                for from in 0..=messages.len() {
                    let expected = written(chunk_size, message_stream_id, &timed[from..]);
                    prop_assert_eq!(batch.bytes_from(from), &expected[..]);
                }
            }
        }
    }

    #[test]
    fn what_is_left_of_a_message_is_known_to_the_byte() {
        let mut batch = ChunkBatch::new(128);
        for len in [100, 200, 0] {
            batch.push(MediaKind::Video, &vec![7; len]);
        }
        // 12 + 100, 12 + 128 + 1 + 72 and 12 bytes.
        let cases = [
            (0, 0, 0, 0),
            (0, 1, 111, 1),
            (0, 112, 0, 1),
            (0, 113, 212, 2),
            (1, 1, 212, 2),
            (1, 213, 0, 2),
            (1, 214, 11, 3),
            (2, 12, 0, 3),
            (3, 0, 0, 3),
        ];
        for (from, written, rest, next) in cases {
            let (bytes, index) = batch.rest_after(from, written);
            assert_eq!(
                (bytes.len(), index),
                (rest, next),
                "{written} bytes from {from} on"
            );
        }
    }

    #[test]
    fn an_emptied_batch_begins_anew() {
        let mut batch = ChunkBatch::new(60_000);
        batch.push(MediaKind::Video, &[7; 1_000]);
        batch.clear(64);
        batch.set_chunk_size(128);
        assert!(batch.is_empty() && batch.bytes_from(0).is_empty());
        assert!(
            batch.bytes.capacity() < 1_000,
            "it keeps no more than 64 bytes"
        );
        batch.push(MediaKind::Audio, b"a");
        batch.stamp(1, |_| 40);
        let expected = [(MediaKind::Audio, Bytes::from_static(b"a"), 40)];
        assert_eq!(batch.bytes_from(0), written(128, 1, &expected));
    }
}
