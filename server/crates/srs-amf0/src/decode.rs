//! Bytes to values.
//!
//! The bytes come from strangers. Memory is taken only for what is really there: announced counts
//! are not believed, nesting and number of values are bounded, and what references repeat is too.

mod amf3;

use std::mem;

use thiserror::Error;

use crate::{Object, Value, marker};

/// How much one [`Decoder`] takes from a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Levels of objects and arrays within each other. Decoding recurses, and so does everything
    /// that walks a value, so this bounds the stack.
    pub depth: usize,
    /// Values in all, those within objects and arrays and those repeated by reference included. A
    /// value may take a single byte on the wire and some eighty in memory.
    pub values: usize,
}

impl Default for Limits {
    /// 16 levels and 4096 values. Commands and metadata of live encoders have three levels and some
    /// forty values; only the key frame index of a recorded file comes near the second limit.
    fn default() -> Self {
        Self {
            depth: 16,
            values: 4096,
        }
    }
}

/// Why bytes are no values. Offsets count from the start of the data.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The data ends within a value.
    #[error("expected {expected} bytes at offset {offset}, found {found}")]
    Truncated {
        /// Where the missing bytes should begin.
        offset: usize,
        /// How many the value needs there.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// An object or array is nested deeper than [`Limits::depth`].
    #[error("value at offset {offset} is nested deeper than {limit} levels")]
    TooDeep {
        /// Where the value begins that is one level too deep.
        offset: usize,
        /// The limit.
        limit: usize,
    },
    /// There are more values than [`Limits::values`].
    #[error("value at offset {offset} exceeds the limit of {limit} values")]
    TooManyValues {
        /// Where the value begins that is one too many.
        offset: usize,
        /// The limit.
        limit: usize,
    },
    /// A byte that is no marker, is reserved, or names a type of AMF3 that is not supported.
    #[error("unknown marker 0x{marker:02x} at offset {offset}")]
    UnknownMarker {
        /// Where the marker stands.
        offset: usize,
        /// The marker.
        marker: u8,
    },
    /// An AMF3 string refers to an earlier one that does not exist.
    #[error("string reference {index} at offset {offset} names no earlier string")]
    BadReference {
        /// Where the reference stands.
        offset: usize,
        /// The index it names.
        index: u32,
    },
    /// References repeat more bytes than [`Decoder::REPEATED_BYTES`].
    #[error("reference at offset {offset} makes repeated values longer than {limit} bytes")]
    RepeatsTooLong {
        /// Where the reference stands.
        offset: usize,
        /// The limit.
        limit: usize,
    },
}

/// Decodes all values in `data`, as commands and data messages carry them, one behind the other.
///
/// # Errors
/// The first [`DecodeError`]; the values before it are dropped. [`Decoder`] keeps them.
pub fn decode_all(data: &[u8], limits: Limits) -> Result<Vec<Value>, DecodeError> {
    let mut decoder = Decoder::new(data, limits);
    let mut values = Vec::new();
    while !decoder.is_empty() {
        values.push(decoder.decode()?);
    }
    Ok(values)
}

/// Reads values one by one. Limits and references span all values of one decoder.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    data: &'a [u8],
    position: usize,
    limits: Limits,
    values_left: usize,
    repeats_left: usize,
    /// The complex values so far, which references name by index.
    complex: Vec<Span>,
    /// Whether the position went back to a complex value that already has its index.
    repeating: bool,
}

/// Where a complex value stands in the data.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    /// `None` while it is being decoded.
    end: Option<usize>,
}

impl<'a> Decoder<'a> {
    /// How many bytes references may repeat in all. Three bytes can name 64 KiB, a thousand times
    /// over: without a bound a small message fills the memory.
    pub const REPEATED_BYTES: usize = 64 * 1024;

    /// A decoder at the start of `data`.
    pub fn new(data: &'a [u8], limits: Limits) -> Self {
        Self {
            data,
            position: 0,
            limits,
            values_left: limits.values,
            repeats_left: Self::REPEATED_BYTES,
            complex: Vec::new(),
            repeating: false,
        }
    }

    /// Decodes the next value.
    ///
    /// Objects and arrays may end where the data ends, as if their end stood there. Text that is
    /// not UTF-8 gets replacement characters. After AVM+ (0x11) an AMF3 value follows, of which
    /// undefined, null, booleans, integers, doubles and strings are known.
    ///
    /// # Errors
    /// See [`DecodeError`]; [`Truncated`](DecodeError::Truncated) also if there is nothing left.
    /// The position stays at the start of the value that failed.
    pub fn decode(&mut self) -> Result<Value, DecodeError> {
        let (start, known) = (self.position, self.complex.len());
        let result = self.value(0);
        if result.is_err() {
            self.position = start;
            self.complex.truncate(known);
            self.repeating = false;
        }
        result
    }

    /// Whether all data is decoded.
    pub fn is_empty(&self) -> bool {
        self.remaining().is_empty()
    }

