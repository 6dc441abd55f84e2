use bytes::{Buf, Bytes};

use super::*;

fn message(chunk_stream_id: u32, timestamp: u32, payload: &[u8]) -> Message {
    Message {
        chunk_stream_id,
        timestamp,
        message_type: MessageType::Audio,
        message_stream_id: 1,
        payload: Bytes::copy_from_slice(payload),
    }
}

/// What `messages` become with a chunk size of four.
fn written(policy: HeaderPolicy, messages: &[Message]) -> Vec<u8> {
    let mut writer = ChunkWriter::new(policy);
    writer.set_chunk_size(4);
    let mut out = SendQueue::default();
    for message in messages {
        writer.write(message, &mut out);
    }
    out.copy_to_bytes(out.remaining()).to_vec()
}

#[test]
fn full_headers_are_written_as_the_specification_draws_them() {
    let cases: &[(&str, Message, &[&[u8]])] = &[
        (
            "a message in one chunk",
            message(4, 1000, b"abcd"),
            &[&[0x04, 0, 0x03, 0xE8, 0, 0, 4, 8, 1, 0, 0, 0], b"abcd"],
        ),
        (
            "more chunks begin with type 3",
            message(4, 0, b"abcdefghi"),
            &[
                &[0x04, 0, 0, 0, 0, 0, 9, 8, 1, 0, 0, 0],
                b"abcd",
                &[0xC4],
                b"efgh",
                &[0xC4],
                b"i",
            ],
        ),
        (
            "an id of two bytes",
            message(64, 0, b"abcde"),
            &[
                &[0, 0, 0, 0, 0, 0, 0, 5, 8, 1, 0, 0, 0],
                b"abcd",
                &[0xC0, 0],
                b"e",
            ],
        ),
        (
            "an id of three bytes",
            message(320, 0, b"abcde"),
            &[
                &[1, 0, 1, 0, 0, 0, 0, 0, 5, 8, 1, 0, 0, 0],
                b"abcd",
                &[0xC1, 0, 1],
                b"e",
            ],
        ),
        (
            "an id that is too small",
            message(0, 0, b"a"),
            &[&[0x02, 0, 0, 0, 0, 0, 1, 8, 1, 0, 0, 0], b"a"],
        ),
        (
            "an id that is too large",
            message(70_000, 0, b"a"),
            &[&[0x01, 0xFF, 0xFF, 0, 0, 0, 0, 0, 1, 8, 1, 0, 0, 0], b"a"],
        ),
        (
            "the largest short timestamp",
            message(4, 0xFF_FFFE, b"abcde"),
            &[
                &[0x04, 0xFF, 0xFF, 0xFE, 0, 0, 5, 8, 1, 0, 0, 0],
                b"abcd",
                &[0xC4],
                b"e",
            ],
        ),
        (
            "an extended timestamp is repeated in every chunk",
            message(4, 0xFEDC_BA98, b"abcdefghi"),
            &[
                &[
                    0x04, 0xFF, 0xFF, 0xFF, 0, 0, 9, 8, 1, 0, 0, 0, 0xFE, 0xDC, 0xBA, 0x98,
                ],
                b"abcd",
                &[0xC4, 0xFE, 0xDC, 0xBA, 0x98],
                b"efgh",
                &[0xC4, 0xFE, 0xDC, 0xBA, 0x98],
                b"i",
            ],
        ),
        (
            "an empty message is a header",
            message(4, 7, b""),
            &[&[0x04, 0, 0, 7, 0, 0, 0, 8, 1, 0, 0, 0]],
        ),
    ];
    for (name, message, expected) in cases {
        let full = written(HeaderPolicy::Full, std::slice::from_ref(message));
        assert_eq!(full, expected.concat(), "{name}");
        let first = written(HeaderPolicy::Compressed, std::slice::from_ref(message));
        assert_eq!(
            first,
            expected.concat(),
            "{name}, first of its chunk stream"
        );
    }
}

#[test]
fn full_headers_do_not_depend_on_messages_before() {
    let twice = written(
        HeaderPolicy::Full,
        &[message(4, 9, b"ab"), message(4, 9, b"ab")],
    );
    let once = written(HeaderPolicy::Full, &[message(4, 9, b"ab")]);
    assert_eq!(twice, [&once[..], &once].concat());
}

