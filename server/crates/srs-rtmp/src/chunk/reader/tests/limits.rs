use super::*;

const LIMITS: Limits = Limits {
    least_ack_window: 1,
    media_message: 300,
    command_message: 100,
    data_message: 200,
    chunk_streams: 3,
    partial_bytes: 500,
    message_streams: 1,
    amf: srs_amf0::Limits {
        depth: 1,
        values: 1,
    },
};

/// Begins a message of each chunk stream, type and length; one byte of it comes.
fn begin(messages: &[(u8, u8, u16)]) -> Result<(), ChunkError> {
    let mut reader = ChunkReader::new(LIMITS);
    reader.set_chunk_size(1)?;
    let mut input = Vec::new();
    for (chunk_stream_id, message_type, length) in messages {
        let [high, low] = length.to_be_bytes();
        input.extend([
            *chunk_stream_id,
            0,
            0,
            0,
            0,
            high,
            low,
            *message_type,
            0,
            0,
            0,
            0,
        ]);
        input.extend((*length > 0).then_some(b'x'));
    }
    let result = read_pieces(&mut reader, &input, 1);
    assert!(reader.memory() <= LIMITS.partial_bytes);
    result.map(drop)
}

#[test]
fn each_type_of_message_has_its_longest() {
    let cases = [
        (MessageType::Audio, 300),
        (MessageType::Video, 300),
        (MessageType::Aggregate, 300),
        (MessageType::DataAmf0, 200),
        (MessageType::DataAmf3, 200),
        (MessageType::CommandAmf0, 100),
        (MessageType::CommandAmf3, 100),
        (MessageType::SharedObjectAmf0, 100),
        (MessageType::SetChunkSize, 100),
        (MessageType::Other(99), 100),
    ];
    for (message_type, longest) in cases {
        assert_eq!(
            begin(&[(3, message_type.id(), longest)]),
            Ok(()),
            "{message_type:?}"
        );
        assert_eq!(
            begin(&[(3, message_type.id(), longest + 1)]),
            Err(ChunkError::MessageTooLong {
                chunk_stream_id: 3,
                message_type,
                length: usize::from(longest) + 1,
                limit: longest.into(),
            })
        );
    }
}

#[test]
fn half_read_messages_have_a_longest_sum() {
    assert_eq!(begin(&[(3, 9, 300), (4, 8, 200)]), Ok(()));
    assert_eq!(
        begin(&[(3, 9, 300), (4, 8, 201)]),
        Err(ChunkError::TooManyPartialBytes {
            chunk_stream_id: 4,
            length: 201,
            partial_bytes: 300,
            limit: 500,
        })
    );
    assert_eq!(
        begin(&[(3, 9, 1), (4, 8, 1), (3, 9, 300), (4, 8, 200)]),
        Ok(()),
        "whole ones"
    );
}

#[test]
fn chunk_streams_have_a_largest_number() {
    assert_eq!(
        begin(&[(3, 9, 0), (4, 9, 1), (5, 9, 1), (3, 9, 1), (4, 9, 1)]),
        Ok(())
    );
    assert_eq!(
        begin(&[(3, 9, 0), (4, 9, 0), (5, 9, 0), (6, 9, 0)]),
        Err(ChunkError::TooManyChunkStreams {
            chunk_stream_id: 6,
            limit: 3
        })
    );
}

#[test]
fn memory_grows_with_what_has_come() {
    const LENGTH: usize = 0xFF_FFFF;
    let mut reader = ChunkReader::new(Limits::default());
    reader.set_chunk_size(MAX_CHUNK_SIZE).unwrap();
    let mut input = BytesMut::from(&[6, 0, 0, 0, 0xFF, 0xFF, 0xFF, 9, 1, 0, 0, 0][..]);
    assert_eq!(reader.read(&mut input), Ok(None));
    assert_eq!(reader.memory(), 0, "announced only");

    let mut received = 0;
    loop {
        let piece = 40_000.min(LENGTH - received);
        input.extend_from_slice(&vec![1; piece]);
        received += piece;
        if let Some(message) = reader.read(&mut input).unwrap() {
            assert_eq!(message.payload, vec![1; LENGTH]);
            break;
        }
        let capacity = reader.memory();
        assert!(
            capacity <= (2 * received).max(64 * 1024),
            "{capacity} bytes for {received}"
        );
    }
}

#[test]
fn a_payload_has_its_own_allocation_of_its_own_length() {
    for length in [1_usize, 64 * 1024, 64 * 1024 + 1, 200_000] {
        let mut reader = ChunkReader::new(Limits::default());
        reader.set_chunk_size(MAX_CHUNK_SIZE).unwrap();
        let [.., l0, l1, l2] = length.to_be_bytes();
        let mut input = BytesMut::from(&[6, 0, 0, 0, l0, l1, l2, 9, 1, 0, 0, 0][..]);
        let mut message = None;
        for piece in vec![7; length].chunks(1000) {
            input.extend_from_slice(piece);
            message = reader.read(&mut input).unwrap();
        }
        let payload = message
            .unwrap()
            .payload
            .try_into_mut()
            .expect("nobody else refers to it");
        assert_eq!((payload.len(), payload.capacity()), (length, length));
    }
}

#[test]
fn a_half_read_message_does_not_fill_the_log() {
    let mut reader = ChunkReader::new(Limits::default());
    let input = [&[6, 0, 0, 0, 0, 0xFF, 0xFF, 9, 1, 0, 0, 0][..], &[0; 100]].concat();
    read_pieces(&mut reader, &input, 99).unwrap();
    let shown = format!("{reader:?}");
    assert!(shown.contains("100 bytes") && shown.len() < 1000, "{shown}");
}
