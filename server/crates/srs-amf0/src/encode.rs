//! Values to bytes.

use bytes::{BufMut, BytesMut};

use crate::{Object, Value, marker};

/// Appends `value` to `out`.
///
/// A string of more than 65535 bytes is written as a long string, which readers treat alike. A key
/// or class name of that size has no such way out and is cut at a character boundary. The count of
/// an ECMA array is its true number of properties. References are written as they are.
pub fn encode(value: &Value, out: &mut BytesMut) {
    match value {
        Value::Number(number) => {
            out.put_u8(marker::NUMBER);
            out.put_f64(*number);
        }
        Value::Boolean(boolean) => out.put_slice(&[marker::BOOLEAN, u8::from(*boolean)]),
        Value::String(text) => match u16::try_from(text.len()) {
            Ok(_) => {
                out.put_u8(marker::STRING);
                put_short(text, out);
            }
            Err(_) => put_long(marker::LONG_STRING, text, out),
        },
        Value::Object(properties) => {
            out.put_u8(marker::OBJECT);
            put_properties(properties, out);
        }
        Value::Null => out.put_u8(marker::NULL),
        Value::Undefined => out.put_u8(marker::UNDEFINED),
        Value::Reference(index) => {
            out.put_u8(marker::REFERENCE);
            out.put_u16(*index);
        }
        Value::EcmaArray(properties) => {
            out.put_u8(marker::ECMA_ARRAY);
            out.put_u32(count(properties.len()));
            put_properties(properties, out);
        }
        Value::StrictArray(values) => {
            out.put_u8(marker::STRICT_ARRAY);
            out.put_u32(count(values.len()));
            values.iter().for_each(|value| encode(value, out));
        }
        Value::Date { millis, time_zone } => {
            out.put_u8(marker::DATE);
            out.put_f64(*millis);
            out.put_i16(*time_zone);
        }
        Value::LongString(text) => put_long(marker::LONG_STRING, text, out),
        Value::Unsupported => out.put_u8(marker::UNSUPPORTED),
        Value::XmlDocument(text) => put_long(marker::XML_DOCUMENT, text, out),
        Value::TypedObject { class, properties } => {
            out.put_u8(marker::TYPED_OBJECT);
            put_short(class, out);
            put_properties(properties, out);
        }
    }
}

fn put_properties(properties: &Object, out: &mut BytesMut) {
    for (key, value) in properties.iter() {
        put_short(key, out);
        encode(value, out);
    }
    out.put_slice(&marker::END_OF_OBJECT);
}

fn put_short(text: &str, out: &mut BytesMut) {
    let text = &text[..text.floor_char_boundary(usize::from(u16::MAX))];
    out.put_u16(u16::try_from(text.len()).unwrap_or(u16::MAX));
    out.put_slice(text.as_bytes());
}

fn put_long(marker: u8, text: &str, out: &mut BytesMut) {
    let text = &text[..text.floor_char_boundary(u32::MAX as usize)];
    out.put_u8(marker);
    out.put_u32(count(text.len()));
    out.put_slice(text.as_bytes());
}

