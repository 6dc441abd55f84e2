//! Chunk headers: the three lengths of the basic header, the four types of the message header.
//!
//! Here bytes become fields and fields bytes. What a field means depends on the chunks before, and
//! is the business of the reader and the writer. RTMP 1.0, 5.3.1.

use bytes::BufMut;

use crate::message::MessageType;

/// The header in front of a chunk's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChunkHeader {
    /// [`MIN_CHUNK_STREAM_ID`] to [`MAX_CHUNK_STREAM_ID`].
    pub(super) chunk_stream_id: u32,
    pub(super) message: MessageHeader,
}

/// The message header in its types 0 to 3; each leaves out more of what stays the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageHeader {
    Type0 {
        time: TimeField,
        length: u32,
        message_type: MessageType,
        message_stream_id: u32,
    },
    Type1 {
        time: TimeField,
        length: u32,
        message_type: MessageType,
    },
    Type2 {
        time: TimeField,
    },
    /// An extended timestamp that follows is not part of this: whether there is one cannot be seen
    /// from the header.
    Type3,
}

/// A timestamp or the difference of two, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeField {
    pub(super) value: u32,
    /// Whether the value stands in four bytes behind the header. Kept apart from the value, as
    /// nobody stops a sender from writing a small one there.
    pub(super) is_extended: bool,
}

impl ChunkHeader {
    /// Reads a header and moves `bytes` behind it; `None` if there are not enough bytes yet.
    pub(super) fn decode(bytes: &mut &[u8]) -> Option<Self> {
        let (&first, rest) = bytes.split_first()?;
        let (chunk_stream_id, mut rest) = match first & 0x3F {
            0 => {
                let (&id, rest) = rest.split_first()?;
                (64 + u32::from(id), rest)
            }
            1 => {
                let (&id, rest) = rest.split_first_chunk()?;
                (64 + u32::from(u16::from_le_bytes(id)), rest)
            }
            id => (id.into(), rest),
        };
        let message = MessageHeader::decode(first >> 6, &mut rest)?;
        *bytes = rest;
        Some(Self {
            chunk_stream_id,
            message,
        })
    }

    /// Appends the header, at most [`MAX_HEADER_LEN`] bytes, in the shortest form of its id.
    pub(super) fn encode(&self, out: &mut impl BufMut) {
        let format = self.message.format() << 6;
        match self.chunk_stream_id.to_le_bytes() {
            [id @ 2..=63, 0, 0, 0] => out.put_u8(format | id),
            _ => match self.chunk_stream_id.saturating_sub(64).to_le_bytes() {
                [id, 0, 0, 0] => out.put_slice(&[format, id]),
                [low, high, ..] => out.put_slice(&[format | 1, low, high]),
            },
        }
        self.message.encode(out);
    }
}

impl MessageHeader {
    /// The number of the type, 0 to 3: the highest two bits of the basic header.
    pub(super) fn format(&self) -> u8 {
        match self {
            Self::Type0 { .. } => 0,
            Self::Type1 { .. } => 1,
            Self::Type2 { .. } => 2,
            Self::Type3 => 3,
        }
    }

    fn decode(format: u8, bytes: &mut &[u8]) -> Option<Self> {
        let (header, rest) = match format {
            0 => {
                let (&[t0, t1, t2, l0, l1, l2, type_id, ref id @ ..], rest) =
                    bytes.split_first_chunk::<11>()?;
                let (time, rest) = TimeField::decode([t0, t1, t2], rest)?;
                let header = Self::Type0 {
                    time,
                    length: u32::from_be_bytes([0, l0, l1, l2]),
                    message_type: type_id.into(),
                    // The one field that is little endian.
                    message_stream_id: u32::from_le_bytes(*id),
                };
                (header, rest)
            }
            1 => {
                let (&[t0, t1, t2, l0, l1, l2, type_id], rest) = bytes.split_first_chunk()?;
                let (time, rest) = TimeField::decode([t0, t1, t2], rest)?;
                let header = Self::Type1 {
                    time,
                    length: u32::from_be_bytes([0, l0, l1, l2]),
                    message_type: type_id.into(),
                };
                (header, rest)
            }
            2 => {
                let (&time, rest) = bytes.split_first_chunk()?;
                let (time, rest) = TimeField::decode(time, rest)?;
                (Self::Type2 { time }, rest)
            }
            _ => (Self::Type3, *bytes),
        };
        *bytes = rest;
        Some(header)
    }

