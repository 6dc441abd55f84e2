//! Any bytes as a chunk stream.

use std::collections::HashSet;

use bytes::BytesMut;
use srs_rtmp::Limits;
use srs_rtmp::chunk::{ChunkError, ChunkReader};
use srs_rtmp::message::control::Control;
use srs_rtmp::message::{Message, MessageType};

use crate::input::{Input, Pieces};

/// Reads the bytes, obeying Set Chunk Size and Abort. Messages and error do not depend on the
/// split, and all stays within the limits.
pub fn chunk_reader(data: &[u8]) {
    let Some(mut input) = Input::new(data) else {
        return;
    };
    let limits = if input.answers.yes() {
        Limits::default()
    } else {
        Limits {
            media_message: 3000,
            command_message: 500,
            data_message: 1000,
            chunk_streams: 4,
            partial_bytes: 4000,
            ..Limits::default()
        }
    };
    let whole = read(&limits, input.bytes, Pieces::Whole);
    let split = read(&limits, input.bytes, input.pieces);
    assert_eq!(whole, split);
    check(&limits, whole.0);
}

fn read(
    limits: &Limits,
    mut rest: &[u8],
    mut pieces: Pieces,
) -> (Vec<Message>, Result<(), ChunkError>) {
    let mut reader = ChunkReader::new(limits.clone());
    let (mut inbox, mut messages) = (BytesMut::new(), Vec::new());
    while pieces.feed(&mut rest, &mut inbox) {
        loop {
            match reader.read(&mut inbox) {
                Ok(None) => break,
                Err(error) => return (messages, Err(error)),
                Ok(Some(message)) => {
                    let obeyed = obey(&mut reader, &message);
                    messages.push(message);
                    if obeyed.is_err() {
                        return (messages, obeyed);
                    }
                }
            }
        }
        assert!(inbox.len() < LONGEST_HEADER, "only part of a header waits");
    }
    (messages, Ok(()))
}

fn obey(reader: &mut ChunkReader, message: &Message) -> Result<(), ChunkError> {
    match Control::decode(message) {
        Ok(Some(Control::SetChunkSize(size))) => reader.set_chunk_size(size)?,
        Ok(Some(Control::Abort { chunk_stream_id })) => reader.abort(chunk_stream_id),
        _ => {}
    }
    Ok(())
}

fn check(limits: &Limits, messages: Vec<Message>) {
    let mut chunk_streams = HashSet::new();
    for message in messages {
        assert!((2..=65_599).contains(&message.chunk_stream_id));
        chunk_streams.insert(message.chunk_stream_id);

        let len = message.payload.len();
        let limit = match message.message_type {
            MessageType::Audio | MessageType::Video | MessageType::Aggregate => {
                limits.media_message
            }
            MessageType::DataAmf0 | MessageType::DataAmf3 => limits.data_message,
            _ => limits.command_message,
        };
        assert!((1..=limit).contains(&len), "{message:?}");
        // Nobody else holds the payload, so this is its allocation and not a copy.
        assert_eq!(Vec::from(message.payload).capacity(), len);
    }
    assert!(chunk_streams.len() <= limits.chunk_streams);
}

/// Basic header, message header and extended timestamp.
const LONGEST_HEADER: usize = 3 + 11 + 4;