    /// The data that is not decoded yet.
    pub fn remaining(&self) -> &'a [u8] {
        self.data.get(self.position..).unwrap_or_default()
    }

    /// How many bytes are decoded.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Decodes a value that lies within `depth` objects and arrays.
    fn value(&mut self, depth: usize) -> Result<Value, DecodeError> {
        let start = self.position;
        let marker = self.u8()?;
        self.values_left = self
            .values_left
            .checked_sub(1)
            .ok_or(DecodeError::TooManyValues {
                offset: start,
                limit: self.limits.values,
            })?;
        match marker {
            marker::NUMBER => self.f64().map(Value::Number),
            marker::BOOLEAN => self.u8().map(|byte| Value::Boolean(byte != 0)),
            marker::STRING => self.short_string().map(Value::String),
            marker::NULL => Ok(Value::Null),
            marker::UNDEFINED => Ok(Value::Undefined),
            marker::REFERENCE => {
                let index = self.u16()?;
                self.repeat(index, start, depth)
            }
            marker::DATE => Ok(Value::Date {
                millis: self.f64()?,
                time_zone: self.i16()?,
            }),
            marker::LONG_STRING => self.long_string().map(Value::LongString),
            marker::UNSUPPORTED => Ok(Value::Unsupported),
            marker::XML_DOCUMENT => self.long_string().map(Value::XmlDocument),
            marker::AVM_PLUS => self.amf3_value(),
            marker::OBJECT | marker::ECMA_ARRAY | marker::STRICT_ARRAY | marker::TYPED_OBJECT => {
                self.complex_value(marker, start, depth)
            }
            _ => Err(DecodeError::UnknownMarker {
                offset: start,
                marker,
            }),
        }
    }

    /// Decodes an object or array behind its marker, and gives it an index for references.
    fn complex_value(
        &mut self,
        marker: u8,
        start: usize,
        depth: usize,
    ) -> Result<Value, DecodeError> {
        if depth >= self.limits.depth {
            return Err(DecodeError::TooDeep {
                offset: start,
                limit: self.limits.depth,
            });
        }
        // Indices follow the order in which values begin (AMF 0, 2.9).
        let index = self.complex.len();
        if !self.repeating {
            self.complex.push(Span { start, end: None });
        }
        let value = match marker {
            marker::OBJECT => Value::Object(self.properties(depth + 1)?),
            marker::ECMA_ARRAY => {
                // Encoders write 0, the true number, or what it was before they added some.
                self.u32()?;
                Value::EcmaArray(self.properties(depth + 1)?)
            }
            marker::STRICT_ARRAY => Value::StrictArray(self.elements(depth + 1)?),
            _ => Value::TypedObject {
                class: self.short_string()?,
                properties: self.properties(depth + 1)?,
            },
        };
        if !self.repeating
            && let Some(span) = self.complex.get_mut(index)
        {
            span.end = Some(self.position);
        }
        Ok(value)
    }

    fn properties(&mut self, depth: usize) -> Result<Object, DecodeError> {
        let mut properties = Vec::new();
        loop {
            let rest = self.remaining();
            if rest.starts_with(&marker::END_OF_OBJECT) {
                self.position += marker::END_OF_OBJECT.len();
                break;
            }
            // Some encoders leave the end out, and some messages are cut off within it.
            if marker::END_OF_OBJECT.starts_with(rest) {
                self.position = self.data.len();
                break;
            }
            properties.push((self.short_string()?, self.value(depth)?));
        }
        Ok(properties.into_iter().collect())
    }

    fn elements(&mut self, depth: usize) -> Result<Vec<Value>, DecodeError> {
        let count = self.u32()?;
        // Grows as values come: the count may say four thousand million.
        let mut elements = Vec::new();
        for _ in 0..count {
            if self.is_empty() {
                break;
            }
            elements.push(self.value(depth)?);
        }
        Ok(elements)
    }

    /// The value of that index once more, for the reference at offset `at`.
    ///
    /// It is decoded again from where it stands instead of kept in case it is named. A reference
    /// finds only values that end before it, so each step leads strictly backwards and ends.
    fn repeat(&mut self, index: u16, at: usize, depth: usize) -> Result<Value, DecodeError> {
        let Some(Span {
            start,
            end: Some(end),
        }) = self.complex.get(usize::from(index)).copied()
        else {
            return Ok(Value::Reference(index));
        };
        if end > at {
            return Ok(Value::Reference(index));
        }
        self.repeats_left =
            self.repeats_left
                .checked_sub(end - start)
                .ok_or(DecodeError::RepeatsTooLong {
                    offset: at,
                    limit: Self::REPEATED_BYTES,
                })?;

        let position = mem::replace(&mut self.position, start);
        let repeating = mem::replace(&mut self.repeating, true);
        let value = self.value(depth)?;
        self.position = position;
        self.repeating = repeating;
        Ok(value)
    }

    fn short_string(&mut self) -> Result<String, DecodeError> {
        let len = self.u16()?;
        self.text(usize::from(len))
    }

    fn long_string(&mut self) -> Result<String, DecodeError> {
        let len = self.u32()?;
        // On a 16 bit machine the length might not fit: then the data is shorter anyway.
        self.text(usize::try_from(len).unwrap_or(usize::MAX))
    }

    fn text(&mut self, len: usize) -> Result<String, DecodeError> {
        Ok(String::from_utf8_lossy(self.bytes(len)?).into_owned())
    }

    fn bytes(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let rest = self.remaining();
        let (bytes, _) = rest.split_at_checked(len).ok_or(DecodeError::Truncated {
            offset: self.position,
            expected: len,
            found: rest.len(),
        })?;
        self.position += len;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let rest = self.remaining();
        let bytes = rest.first_chunk().ok_or(DecodeError::Truncated {
            offset: self.position,
            expected: N,
            found: rest.len(),
        })?;
        self.position += N;
        Ok(*bytes)
    }

    fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    fn i16(&mut self) -> Result<i16, DecodeError> {
        self.array().map(i16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    fn f64(&mut self) -> Result<f64, DecodeError> {
        self.array().map(f64::from_be_bytes)
    }
}

#[cfg(test)]
mod tests;
