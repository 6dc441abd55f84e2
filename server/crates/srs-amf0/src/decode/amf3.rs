//! The AMF3 values that AVM+ (0x11) lets into AMF0: those of one piece.
//!
//! Flash clients with object encoding 3 write arguments this way. Objects, arrays, dates and XML of
//! AMF3 are not supported: no RTMP command needs them. Follows "Action Message Format -- AMF 3".

use super::{DecodeError, Decoder};
use crate::Value;

const UNDEFINED: u8 = 0x00;
const NULL: u8 = 0x01;
const FALSE: u8 = 0x02;
const TRUE: u8 = 0x03;
const INTEGER: u8 = 0x04;
const DOUBLE: u8 = 0x05;
const STRING: u8 = 0x06;

impl Decoder<'_> {
    /// Decodes the AMF3 value behind an AVM+ marker, as the AMF0 value that says the same.
    pub(super) fn amf3_value(&mut self) -> Result<Value, DecodeError> {
        let offset = self.position;
        match self.u8()? {
            UNDEFINED => Ok(Value::Undefined),
            NULL => Ok(Value::Null),
            FALSE => Ok(Value::Boolean(false)),
            TRUE => Ok(Value::Boolean(true)),
            INTEGER => {
                // Two's complement in 29 bits (AMF 3, 3.6).
                let integer = (self.u29()? << 3).cast_signed() >> 3;
                Ok(Value::Number(f64::from(integer)))
            }
            DOUBLE => self.f64().map(Value::Number),
            STRING => self.amf3_string().map(Value::String),
            marker => Err(DecodeError::UnknownMarker { offset, marker }),
        }
    }

    /// A length with the lowest bit set and the text, or the index of an earlier string.
    ///
    /// The table of strings begins anew with every AVM+ value (AMF 3, 4.1), and within a single
    /// string there is nothing earlier: any index is a wrong one.
    fn amf3_string(&mut self) -> Result<String, DecodeError> {
        let offset = self.position;
        let header = self.u29()?;
        let len = header >> 1;
        if header & 1 == 0 {
            return Err(DecodeError::BadReference { offset, index: len });
        }
        self.text(usize::try_from(len).unwrap_or(usize::MAX))
    }

    /// One to four bytes: seven bits each while the highest bit is set, the fourth byte whole
    /// (AMF 3, 1.3.1).
    fn u29(&mut self) -> Result<u32, DecodeError> {
        let mut number = 0;
        for _ in 0..3 {
            let byte = self.u8()?;
            number = number << 7 | u32::from(byte & 0x7F);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Ok(number << 8 | u32::from(self.u8()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, decode_all};

    #[test]
    fn values_of_one_piece_are_read() {
        let cases: &[(&str, &[u8], Value)] = &[
            ("undefined", b"\x11\x00", Value::Undefined),
            ("null", b"\x11\x01", Value::Null),
            ("false", b"\x11\x02", Value::from(false)),
            ("true", b"\x11\x03", Value::from(true)),
            ("integer of one byte", b"\x11\x04\x7f", Value::from(127.0)),
            (
                "integer of two bytes",
                b"\x11\x04\x81\x00",
                Value::from(128.0),
            ),
            (
                "integer of three bytes",
                b"\x11\x04\xff\xff\x7f",
                Value::from(2_097_151.0),
            ),
            (
                "integer of four bytes",
                b"\x11\x04\x80\xc0\x80\x00",
                Value::from(2_097_152.0),
            ),
            (
                "largest integer",
                b"\x11\x04\xbf\xff\xff\xff",
                Value::from(268_435_455.0),
            ),
            (
                "smallest integer",
                b"\x11\x04\xc0\x80\x80\x00",
                Value::from(-268_435_456.0),
            ),
            ("minus one", b"\x11\x04\xff\xff\xff\xff", Value::from(-1.0)),
            ("double", b"\x11\x05\x3f\xf8\0\0\0\0\0\0", Value::from(1.5)),
            ("string", b"\x11\x06\x09live", Value::from("live")),
            ("empty string", b"\x11\x06\x01", Value::from("")),
        ];
        for (name, bytes, expected) in cases {
            let values = decode_all(bytes, Limits::default());
            assert_eq!(
                values.as_deref(),
                Ok(std::slice::from_ref(expected)),
                "{name}"
            );
        }
    }

    #[test]
    fn amf0_goes_on_behind_an_amf3_value() {
        let values = decode_all(
            b"\x03\0\x01a\x11\x04\x01\0\x01b\x05\0\0\x09\x05",
            Limits::default(),
        );
        let object = crate::Object::new().with("a", 1.0).with("b", Value::Null);
        assert_eq!(values, Ok(vec![Value::from(object), Value::Null]));
    }

    #[test]
    fn anything_else_of_amf3_is_refused() {
        let marker = |marker| DecodeError::UnknownMarker { offset: 1, marker };
        let truncated = |offset, expected, found| DecodeError::Truncated {
            offset,
            expected,
            found,
        };
        let cases: &[(&str, &[u8], DecodeError)] = &[
            ("date", b"\x11\x08\x01\0\0\0\0\0\0\0\0", marker(0x08)),
            ("array", b"\x11\x09\x01\x01", marker(0x09)),
            ("object", b"\x11\x0a\x0b\x01\x01", marker(0x0A)),
            (
                "string reference",
                b"\x11\x06\x02",
                DecodeError::BadReference {
                    offset: 2,
                    index: 1,
                },
            ),
            ("no value", b"\x11", truncated(1, 1, 0)),
            ("half an integer", b"\x11\x04\xff\xff", truncated(4, 1, 0)),
            ("half a string", b"\x11\x06\x09li", truncated(3, 4, 2)),
        ];
        for (name, bytes, expected) in cases {
            assert_eq!(
                decode_all(bytes, Limits::default()).as_ref(),
                Err(expected),
                "{name}"
            );
        }
    }
}