    fn encode(&self, out: &mut impl BufMut) {
        match *self {
            Self::Type0 {
                time,
                length,
                message_type,
                message_stream_id,
            } => {
                out.put_uint(time.field().into(), 3);
                out.put_uint(length.into(), 3);
                out.put_u8(message_type.id());
                out.put_u32_le(message_stream_id);
                time.encode_extended(out);
            }
            Self::Type1 {
                time,
                length,
                message_type,
            } => {
                out.put_uint(time.field().into(), 3);
                out.put_uint(length.into(), 3);
                out.put_u8(message_type.id());
                time.encode_extended(out);
            }
            Self::Type2 { time } => {
                out.put_uint(time.field().into(), 3);
                time.encode_extended(out);
            }
            Self::Type3 => {}
        }
    }
}

impl TimeField {
    pub(super) fn new(value: u32) -> Self {
        Self {
            value,
            is_extended: value >= EXTENDED,
        }
    }

    /// The value, which stands in `rest` if `field` says so, and what remains of `rest`.
    fn decode(field: [u8; 3], rest: &[u8]) -> Option<(Self, &[u8])> {
        let [t0, t1, t2] = field;
        let value = u32::from_be_bytes([0, t0, t1, t2]);
        if value < EXTENDED {
            return Some((
                Self {
                    value,
                    is_extended: false,
                },
                rest,
            ));
        }
        let (&value, rest) = rest.split_first_chunk()?;
        Some((
            Self {
                value: u32::from_be_bytes(value),
                is_extended: true,
            },
            rest,
        ))
    }

    fn field(self) -> u32 {
        if self.is_extended {
            EXTENDED
        } else {
            self.value
        }
    }

    /// Appends the extended timestamp, if there is one.
    pub(super) fn encode_extended(self, out: &mut impl BufMut) {
        if self.is_extended {
            out.put_u32(self.value);
        }
    }
}

pub(super) const MIN_CHUNK_STREAM_ID: u32 = 2;
pub(super) const MAX_CHUNK_STREAM_ID: u32 = 64 + 0xFFFF;
/// Three bytes of basic header, eleven of message header, four of extended timestamp.
pub(super) const MAX_HEADER_LEN: usize = 18;
/// In the three bytes of a time field: the value is this or more, and stands behind the header.
const EXTENDED: u32 = 0xFF_FFFF;

#[cfg(test)]
mod tests {
    use super::*;

    fn time(value: u32) -> TimeField {
        TimeField {
            value,
            is_extended: false,
        }
    }

    fn extended(value: u32) -> TimeField {
        TimeField {
            value,
            is_extended: true,
        }
    }

