//! What bytes may cost, whatever they are.

use bytes::BytesMut;
use proptest::prelude::*;

use super::*;

#[test]
fn nesting_is_bounded_also_through_references() {
    let limits = Limits {
        depth: 3,
        values: 100,
    };
    let nested = |levels: usize| b"\x0a\0\0\0\x01".repeat(levels);
    let deep = |offset| Err(DecodeError::TooDeep { offset, limit: 3 });

    assert!(decode_all(&nested(3), limits).is_ok());
    assert_eq!(decode_all(&nested(4), limits), deep(15));

    // Three levels, then an array that puts a fourth around them.
    let mut bytes = nested(3);
    bytes.extend(b"\x05");
    assert!(decode_all(&bytes, limits).is_ok());
    bytes.extend(b"\x0a\0\0\0\x01\x07\0\0");
    assert_eq!(decode_all(&bytes, limits), deep(10));

    let endless = b"\x03\0\x01a".repeat(16_000);
    assert_eq!(
        decoded(&endless),
        Err(DecodeError::TooDeep {
            offset: 64,
            limit: 16
        })
    );
}

#[test]
fn the_number_of_values_is_bounded_also_through_references() {
    let limits = Limits {
        depth: 16,
        values: 6,
    };
    let many = |offset| Err(DecodeError::TooManyValues { offset, limit: 6 });

    assert!(decode_all(b"\x05\x05\x05\x05\x05\x05", limits).is_ok());
    assert_eq!(decode_all(b"\x05\x05\x05\x05\x05\x05\x05", limits), many(6));
    assert_eq!(
        decode_all(b"\x0a\xff\xff\xff\xff\x05\x05\x05\x05\x05\x05", limits),
        many(10)
    );

    // An array of two (3 values), a reference (1), its array again (3).
    assert_eq!(
        decode_all(b"\x0a\0\0\0\x02\x05\x05\x07\0\0", limits),
        many(6)
    );
}

#[test]
fn references_cannot_blow_a_message_up() {
    // Each array holds the one before it twice: 2^n values from 11 bytes each.
    let mut doubling = b"\x0a\0\0\0\x00".to_vec();
    for index in 0..40 {
        doubling.extend([0x0A, 0, 0, 0, 2, 0x07, 0, index, 0x07, 0, index]);
    }
    assert!(matches!(
        decoded(&doubling),
        Err(DecodeError::TooManyValues { .. })
    ));

    // A long text once, then named a thousand times.
    let mut copies = b"\x03\0\x01a\x02\x80\0".to_vec();
    copies.resize(7 + 0x8000, b'x');
    copies.extend(b"\0\0\x09");
    let text = copies.len();
    copies.extend(b"\x07\0\0".repeat(1000));
    let error = DecodeError::RepeatsTooLong {
        offset: text + 3,
        limit: Decoder::REPEATED_BYTES,
    };
    assert_eq!(decoded(&copies), Err(error));
    assert!(decoded(&copies[..text + 3]).is_ok());
}

/// Memory that hangs on a value besides itself, in bytes.
fn heap(value: &Value) -> usize {
    let properties = |object: &Object| -> usize {
        object
            .iter()
            .map(|(key, value)| size_of::<(String, Value)>() + key.len() + heap(value))
            .sum()
    };
    match value {
        Value::String(text) | Value::LongString(text) | Value::XmlDocument(text) => text.len(),
        Value::Object(object) | Value::EcmaArray(object) => properties(object),
        Value::TypedObject {
            class,
            properties: object,
        } => class.len() + properties(object),
        Value::StrictArray(values) => values
            .iter()
            .map(|value| size_of::<Value>() + heap(value))
            .sum(),
        _ => 0,
    }
}

/// Bytes that are often values: markers, small counts, references and pieces of text.
fn near_values() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => (0_u8..0x12).prop_map(|marker| vec![marker]),
        2 => Just(b"\x03\0\x01a".to_vec()),
        2 => Just(b"\x08\0\0\0\x01\0\x01b".to_vec()),
        2 => (0_u8..8).prop_map(|count| vec![0x0A, 0, 0, 0, count]),
        2 => (0_u8..16).prop_map(|index| vec![0x07, 0, index]),
        1 => Just(b"\x02\0\x03abc".to_vec()),
        1 => Just(b"\0\0\x09".to_vec()),
        1 => Just(b"\x00\x3f\xf8\0\0\0\0\0\0".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..200).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = decoded(&bytes);
    }

    #[test]
    fn decoding_takes_memory_in_proportion_to_the_data(bytes in near_values()) {
        let limits = Limits { depth: 8, values: 300 };
        let mut decoder = Decoder::new(&bytes, limits);
        let mut values = Vec::new();
        while let Ok(value) = decoder.decode() {
            values.push(value);
        }
        let heap: usize = values.iter().map(heap).sum();
        // A bad byte becomes a replacement character of three bytes.
        let text = 3 * (bytes.len() + Decoder::REPEATED_BYTES);
        prop_assert!(heap <= text + limits.values * size_of::<(String, Value)>());
        prop_assert!(values.len() <= limits.values);
        prop_assert!(decoder.complex.len() <= limits.values);
        prop_assert!(decoder.position() <= bytes.len());
    }

    #[test]
    fn what_was_read_can_be_written_and_read_again(bytes in near_values()) {
        let mut decoder = Decoder::new(&bytes, Limits::default());
        let mut read = Vec::new();
        while let Ok(value) = decoder.decode() {
            read.push(value);
        }
        // References that stayed would name other values once the others are written out.
        if format!("{read:?}").contains("Reference") {
            return Ok(());
        }
        let mut written = BytesMut::new();
        read.iter().for_each(|value| encode(value, &mut written));
        let mut again = BytesMut::new();
        decoded(&written).unwrap().iter().for_each(|value| encode(value, &mut again));
        // Bytes are compared, since NaN equals nothing.
        prop_assert_eq!(again, written);
    }
}
