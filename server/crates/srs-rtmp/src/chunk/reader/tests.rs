mod extended_timestamps;
mod limits;

use super::*;
use crate::message::MessageType;

/// Chunk stream, timestamp, type, message stream and payload of a message.
type Read = (u32, u32, u8, u32, Vec<u8>);
/// A name, chunks with their headers, and the messages that are read from them.
type Case<'a> = (&'a str, &'a [&'a [u8]], &'a [(u32, u32, u8, u32, &'a [u8])]);

/// All messages in `input`, which comes in pieces of `piece` bytes.
fn read_pieces(
    reader: &mut ChunkReader,
    input: &[u8],
    piece: usize,
) -> Result<Vec<Read>, ChunkError> {
    let mut inbox = BytesMut::new();
    let mut messages = Vec::new();
    for piece in input.chunks(piece) {
        inbox.extend_from_slice(piece);
        while let Some(message) = reader.read(&mut inbox)? {
            messages.push((
                message.chunk_stream_id,
                message.timestamp,
                message.message_type.id(),
                message.message_stream_id,
                message.payload.to_vec(),
            ));
        }
    }
    Ok(messages)
}

/// As [`read_pieces`] with a chunk size of four; the input comes whole and byte by byte.
fn read(input: &[u8]) -> Result<Vec<Read>, ChunkError> {
    let mut reader = ChunkReader::new(Limits::default());
    reader.set_chunk_size(4)?;
    let bytewise = read_pieces(&mut reader.clone(), input, 1);
    let whole = read_pieces(&mut reader, input, usize::MAX);
    assert_eq!(whole, bytewise, "the same in one piece and byte by byte");
    whole
}

