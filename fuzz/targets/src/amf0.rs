//! Any bytes as AMF0 values.

use bytes::BytesMut;
use srs_amf0::{Decoder, Limits, Value, decode_all, encode};

/// Decodes the bytes behind the first. What comes out is within the limits, and the same when it is
/// encoded and decoded again.
pub fn amf0(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else {
        return;
    };
    // Shorter than a text can be whose length does not fit 16 bits, also when each of its bytes is
    // replaced by the three of U+FFFD: such keys are cut when they are encoded.
    let data = data.get(..16 * 1024).unwrap_or(data);
    let limits = match choice % 3 {
        0 => Limits::default(),
        1 => Limits {
            depth: 2,
            values: 8,
        },
        _ => Limits {
            depth: 0,
            values: 1,
        },
    };

    let one_by_one = decode_one_by_one(data, limits);
    let all = decode_all(data, limits);
    match &all {
        Ok(values) => assert_eq!(encoded(values), encoded(&one_by_one)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let count: usize = one_by_one.iter().map(count).sum();
    assert!(count <= limits.values, "{count} values");
    let depth = one_by_one.iter().map(depth).max().unwrap_or(0);
    assert!(depth <= limits.depth, "{depth} levels");

    // A reference to nothing may find something once the references before it are spelled out.
    if !one_by_one.iter().any(has_reference) {
        let first = encoded(&one_by_one);
        let again = decode_all(&first, limits).expect("what was decoded can be encoded");
        // Bytes are compared instead of values: a NaN does not equal itself.
        assert_eq!(encoded(&again), first);
        assert_eq!(again.len(), one_by_one.len());
    }
}

/// The values before the first that cannot be decoded.
fn decode_one_by_one(data: &[u8], limits: Limits) -> Vec<Value> {
    let mut decoder = Decoder::new(data, limits);
    let mut values = Vec::new();
    while !decoder.is_empty() {
        let before = decoder.position();
        match decoder.decode() {
            Ok(value) => {
                assert!(decoder.position() > before);
                values.push(value);
            }
            Err(_) => {
                assert_eq!(decoder.position(), before);
                break;
            }
        }
        assert_eq!(decoder.remaining(), &data[decoder.position()..]);
    }
    values
}

/// The values as bytes.
pub(crate) fn encoded(values: &[Value]) -> BytesMut {
    let mut out = BytesMut::new();
    values.iter().for_each(|value| encode(value, &mut out));
    out
}

/// Whether the value is or contains a reference.
pub(crate) fn has_reference(value: &Value) -> bool {
    matches!(value, Value::Reference(_)) || inner(value).iter().any(|value| has_reference(value))
}

fn count(value: &Value) -> usize {
    1 + inner(value).into_iter().map(count).sum::<usize>()
}

fn depth(value: &Value) -> usize {
    let deepest = inner(value).into_iter().map(depth).max().unwrap_or(0);
    let is_complex = matches!(value, Value::StrictArray(_)) || value.as_object().is_some();
    deepest + usize::from(is_complex)
}

fn inner(value: &Value) -> Vec<&Value> {
    match value {
        Value::StrictArray(values) => values.iter().collect(),
        _ => match value.as_object() {
            Some(object) => object.iter().map(|(_, value)| value).collect(),
            None => Vec::new(),
        },
    }
}