#[test]
fn compressed_headers_leave_out_what_all_readers_know() {
    let video = |timestamp, payload| Message {
        message_type: MessageType::Video,
        ..message(4, timestamp, payload)
    };
    let elsewhere = |timestamp| Message {
        message_stream_id: 2,
        ..message(4, timestamp, b"ab")
    };
    // Each follows an audio message of two bytes at 1000; without what begins that.
    let type_0 = |field: u32, message_stream_id: u8| {
        let [_, t0, t1, t2] = field.to_be_bytes();
        vec![
            0x04,
            t0,
            t1,
            t2,
            0,
            0,
            2,
            8,
            message_stream_id,
            0,
            0,
            0,
            b'a',
            b'b',
        ]
    };
    let extended = |time: u32| {
        let time = time.to_be_bytes();
        [
            &[0x04, 0xFF, 0xFF, 0xFF, 0, 0, 2, 8, 1, 0, 0, 0],
            &time[..],
            b"ab",
        ]
        .concat()
    };
    let cases: &[(&str, Vec<Message>, Vec<u8>)] = &[
        (
            "another length",
            vec![message(4, 1023, b"a")],
            vec![0x44, 0, 0, 23, 0, 0, 1, 8, b'a'],
        ),
        (
            "another type",
            vec![video(1023, b"ab")],
            vec![0x44, 0, 0, 23, 0, 0, 2, 9, b'a', b'b'],
        ),
        (
            "the same but for the timestamp",
            vec![message(4, 1023, b"ab")],
            vec![0x84, 0, 0, 23, b'a', b'b'],
        ),
        (
            "the same difference again",
            vec![message(4, 1023, b"ab"), message(4, 1046, b"ab")],
            vec![0x84, 0, 0, 23, b'a', b'b', 0xC4, b'a', b'b'],
        ),
        (
            "the same difference again, after type 1",
            vec![video(1023, b"cd"), video(1046, b"ef")],
            vec![0x44, 0, 0, 23, 0, 0, 2, 9, b'c', b'd', 0xC4, b'e', b'f'],
        ),
        (
            "a difference of the absolute timestamp is not written as type 3",
            vec![message(4, 2000, b"ab")],
            vec![0x84, 0, 0x03, 0xE8, b'a', b'b'],
        ),
        (
            "the largest difference",
            vec![message(4, 1000 + 0xFF_FFFE, b"ab")],
            vec![0x84, 0xFF, 0xFF, 0xFE, b'a', b'b'],
        ),
        (
            "a difference that would be extended",
            vec![message(4, 1000 + 0xFF_FFFF, b"ab")],
            extended(1000 + 0xFF_FFFF),
        ),
        ("back in time", vec![message(4, 999, b"ab")], type_0(999, 1)),
        (
            "another message stream",
            vec![elsewhere(1000)],
            type_0(1000, 2),
        ),
        (
            "an empty message, and the one after it",
            vec![message(4, 1023, b""), message(4, 1024, b"ab")],
            [
                &[0x04, 0, 0x03, 0xFF, 0, 0, 0, 8, 1, 0, 0, 0][..],
                &type_0(1024, 1),
            ]
            .concat(),
        ),
        (
            "more chunks of a message",
            vec![message(4, 1023, b"abcde")],
            vec![
                0x44, 0, 0, 23, 0, 0, 5, 8, b'a', b'b', b'c', b'd', 0xC4, b'e',
            ],
        ),
    ];
    for (name, messages, expected) in cases {
        let mut all = vec![message(4, 1000, b"ab")];
        all.extend_from_slice(messages);
        let bytes = written(HeaderPolicy::Compressed, &all);
        assert_eq!(
            bytes,
            [type_0(1000, 1), expected.clone()].concat(),
            "{name}"
        );
    }
}

#[test]
fn a_message_at_zero_may_be_followed_by_type_3() {
    let bytes = written(
        HeaderPolicy::Compressed,
        &[message(4, 0, b"ab"), message(4, 0, b"cd")],
    );
    assert_eq!(bytes, b"\x04\0\0\0\0\0\x02\x08\x01\0\0\0ab\xC4cd");
}

#[test]
fn chunks_after_an_extended_timestamp_and_a_short_difference_do_not_repeat_it() {
    let messages = [
        message(4, 0x0100_0000, b"abcde"),
        message(4, 0x0100_0001, b"abcde"),
    ];
    let bytes = written(HeaderPolicy::Compressed, &messages);
    assert!(
        bytes.ends_with(b"abcd\xC4\x01\0\0\0e\x84\0\0\x01abcd\xC4e"),
        "{bytes:?}"
    );
}

#[test]
fn the_end_of_32_bits_is_crossed_with_a_full_header() {
    let messages = [message(4, 0xFFFF_FFFF, b"ab"), message(4, 5, b"ab")];
    let bytes = written(HeaderPolicy::Compressed, &messages);
    assert!(
        bytes.ends_with(b"\x04\0\0\x05\0\0\x02\x08\x01\0\0\0ab"),
        "{bytes:?}"
    );
}

#[test]
fn chunk_streams_are_compressed_one_by_one() {
    let messages = [
        message(4, 10, b"ab"),
        message(5, 12, b"ab"),
        message(4, 20, b"ab"),
        message(5, 25, b"ab"),
    ];
    let bytes = written(HeaderPolicy::Compressed, &messages);
    assert!(
        bytes.ends_with(b"\x84\0\0\x0Aab\x85\0\0\x0Dab"),
        "{bytes:?}"
    );
}

#[test]
fn the_memory_for_compression_is_bounded() {
    let mut writer = ChunkWriter::new(HeaderPolicy::Compressed);
    for id in 2..1000 {
        writer.write(&message(id, 0, b"a"), &mut SendQueue::default());
    }
    assert_eq!(writer.latest.len(), MAX_REMEMBERED);
    let mut out = SendQueue::default();
    writer.write(&message(999, 0, b"a"), &mut out);
    assert_eq!(out.len(), 3 + 11 + 1, "a full header");
}

#[test]
fn payloads_are_referenced() {
    let payload = Bytes::from(vec![1; 1000]);
    let mut writer = ChunkWriter::new(HeaderPolicy::Full);
    writer.set_chunk_size(600);
    let mut out = SendQueue::default();
    writer.write(
        &Message {
            payload: payload.clone(),
            ..message(4, 0, b"")
        },
        &mut out,
    );
    out.advance(12);
    assert_eq!(out.chunk().as_ptr_range(), payload[..600].as_ptr_range());
    out.advance(600 + 1);
    assert_eq!(out.chunk().as_ptr_range(), payload[600..].as_ptr_range());
}

#[test]
fn a_chunk_size_is_brought_into_range() {
    let mut writer = ChunkWriter::new(HeaderPolicy::Full);
    assert_eq!(writer.chunk_size(), 128);
    for (chunk_size, expected) in [(0, 1), (1, 1), (60_000, 60_000), (u32::MAX, 0xFF_FFFF)] {
        writer.set_chunk_size(chunk_size);
        assert_eq!(writer.chunk_size(), expected);
    }
}
