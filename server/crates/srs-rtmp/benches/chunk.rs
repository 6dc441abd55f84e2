//! How fast chunks are read and written: bytes on the wire and messages per second.

use bytes::{Buf, Bytes, BytesMut};
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use srs_rtmp::MediaKind;
use srs_rtmp::chunk::{ChunkBatch, ChunkReader, ChunkWriter, HeaderPolicy};
use srs_rtmp::limits::Limits;
use srs_rtmp::message::{Message, MessageType};
use srs_rtmp::output::SendQueue;

fn main() {
    divan::main();
}

/// What is sent, and with which chunk size.
#[derive(Clone, Copy, Debug)]
enum Load {
    /// A stream of 500 kbps in chunks as large as ours: no message is cut.
    Stream,
    /// The same stream as ffmpeg and librtmp send it when nobody asks for more.
    Stream128,
    /// Messages of a megabyte in small chunks: nearly all is headers.
    Large128,
}

const LOADS: [Load; 3] = [Load::Stream, Load::Stream128, Load::Large128];

impl Load {
    fn chunk_size(self) -> u32 {
        match self {
            Self::Stream => 60_000,
            Self::Stream128 | Self::Large128 => 128,
        }
    }

    fn messages(self) -> Vec<Message> {
        match self {
            Self::Stream | Self::Stream128 => stream(),
            Self::Large128 => (0..4)
                .map(|n| message(MessageType::Video, n * 40, 1 << 20))
                .collect(),
        }
    }

    fn chunks(self, policy: HeaderPolicy) -> Bytes {
        let mut out = SendQueue::default();
        write(&mut self.writer(policy), &self.messages(), &mut out);
        out.copy_to_bytes(out.remaining())
    }

    fn writer(self, policy: HeaderPolicy) -> ChunkWriter {
        let mut writer = ChunkWriter::new(policy);
        writer.set_chunk_size(self.chunk_size());
        writer
    }

    fn reader(self) -> ChunkReader {
        let mut reader = ChunkReader::new(Limits::default());
        reader
            .set_chunk_size(self.chunk_size())
            .expect("the sizes above are allowed");
        reader
    }
}

/// Ten seconds of 25 pictures a second, a key frame every two seconds, and AAC at 44.1 kHz.
fn stream() -> Vec<Message> {
    let video = (0..250).map(|n| {
        let len = if n % 50 == 0 { 18_000 } else { 1_800 };
        message(MessageType::Video, n * 40, len)
    });
    let audio = (0..430).map(|n| message(MessageType::Audio, n * 1024 * 10 / 441, 180 + n % 13));
    let mut messages: Vec<_> = video.chain(audio).collect();
    messages.sort_by_key(|message| message.timestamp);
    messages
}

fn message(message_type: MessageType, timestamp: u32, len: u32) -> Message {
    Message {
        chunk_stream_id: if message_type == MessageType::Audio {
            4
        } else {
            6
        },
        timestamp,
        message_type,
        message_stream_id: 1,
        payload: vec![0x5A; len as usize].into(),
    }
}

fn write(writer: &mut ChunkWriter, messages: &[Message], out: &mut SendQueue) {
    for message in messages {
        writer.write(message, out);
    }
}

#[divan::bench(args = LOADS)]
fn decode(bencher: Bencher<'_, '_>, load: Load) {
    let chunks = load.chunks(HeaderPolicy::Full);
    let count = load.messages().len();
    bencher
        .counter(BytesCount::new(chunks.len()))
        .counter(ItemsCount::new(count))
        .with_inputs(|| (load.reader(), BytesMut::new()))
        .bench_local_values(|(mut reader, mut input)| {
            let mut read = 0;
            // As a socket gives them.
            for piece in chunks.chunks(16 * 1024) {
                input.extend_from_slice(piece);
                while let Ok(Some(message)) = reader.read(&mut input) {
                    black_box(message);
                    read += 1;
                }
            }
            assert_eq!(read, count);
        });
}

#[divan::bench(args = LOADS)]
fn encode_full(bencher: Bencher<'_, '_>, load: Load) {
    encode(bencher, load, HeaderPolicy::Full);
}

#[divan::bench(args = LOADS)]
fn encode_compressed(bencher: Bencher<'_, '_>, load: Load) {
    encode(bencher, load, HeaderPolicy::Compressed);
}

/// Writes message by message into a queue that is emptied as often, like that of a player that
/// keeps up.
fn encode(bencher: Bencher<'_, '_>, load: Load, policy: HeaderPolicy) {
    let messages = load.messages();
    bencher
        .counter(BytesCount::new(load.chunks(policy).len()))
        .counter(ItemsCount::new(messages.len()))
        .with_inputs(|| load.writer(policy))
        .bench_local_values(|mut writer| {
            let mut out = SendQueue::default();
            for message in &messages {
                writer.write(message, &mut out);
                let mut slices = [std::io::IoSlice::new(&[]); 64];
                black_box(out.chunks_vectored(&mut slices));
                out.advance(out.remaining());
            }
        });
}

/// What a batch costs for each player beyond the write: each has a beginning of its own, so that
/// all timestamps differ.
#[divan::bench(args = LOADS)]
fn stamp(bencher: Bencher<'_, '_>, load: Load) {
    let messages = load.messages();
    let mut batch = ChunkBatch::new(load.chunk_size());
    for message in &messages {
        let kind = match message.message_type {
            MessageType::Audio => MediaKind::Audio,
            _ => MediaKind::Video,
        };
        batch.push(kind, &message.payload);
    }
    let mut player = 0;
    bencher
        .counter(ItemsCount::new(messages.len()))
        .bench_local(|| {
            player += 1;
            batch.stamp(1, |index| messages[index].timestamp + player % 1_000);
            black_box(batch.bytes_from(0));
        });
}