/// A length as the wire has it. Nothing in memory comes near the end of 32 bits.
fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Limits, decode_all};

    fn encoded(value: &Value) -> Vec<u8> {
        let mut out = BytesMut::new();
        encode(value, &mut out);
        out.to_vec()
    }

    /// Bytes by hand from AMF 0, section 2.
    #[test]
    fn every_type_is_written_as_the_specification_says() {
        let pair = || Object::new().with("a", true);
        let cases: &[(&str, Value, &[u8])] = &[
            ("number", Value::Number(1.5), b"\x00\x3f\xf8\0\0\0\0\0\0"),
            (
                "negative number",
                Value::Number(-2.0),
                b"\x00\xc0\0\0\0\0\0\0\0",
            ),
            ("boolean", Value::Boolean(true), b"\x01\x01"),
            ("string", Value::from("live"), b"\x02\0\x04live"),
            ("empty string", Value::from(""), b"\x02\0\0"),
            ("two byte text", Value::from("é"), b"\x02\0\x02\xc3\xa9"),
            (
                "object",
                Value::Object(pair()),
                b"\x03\0\x01a\x01\x01\0\0\x09",
            ),
            ("null", Value::Null, b"\x05"),
            ("undefined", Value::Undefined, b"\x06"),
            ("reference", Value::Reference(0x0102), b"\x07\x01\x02"),
            (
                "ecma array",
                Value::EcmaArray(pair()),
                b"\x08\0\0\0\x01\0\x01a\x01\x01\0\0\x09",
            ),
            (
                "strict array",
                Value::StrictArray(vec![Value::Null; 2]),
                b"\x0a\0\0\0\x02\x05\x05",
            ),
            (
                "date",
                Value::Date {
                    millis: 1.0,
                    time_zone: -60,
                },
                b"\x0b\x3f\xf0\0\0\0\0\0\0\xff\xc4",
            ),
            (
                "long string",
                Value::LongString("a".to_owned()),
                b"\x0c\0\0\0\x01a",
            ),
            ("unsupported", Value::Unsupported, b"\x0d"),
            (
                "xml document",
                Value::XmlDocument("<a/>".to_owned()),
                b"\x0f\0\0\0\x04<a/>",
            ),
            (
                "typed object",
                Value::TypedObject {
                    class: "C".to_owned(),
                    properties: pair(),
                },
                b"\x10\0\x01C\0\x01a\x01\x01\0\0\x09",
            ),
        ];
        for (name, value, expected) in cases {
            assert_eq!(encoded(value), *expected, "{name}");
            let back = decode_all(expected, Limits::default()).unwrap();
            assert_eq!(back.as_slice(), std::slice::from_ref(value), "{name}");
        }
    }

    #[test]
    fn a_string_of_64_kib_becomes_a_long_string() {
        let longest = encoded(&Value::String("x".repeat(65535)));
        assert_eq!(&longest[..3], b"\x02\xff\xff");

        let longer = encoded(&Value::String("x".repeat(65536)));
        assert_eq!(&longer[..5], b"\x0c\0\x01\0\0");
        assert_eq!(longer.len(), 5 + 65536);
    }

    #[test]
    fn a_key_that_is_too_long_is_cut_between_characters() {
        let key = format!("x{}", "é".repeat(40000));
        let bytes = encoded(&Value::from(Object::new().with(key.as_str(), 1.0)));

        let values = decode_all(&bytes, Limits::default()).unwrap();
        let (kept, value) = values[0].as_object().unwrap().iter().next().unwrap();
        assert_eq!(kept.len(), 65535);
        assert!(key.starts_with(kept));
        assert_eq!(value, &Value::from(1.0));
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let number = prop::num::f64::ANY.prop_filter("NaN equals nothing", |n| !n.is_nan());
        let leaf = prop_oneof![
            number.prop_map(Value::Number),
            any::<bool>().prop_map(Value::Boolean),
            ".{0,8}".prop_map(Value::String),
            Just(Value::Null),
            Just(Value::Undefined),
            (prop::num::f64::NORMAL, any::<i16>())
                .prop_map(|(millis, time_zone)| Value::Date { millis, time_zone }),
            ".{0,8}".prop_map(Value::LongString),
            Just(Value::Unsupported),
            ".{0,8}".prop_map(Value::XmlDocument),
        ];
        leaf.prop_recursive(5, 64, 6, |inner| {
            let object = || {
                prop::collection::vec((".{0,4}", inner.clone()), 0..6)
                    .prop_map(Object::from_iter::<Vec<(String, Value)>>)
            };
            prop_oneof![
                object().prop_map(Value::Object),
                object().prop_map(Value::EcmaArray),
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::StrictArray),
                (".{0,4}", object())
                    .prop_map(|(class, properties)| Value::TypedObject { class, properties }),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(values in prop::collection::vec(any_value(), 0..4)) {
            let mut out = BytesMut::new();
            values.iter().for_each(|value| encode(value, &mut out));
            prop_assert_eq!(decode_all(&out, Limits::default()).unwrap(), values);
        }
    }
}