#[track_caller]
fn check(cases: &[Case<'_>]) {
    for (name, chunks, expected) in cases {
        let expected: Vec<Read> = expected
            .iter()
            .map(|(c, t, m, s, payload)| (*c, *t, *m, *s, payload.to_vec()))
            .collect();
        assert_eq!(read(&chunks.concat()), Ok(expected), "{name}");
    }
}

const AUDIO_0_AT_1000: &[u8] = &[0x04, 0, 0x03, 0xE8, 0, 0, 2, 8, 1, 0, 0, 0, 0xAF, 1];

#[test]
fn the_four_header_types_give_what_the_specification_says() {
    check(&[
        (
            "type 0 is absolute",
            &[AUDIO_0_AT_1000],
            &[(4, 1000, 8, 1, &[0xAF, 1])],
        ),
        (
            "the message stream id is little endian",
            &[&[0x04, 0, 0, 0, 0, 0, 1, 8, 4, 3, 2, 1, b'a']],
            &[(4, 0, 8, 0x0102_0304, b"a")],
        ),
        (
            "type 1 adds to the timestamp and keeps the message stream",
            &[AUDIO_0_AT_1000, &[0x44, 0, 0, 23, 0, 0, 3, 9], b"abc"],
            &[(4, 1000, 8, 1, &[0xAF, 1]), (4, 1023, 9, 1, b"abc")],
        ),
        (
            "type 2 adds to the timestamp and keeps the rest",
            &[AUDIO_0_AT_1000, &[0x84, 0, 0, 23], b"ab"],
            &[(4, 1000, 8, 1, &[0xAF, 1]), (4, 1023, 8, 1, b"ab")],
        ),
        (
            "type 3 repeats the last difference",
            &[
                AUDIO_0_AT_1000,
                &[0x84, 0, 0, 23],
                b"ab",
                &[0xC4],
                b"cd",
                &[0xC4],
                b"ef",
            ],
            &[
                (4, 1000, 8, 1, &[0xAF, 1]),
                (4, 1023, 8, 1, b"ab"),
                (4, 1046, 8, 1, b"cd"),
                (4, 1069, 8, 1, b"ef"),
            ],
        ),
        (
            "type 3 after type 0 repeats the absolute timestamp as a difference",
            &[AUDIO_0_AT_1000, &[0xC4], b"ab", &[0xC4], b"cd"],
            &[
                (4, 1000, 8, 1, &[0xAF, 1]),
                (4, 2000, 8, 1, b"ab"),
                (4, 3000, 8, 1, b"cd"),
            ],
        ),
        (
            "type 0 goes back in time",
            &[
                AUDIO_0_AT_1000,
                &[0x04, 0, 0, 1, 0, 0, 1, 8, 1, 0, 0, 0, b'a'],
            ],
            &[(4, 1000, 8, 1, &[0xAF, 1]), (4, 1, 8, 1, b"a")],
        ),
    ]);
}

#[test]
fn chunk_stream_ids_have_one_two_or_three_bytes() {
    let message: &[u8] = &[0, 0, 0, 0, 0, 1, 8, 1, 0, 0, 0, b'a'];
    check(&[
        ("one byte", &[&[0x3F], message], &[(63, 0, 8, 1, b"a")]),
        (
            "two bytes",
            &[&[0x00, 0x00], message],
            &[(64, 0, 8, 1, b"a")],
        ),
        (
            "the largest of two bytes",
            &[&[0x00, 0xFF], message],
            &[(319, 0, 8, 1, b"a")],
        ),
        (
            "three bytes",
            &[&[0x01, 0x00, 0x01], message],
            &[(320, 0, 8, 1, b"a")],
        ),
        (
            "the largest of three bytes",
            &[&[0x01, 0xFF, 0xFF], message],
            &[(65_599, 0, 8, 1, b"a")],
        ),
        (
            "the same id in two forms is the same chunk stream",
            &[&[0x00, 0x01], message, &[0xC1, 0x01, 0x00], b"b"],
            &[(65, 0, 8, 1, b"a"), (65, 0, 8, 1, b"b")],
        ),
    ]);
}

#[test]
fn a_message_longer_than_a_chunk_is_put_together() {
    check(&[
        (
            "type 3 changes nothing inside a message",
            &[
                &[0x06, 0, 0, 9, 0, 0, 9, 9, 1, 0, 0, 0],
                b"abcd",
                &[0xC6],
                b"efgh",
                &[0xC6],
                b"i",
            ],
            &[(6, 9, 9, 1, b"abcdefghi")],
        ),
        (
            "a message that fills its chunks is complete",
            &[
                &[0x06, 0, 0, 9, 0, 0, 8, 9, 1, 0, 0, 0],
                b"abcd",
                &[0xC6],
                b"efgh",
                &[0x86, 0, 0, 1],
                b"ijkl",
                &[0xC6],
                b"mnop",
            ],
            &[(6, 9, 9, 1, b"abcdefgh"), (6, 10, 9, 1, b"ijklmnop")],
        ),
        (
            "type 1 with the same length and type is more of the message",
            &[
                &[0x06, 0, 0, 9, 0, 0, 5, 9, 1, 0, 0, 0],
                b"abcd",
                &[0x46, 0, 0, 7, 0, 0, 5, 9],
                b"e",
                &[0x86, 0, 0, 1],
                b"next",
                &[0xC6],
                b"!",
            ],
            &[(6, 9, 9, 1, b"abcde"), (6, 10, 9, 1, b"next!")],
        ),
        (
            "type 2 inside a message is more of it",
            &[
                &[0x06, 0, 0, 9, 0, 0, 5, 9, 1, 0, 0, 0],
                b"abcd",
                &[0x86, 0, 0, 7],
                b"e",
            ],
            &[(6, 9, 9, 1, b"abcde")],
        ),
    ]);
}

#[test]
fn chunk_streams_take_turns() {
    check(&[
        (
            "audio between the chunks of video",
            &[
                &[0x06, 0, 0, 10, 0, 0, 10, 9, 1, 0, 0, 0],
                b"vide",
                &[0x04, 0, 0, 12, 0, 0, 6, 8, 1, 0, 0, 0],
                b"audi",
                &[0xC6],
                b"o on",
                &[0xC4],
                b"o.",
                &[0x84, 0, 0, 21],
                b"more",
                &[0xC6],
                b"e.",
                &[0xC4],
                b"..",
            ],
            &[
                (4, 12, 8, 1, b"audio."),
                (6, 10, 9, 1, b"video one."),
                (4, 33, 8, 1, b"more.."),
            ],
        ),
        (
            "a ping between the chunks of a command",
            &[
                &[0x03, 0, 0, 0, 0, 0, 5, 20, 0, 0, 0, 0],
                b"conn",
                &[0x02, 0, 0, 0, 0, 0, 6, 4, 0, 0, 0, 0, 0, 6, 1, 2],
                &[0xC2, 3, 4],
                &[0xC3],
                b"!",
            ],
            &[(2, 0, 4, 0, &[0, 6, 1, 2, 3, 4]), (3, 0, 20, 0, b"conn!")],
        ),
    ]);
}

#[test]
fn empty_messages_are_skipped_and_count_in_time() {
    check(&[
        (
            "between two messages",
            &[
                AUDIO_0_AT_1000,
                &[0x44, 0, 0, 10, 0, 0, 0, 8],
                &[0xC4],
                &[0x44, 0, 0, 10, 0, 0, 1, 8, b'a'],
            ],
            &[(4, 1000, 8, 1, &[0xAF, 1]), (4, 1030, 8, 1, b"a")],
        ),
        (
            "at the beginning of a chunk stream",
            &[
                &[0x04, 0, 0, 5, 0, 0, 0, 8, 1, 0, 0, 0],
                &[0x44, 0, 0, 10, 0, 0, 1, 8, b'a'],
            ],
            &[(4, 15, 8, 1, b"a")],
        ),
    ]);
}

#[test]
fn the_control_chunk_stream_may_begin_with_type_1() {
    check(&[(
        "librtmp's ping",
        &[&[0x42, 0, 0, 7, 0, 0, 6, 4, 0, 6, 0, 0], &[0xC2, 0, 9]],
        &[(2, 7, 4, 0, &[0, 6, 0, 0, 0, 9])],
    )]);
}

#[test]
fn chunks_that_contradict_each_other_are_errors() {
    let unknown = |chunk_stream_id, format| ChunkError::UnknownChunkStream {
        chunk_stream_id,
        format,
    };
    let begun: &[u8] = &[
        0x06, 0, 0, 9, 0, 0, 9, 9, 1, 0, 0, 0, b'a', b'b', b'c', b'd',
    ];
    let changed = |message_type, length| ChunkError::MessageChanged {
        chunk_stream_id: 6,
        message_type,
        length,
        expected_type: MessageType::Video,
        expected_length: 9,
    };
    let cases: &[(&str, &[&[u8]], ChunkError)] = &[
        (
            "type 1 first",
            &[&[0x43, 0, 0, 0, 0, 0, 1, 8]],
            unknown(3, 1),
        ),
        ("type 2 first", &[&[0x83, 0, 0, 0]], unknown(3, 2)),
        ("type 3 first", &[&[0xC3]], unknown(3, 3)),
        (
            "type 2 first on the control chunk stream",
            &[&[0x82, 0, 0, 0]],
            unknown(2, 2),
        ),
        (
            "type 0 inside a message",
            &[begun, begun],
            ChunkError::MessageInterrupted {
                chunk_stream_id: 6,
                received: 4,
                length: 9,
            },
        ),
        (
            "type 1 of another length inside a message",
            &[begun, &[0x46, 0, 0, 0, 0, 0, 8, 9]],
            changed(MessageType::Video, 8),
        ),
        (
            "type 1 of another type inside a message",
            &[begun, &[0x46, 0, 0, 0, 0, 0, 9, 8]],
            changed(MessageType::Audio, 9),
        ),
    ];
    for (name, chunks, expected) in cases {
        assert_eq!(read(&chunks.concat()), Err(expected.clone()), "{name}");
    }
}

#[test]
fn an_aborted_message_is_dropped_and_its_header_stays_in_force() {
    let mut reader = ChunkReader::new(Limits::default());
    reader.set_chunk_size(4).unwrap();
    let begun = &[
        0x06, 0, 0, 9, 0, 0, 5, 9, 1, 0, 0, 0, b'l', b'o', b's', b't',
    ];
    assert_eq!(read_pieces(&mut reader, begun, 99), Ok(vec![]));
    reader.abort(6);
    assert_eq!(reader.partial_bytes, 0);
    let next = &[0x86, 0, 0, 1, b'n', b'e', b'x', b't', 0xC6, b'!'];
    assert_eq!(
        read_pieces(&mut reader, next, 99),
        Ok(vec![(6, 10, 9, 1, b"next!".to_vec())])
    );
}

#[test]
fn an_abort_inside_a_chunk_skips_the_rest_of_the_chunk() {
    let mut reader = ChunkReader::new(Limits::default());
    let begun = &[0x06, 0, 0, 9, 0, 0, 4, 9, 1, 0, 0, 0, b'l', b'o'];
    assert_eq!(read_pieces(&mut reader, begun, 99), Ok(vec![]));
    reader.abort(6);
    let next = &[b's', b't', 0x86, 0, 0, 1, b'n', b'e', b'x', b't'];
    assert_eq!(
        read_pieces(&mut reader, next, 99),
        Ok(vec![(6, 10, 9, 1, b"next".to_vec())])
    );
}

#[test]
fn an_abort_without_a_half_read_message_does_nothing() {
    let mut reader = ChunkReader::new(Limits::default());
    reader.abort(6);
    let whole = &[0x06, 0, 0, 9, 0, 0, 1, 9, 1, 0, 0, 0, b'a'];
    read_pieces(&mut reader, whole, 99).unwrap();
    reader.abort(6);
    assert_eq!(
        read_pieces(&mut reader, &[0xC6, b'b'], 99).unwrap()[0].4,
        b"b"
    );
}

#[test]
fn a_new_chunk_size_counts_from_the_next_chunk_on() {
    let mut reader = ChunkReader::new(Limits::default());
    assert_eq!(reader.chunk_size(), 128);
    reader.set_chunk_size(2).unwrap();
    let begun = &[0x06, 0, 0, 9, 0, 0, 5, 9, 1, 0, 0, 0, b'a', b'b'];
    assert_eq!(read_pieces(&mut reader, begun, 99), Ok(vec![]));
    reader.set_chunk_size(3).unwrap();
    let rest = &[0xC6, b'c', b'd', b'e'];
    assert_eq!(
        read_pieces(&mut reader, rest, 99),
        Ok(vec![(6, 9, 9, 1, b"abcde".to_vec())])
    );
}

#[test]
fn chunk_sizes_are_those_of_the_specification() {
    let cases = [
        (0, Err(ChunkError::ChunkSize { chunk_size: 0 })),
        (1, Ok(1)),
        (65_536, Ok(65_536)),
        (0xFF_FFFF, Ok(0xFF_FFFF)),
        (0x0100_0000, Ok(0xFF_FFFF)),
        (0x7FFF_FFFF, Ok(0xFF_FFFF)),
        (
            0x8000_0000,
            Err(ChunkError::ChunkSize {
                chunk_size: 0x8000_0000,
            }),
        ),
    ];
    for (chunk_size, expected) in cases {
        let mut reader = ChunkReader::new(Limits::default());
        let result = reader
            .set_chunk_size(chunk_size)
            .map(|()| reader.chunk_size());
        assert_eq!(result, expected, "{chunk_size}");
    }
}