    #[test]
    fn headers_are_read_and_written_as_the_specification_draws_them() {
        use MessageHeader::{Type0, Type1, Type2, Type3};
        let audio = MessageType::Audio;
        let cases: &[(&str, &[u8], u32, MessageHeader)] = &[
            (
                "type 0",
                &[
                    0x03, 0, 0x03, 0xE8, 0, 0x01, 0x02, 8, 0x04, 0x03, 0x02, 0x01,
                ],
                3,
                Type0 {
                    time: time(1000),
                    length: 0x102,
                    message_type: audio,
                    message_stream_id: 0x0102_0304,
                },
            ),
            (
                "type 0 with an extended timestamp",
                &[
                    0x03, 0xFF, 0xFF, 0xFF, 0, 0, 1, 8, 1, 0, 0, 0, 0xFE, 0xDC, 0xBA, 0x98,
                ],
                3,
                Type0 {
                    time: extended(0xFEDC_BA98),
                    length: 1,
                    message_type: audio,
                    message_stream_id: 1,
                },
            ),
            (
                "type 1",
                &[0x43, 0, 0, 23, 0, 0, 9, 8],
                3,
                Type1 {
                    time: time(23),
                    length: 9,
                    message_type: audio,
                },
            ),
            (
                "type 1 with an extended timestamp",
                &[0x43, 0xFF, 0xFF, 0xFF, 0, 0, 9, 8, 1, 0, 0, 0],
                3,
                Type1 {
                    time: extended(0x0100_0000),
                    length: 9,
                    message_type: audio,
                },
            ),
            (
                "type 2",
                &[0x83, 0xFF, 0xFF, 0xFE],
                3,
                Type2 {
                    time: time(0xFF_FFFE),
                },
            ),
            (
                "type 2 with an extended timestamp",
                &[0x83, 0xFF, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0xFF],
                3,
                Type2 {
                    time: extended(0xFF_FFFF),
                },
            ),
            ("type 3", &[0xC3], 3, Type3),
            ("the smallest id of one byte", &[0xC2], 2, Type3),
            ("the largest id of one byte", &[0xFF], 63, Type3),
            ("the smallest id of two bytes", &[0xC0, 0], 64, Type3),
            ("the largest id of two bytes", &[0xC0, 0xFF], 319, Type3),
            (
                "the smallest id of three bytes",
                &[0xC1, 0x00, 0x01],
                320,
                Type3,
            ),
            (
                "the order of three bytes",
                &[0xC1, 0x02, 0x01],
                64 + 2 + 256,
                Type3,
            ),
            ("the largest id", &[0xC1, 0xFF, 0xFF], 65_599, Type3),
        ];
        for (name, bytes, chunk_stream_id, message) in cases {
            let header = ChunkHeader {
                chunk_stream_id: *chunk_stream_id,
                message: *message,
            };
            let mut rest = *bytes;
            assert_eq!(ChunkHeader::decode(&mut rest), Some(header), "{name}");
            assert!(rest.is_empty(), "{name}");
            for end in 0..bytes.len() {
                let mut cut = &bytes[..end];
                assert_eq!(ChunkHeader::decode(&mut cut), None, "{name}, cut at {end}");
                assert_eq!(cut.len(), end, "{name}, cut at {end}: nothing is consumed");
            }
            let mut encoded = Vec::new();
            header.encode(&mut encoded);
            assert_eq!(encoded, *bytes, "{name}");
        }
    }

    #[test]
    fn an_id_in_a_longer_form_than_needed_is_read() {
        for bytes in [&[0xC1, 0, 0][..], &[0xC0, 0]] {
            let header = ChunkHeader {
                chunk_stream_id: 64,
                message: MessageHeader::Type3,
            };
            assert_eq!(ChunkHeader::decode(&mut &bytes[..]), Some(header));
        }
    }

    #[test]
    fn an_extended_timestamp_may_be_small() {
        let mut bytes: &[u8] = &[0x83, 0xFF, 0xFF, 0xFF, 0, 0, 0, 5];
        let header = ChunkHeader {
            chunk_stream_id: 3,
            message: MessageHeader::Type2 { time: extended(5) },
        };
        assert_eq!(ChunkHeader::decode(&mut bytes), Some(header));
    }

    #[test]
    fn a_timestamp_is_extended_from_the_first_that_does_not_fit_on() {
        assert_eq!(TimeField::new(0xFF_FFFE), time(0xFF_FFFE));
        assert_eq!(TimeField::new(0xFF_FFFF), extended(0xFF_FFFF));
    }
}
