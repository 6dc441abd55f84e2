use super::*;

#[test]
fn extended_timestamps_are_absolute_or_differences_like_the_short_ones() {
    check(&[
        (
            "type 0 is absolute, with all 32 bits",
            &[&[
                0x04, 0xFF, 0xFF, 0xFF, 0, 0, 1, 8, 1, 0, 0, 0, 0xFE, 0xDC, 0xBA, 0x98, b'a',
            ]],
            &[(4, 0xFEDC_BA98, 8, 1, b"a")],
        ),
        (
            "type 1 and 2 are differences",
            &[
                AUDIO_0_AT_1000,
                &[0x44, 0xFF, 0xFF, 0xFF, 0, 0, 1, 8, 1, 0, 0, 0, b'a'],
                &[0x84, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0, b'b'],
            ],
            &[
                (4, 1000, 8, 1, &[0xAF, 1]),
                (4, 1000 + 0x0100_0000, 8, 1, b"a"),
                (4, 1000 + 0x0300_0000, 8, 1, b"b"),
            ],
        ),
        (
            "differences are added modulo 2^32",
            &[
                &[
                    0x04, 0xFF, 0xFF, 0xFF, 0, 0, 1, 8, 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xF0, b'a',
                ],
                &[0x84, 0, 0, 0x20, b'b'],
                &[0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, b'c'],
            ],
            &[
                (4, 0xFFFF_FFF0, 8, 1, b"a"),
                (4, 0x10, 8, 1, b"b"),
                (4, 0x0F, 8, 1, b"c"),
            ],
        ),
        (
            "a new message of type 3 has the difference once more",
            &[
                AUDIO_0_AT_1000,
                &[0x84, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, b'a', b'b'],
                &[0xC4, 1, 0, 0, 0, b'c', b'd'],
            ],
            &[
                (4, 1000, 8, 1, &[0xAF, 1]),
                (4, 1000 + 0x0100_0000, 8, 1, b"ab"),
                (4, 1000 + 0x0200_0000, 8, 1, b"cd"),
            ],
        ),
        (
            "a new message of type 3 may bring another extended difference",
            &[
                AUDIO_0_AT_1000,
                &[0x84, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, b'a', b'b'],
                &[0xC4, 3, 0, 0, 0, b'c', b'd'],
            ],
            &[
                (4, 1000, 8, 1, &[0xAF, 1]),
                (4, 1000 + 0x0100_0000, 8, 1, b"ab"),
                (4, 1000 + 0x0400_0000, 8, 1, b"cd"),
            ],
        ),
        (
            "a short difference ends the extended ones",
            &[
                &[0x04, 0xFF, 0xFF, 0xFF, 0, 0, 5, 8, 1, 0, 0, 0, 1, 0, 0, 0],
                b"abcd",
                &[0xC4, 1, 0, 0, 0, b'e'],
                &[0x84, 0, 0, 1],
                b"abcd",
                &[0xC4, b'e'],
            ],
            &[
                (4, 0x0100_0000, 8, 1, b"abcde"),
                (4, 0x0100_0001, 8, 1, b"abcde"),
            ],
        ),
    ]);
}

#[test]
fn inside_a_message_an_extended_timestamp_may_be_there_or_not() {
    let first: &[u8] = &[
        0x06, 0xFF, 0xFF, 0xFF, 0, 0, 9, 9, 1, 0, 0, 0, 1, 2, 3, 4, b'a', b'b', b'c', b'd',
    ];
    // A message at 5, then the first chunk of one that is 2^24 later.
    let delta: &[u8] = b"\x06\0\0\x05\0\0\x09\x09\x01\0\0\x001234\xC65678\xC69\
        \x86\xFF\xFF\xFF\x01\0\0\0abcd";
    check(&[
        (
            "repeated, as the specification says",
            &[
                first,
                &[0xC6, 1, 2, 3, 4],
                b"efgh",
                &[0xC6, 1, 2, 3, 4],
                b"i",
            ],
            &[(6, 0x0102_0304, 9, 1, b"abcdefghi")],
        ),
        (
            "omitted, as librtmp does",
            &[first, &[0xC6], b"efgh", &[0xC6], b"i"],
            &[(6, 0x0102_0304, 9, 1, b"abcdefghi")],
        ),
        (
            "omitted, and the data begins like the timestamp",
            &[first, &[0xC6], &[1, 2, 3, 5], &[0xC6], &[1], &[0x02, 0]],
            &[(
                6,
                0x0102_0304,
                9,
                1,
                &[b'a', b'b', b'c', b'd', 1, 2, 3, 5, 1],
            )],
        ),
        (
            "the difference repeated",
            &[
                delta,
                &[0xC6, 1, 0, 0, 0],
                b"efgh",
                &[0xC6, 1, 0, 0, 0],
                b"i",
            ],
            &[
                (6, 5, 9, 1, b"123456789"),
                (6, 0x0100_0005, 9, 1, b"abcdefghi"),
            ],
        ),
        (
            "the absolute timestamp instead of the difference",
            &[
                delta,
                &[0xC6, 1, 0, 0, 5],
                b"efgh",
                &[0xC6, 1, 0, 0, 5],
                b"i",
            ],
            &[
                (6, 5, 9, 1, b"123456789"),
                (6, 0x0100_0005, 9, 1, b"abcdefghi"),
            ],
        ),
    ]);
}

#[test]
fn data_that_cannot_be_an_extended_timestamp_is_not_waited_for() {
    let mut reader = ChunkReader::new(Limits::default());
    reader.set_chunk_size(4).unwrap();
    let omitted = b"\x06\xFF\xFF\xFF\0\0\x05\x09\x01\0\0\0\x01\x02\x03\x04abcd\xC6e".as_slice();
    let read = read_pieces(&mut reader, omitted, 1).unwrap();
    assert_eq!(read, [(6, 0x0102_0304, 9, 1, b"abcde".to_vec())]);
}
