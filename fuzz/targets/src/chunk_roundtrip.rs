//! Messages into chunks and back.

use std::sync::LazyLock;

use arbitrary::{Arbitrary, Unstructured};
use bytes::{Buf, Bytes, BytesMut};
use srs_rtmp::chunk::{ChunkReader, ChunkWriter, HeaderPolicy, MAX_CHUNK_SIZE};
use srs_rtmp::message::Message;
use srs_rtmp::message::control::Control;
use srs_rtmp::{Limits, SendQueue};

use crate::input::Pieces;

/// Writes messages that the input describes, with chunk sizes that change in between, and reads the
/// same messages back.
pub fn chunk_roundtrip(data: &[u8]) {
    let Ok(plan) = Plan::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let policy = if plan.is_compressed {
        HeaderPolicy::Compressed
    } else {
        HeaderPolicy::Full
    };
    let mut writer = ChunkWriter::new(policy);
    let (mut out, mut expected) = (SendQueue::default(), Vec::new());
    let mut timestamp = 0_u32;
    for item in plan.items.iter().take(MOST_ITEMS) {
        timestamp = item.time.after(timestamp);
        if let Some(size) = item.chunk_size {
            let size = size % (MAX_CHUNK_SIZE + 10);
            let control = Control::SetChunkSize(size.max(1)).encode();
            writer.write(&control, &mut out);
            writer.set_chunk_size(size);
            expected.push(control);
        }
        let message = item.message(timestamp);
        writer.write(&message, &mut out);
        // Empty messages are written, and not read.
        if !message.payload.is_empty() {
            expected.push(message);
        }
    }
    let written = out.copy_to_bytes(out.remaining());
    for pieces in [Pieces::Whole, Pieces::Random(plan.pieces)] {
        assert_eq!(read(&written, pieces), expected);
    }
}

fn read(mut rest: &[u8], mut pieces: Pieces) -> Vec<Message> {
    let mut reader = ChunkReader::new(Limits {
        chunk_streams: MOST_ITEMS + 1,
        ..Limits::default()
    });
    let (mut inbox, mut messages) = (BytesMut::new(), Vec::new());
    while pieces.feed(&mut rest, &mut inbox) {
        while let Some(message) = reader.read(&mut inbox).expect("we write what we read") {
            if let Ok(Some(Control::SetChunkSize(size))) = Control::decode(&message) {
                reader.set_chunk_size(size).expect("a size above 0");
            }
            messages.push(message);
        }
    }
    assert!(inbox.is_empty(), "all is read");
    messages
}

#[derive(Arbitrary, Debug)]
struct Plan {
    is_compressed: bool,
    pieces: u32,
    items: Vec<Item>,
}

#[derive(Arbitrary, Debug)]
struct Item {
    chunk_size: Option<u32>,
    chunk_stream: ChunkStream,
    time: Time,
    is_video: bool,
    message_stream_id: u8,
    payload_len: u16,
    first_byte: u8,
}

/// Few chunk streams, so that messages often share one, and the ids at which headers change.
#[derive(Arbitrary, Debug)]
enum ChunkStream {
    Usual,
    Another,
    Border(u8),
    Any(u32),
}

#[derive(Arbitrary, Debug)]
enum Time {
    Same,
    Step(u8),
    /// Around the first value that does not fit the 24 bits of a header.
    Extended(u8),
    Any(u32),
}

impl Time {
    fn after(&self, before: u32) -> u32 {
        match *self {
            Self::Same => before,
            Self::Step(millis) => before.wrapping_add(millis.into()),
            Self::Extended(millis) => 0xFF_FF80 + u32::from(millis),
            Self::Any(time) => time,
        }
    }
}

impl Item {
    fn message(&self, timestamp: u32) -> Message {
        let chunk_stream_id = match self.chunk_stream {
            ChunkStream::Usual => 6,
            ChunkStream::Another => 7,
            ChunkStream::Border(id) if id < 128 => u32::from(id),
            ChunkStream::Border(id) => 320 - 192 + u32::from(id),
            ChunkStream::Any(id) => id % 65_600,
        };
        // Mostly short: in chunks of one byte, 60 kB are a run of a hundredth of a second.
        let payload_len = match usize::from(self.payload_len) {
            len @ 60_000.. => len,
            len => len % 1000,
        };
        let first = usize::from(self.first_byte);
        Message {
            // 0 and 1 cannot be expressed, and are replaced by the first that can.
            chunk_stream_id: chunk_stream_id.max(2),
            timestamp,
            message_type: if self.is_video { 9 } else { 8 }.into(),
            message_stream_id: self.message_stream_id.into(),
            payload: PATTERN.slice(first..first + payload_len),
        }
    }
}

/// Something to cut payloads from. Its period is no multiple of a usual chunk size, so that chunks
/// in the wrong order are seen.
static PATTERN: LazyLock<Bytes> = LazyLock::new(|| (0..251).cycle().take(66_000).collect());

/// What keeps a run short.
const MOST_ITEMS: usize = 40;
