//! Reading bits, most significant first, as sequence headers are written.
//!
//! Every read names the field, in the words of its standard, so that an error says by itself what
//! was being read and where.

#[cfg(test)]
pub(crate) mod writer;

use std::borrow::Cow;

/// Why a field of a header could not be read, or cannot be what it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The data ended first.
    #[error("{field} at bit {position}: {wanted} bits expected, {left} left")]
    Missing {
        /// The field, in the words of its standard.
        field: &'static str,
        /// Where the field began, in bits from the start of the data.
        position: usize,
        /// The field's length in bits.
        wanted: usize,
        /// The bits that were left.
        left: usize,
    },
    /// An Exp-Golomb code with 32 zeros or more in front: its value needs more than 32 bits.
    #[error(
        "{field} at bit {position}: an Exp-Golomb code of at most 32 bits expected, longer came"
    )]
    CodeTooLong {
        /// The field, in the words of its standard.
        field: &'static str,
        /// Where the field began, in bits from the start of the data.
        position: usize,
    },
    /// The value is one that the standard rules out, or that this crate cannot interpret.
    #[error("{field} is {value}, expected {expected}")]
    Unexpected {
        /// The field, in the words of its standard.
        field: &'static str,
        /// The value that came.
        value: u32,
        /// What may stand there.
        expected: &'static str,
    },
}

impl FieldError {
    pub(crate) const fn unexpected(
        field: &'static str,
        value: u32,
        expected: &'static str,
    ) -> Self {
        Self::Unexpected {
            field,
            value,
            expected,
        }
    }
}

/// A position in a slice of bytes, counted in bits. It never moves beyond the end: a read that
/// fails leaves it where it was.
#[derive(Clone, Copy, Debug)]
pub struct BitReader<'a> {
    data: &'a [u8],
    position: usize,
}

impl<'a> BitReader<'a> {
    /// Starts at the first bit of `data`.
    pub const fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0 }
    }

    /// The next `count` bits, 0 to 32, as an unsigned number: u(n) of the ITU standards.
    ///
    /// # Errors
    /// [`FieldError::Missing`] if fewer are left.
    pub fn bits(&mut self, count: usize, field: &'static str) -> Result<u32, FieldError> {
        debug_assert!(
            count <= 32,
            "a field of {count} bits does not fit the result"
        );
        self.require(count, field)?;
        let value = (self.position..self.position + count).fold(0, |value, position| {
            value << 1 | u32::from(self.bit_at(position))
        });
        self.position += count;
        Ok(value)
    }

    /// The next bit as a truth value.
    ///
    /// # Errors
    /// [`FieldError::Missing`] at the end of the data.
    pub fn flag(&mut self, field: &'static str) -> Result<bool, FieldError> {
        Ok(self.bits(1, field)? == 1)
    }

    /// The next 8 bits.
    ///
    /// # Errors
    /// [`FieldError::Missing`] if fewer are left.
    pub fn byte(&mut self, field: &'static str) -> Result<u8, FieldError> {
        Ok(self.bits(8, field)?.to_be_bytes()[3])
    }

    /// An unsigned Exp-Golomb code, 0 to 2^32 - 2: ue(v) of the ITU standards (H.264, 9.1).
    ///
    /// # Errors
    /// [`FieldError::Missing`] if the code is cut short, [`FieldError::CodeTooLong`] if it is
    /// longer than any in the standards.
    pub fn ue(&mut self, field: &'static str) -> Result<u32, FieldError> {
        let position = self.position;
        let rest = position..self.data.len() * 8;
        let zeros = rest
            .take_while(|&position| !self.bit_at(position))
            .take(32)
            .count();
        if zeros == 32 {
            return Err(FieldError::CodeTooLong { field, position });
        }
        self.require(2 * zeros + 1, field)?;
        self.position += zeros + 1;
        let suffix = self.bits(zeros, field)?;
        // 2^zeros - 1 + suffix, whose largest value for 31 zeros is 2^32 - 2.
        Ok((1u32 << zeros) - 1 + suffix)
    }

    /// A signed Exp-Golomb code, -2^31 + 1 to 2^31 - 1: se(v) of the ITU standards (H.264, 9.1.1).
    ///
    /// # Errors
    /// As [`ue`](Self::ue).
    pub fn se(&mut self, field: &'static str) -> Result<i32, FieldError> {
        let code = self.ue(field)?;
        let magnitude = (code / 2 + code % 2).cast_signed();
        Ok(if code % 2 == 1 { magnitude } else { -magnitude })
    }

    /// Passes over `count` bits.
    ///
    /// # Errors
    /// [`FieldError::Missing`] if fewer are left.
    pub fn skip(&mut self, count: usize, field: &'static str) -> Result<(), FieldError> {
        self.require(count, field)?;
        self.position += count;
        Ok(())
    }

    /// The next `count` whole bytes; what is left of a byte that was begun is passed over first.
    ///
    /// # Errors
    /// [`FieldError::Missing`] if fewer are left.
    pub fn bytes(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], FieldError> {
        let start = self.position.div_ceil(8);
        let missing = FieldError::Missing {
            field,
            position: self.position,
            wanted: count.saturating_mul(8),
            left: self.left(),
        };
        let end = start.checked_add(count).ok_or_else(|| missing.clone())?;
        let bytes = self.data.get(start..end).ok_or(missing)?;
        self.position = end * 8;
        Ok(bytes)
    }

    /// Passes over what is left of a byte that was begun.
    pub fn align(&mut self) {
        self.position = self.position.next_multiple_of(8);
    }

    /// Bits read or passed over so far.
    pub const fn position(&self) -> usize {
        self.position
    }

    /// Bits that are left.
    pub const fn left(&self) -> usize {
        self.data.len() * 8 - self.position
    }

    fn require(&self, wanted: usize, field: &'static str) -> Result<(), FieldError> {
        let left = self.left();
        if wanted > left {
            return Err(FieldError::Missing {
                field,
                position: self.position,
                wanted,
                left,
            });
        }
        Ok(())
    }

    /// The bit at `position`; beyond the end, where `require` lets nobody come, zero.
    fn bit_at(&self, position: usize) -> bool {
        self.data
            .get(position / 8)
            .is_some_and(|byte| byte >> (7 - position % 8) & 1 == 1)
    }
}

/// The raw byte sequence payload of a NAL unit: `unit` without the bytes 3 that keep a start code
/// from appearing in it (H.264, 7.4.1; H.265, 7.4.2).
///
/// Copies only if there are any.
pub fn without_emulation_prevention(unit: &[u8]) -> Cow<'_, [u8]> {
    if !unit.windows(3).any(|window| window == [0, 0, 3]) {
        return Cow::Borrowed(unit);
    }
    let mut payload = Vec::with_capacity(unit.len());
    let mut zeros = 0;
    for &byte in unit {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        payload.push(byte);
    }
    Cow::Owned(payload)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::writer::BitWriter;
    use super::*;

    #[test]
    fn bits_are_read_from_the_most_significant() {
        let mut reader = BitReader::new(&[0b1010_0101, 0xFF, 0x00, 0xFF, 0x12, 0x34]);
        assert_eq!(reader.bits(3, "a"), Ok(0b101));
        assert_eq!(reader.flag("b"), Ok(false));
        assert_eq!(reader.bits(8, "c"), Ok(0b0101_1111));
        reader.align();
        assert_eq!((reader.position(), reader.left()), (16, 32));
        assert_eq!(reader.bits(32, "d"), Ok(0x00FF_1234));
        assert_eq!(reader.bits(0, "nothing"), Ok(0));
        assert_eq!(
            BitReader {
                position: 5,
                ..reader
            }
            .bytes(2, "bytes"),
            Ok(&[0xFF, 0x00][..])
        );
        assert_eq!(
            reader.flag("e"),
            Err(FieldError::Missing {
                field: "e",
                position: 48,
                wanted: 1,
                left: 0
            })
        );
    }

    #[test]
    fn exp_golomb_codes_follow_the_table_of_the_standard() {
        let cases: [(&[u8], u32, i32); 8] = [
            (&[0b1000_0000], 0, 0),
            (&[0b0100_0000], 1, 1),
            (&[0b0110_0000], 2, -1),
            (&[0b0010_0000], 3, 2),
            (&[0b0010_1000], 4, -2),
            (&[0b0001_0100], 9, 5),
            (&[0x00, 0x00, 0x80, 0x00, 0x80], 65_536, -32_768),
            (
                &[0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFE],
                u32::MAX - 1,
                -i32::MAX,
            ),
        ];
        for (bytes, unsigned, signed) in cases {
            assert_eq!(
                BitReader::new(bytes).ue("code"),
                Ok(unsigned),
                "{bytes:02x?}"
            );
            assert_eq!(BitReader::new(bytes).se("code"), Ok(signed), "{bytes:02x?}");
        }
    }

    #[test]
    fn codes_that_are_cut_short_or_too_long_are_refused() {
        assert_eq!(
            BitReader::new(&[0b0000_0100]).ue("cut"),
            Err(FieldError::Missing {
                field: "cut",
                position: 0,
                wanted: 11,
                left: 8
            })
        );
        assert_eq!(
            BitReader::new(&[0; 16]).ue("zeros"),
            Err(FieldError::CodeTooLong {
                field: "zeros",
                position: 0
            })
        );
        assert_eq!(
            BitReader::new(&[0; 2]).ue("end"),
            Err(FieldError::Missing {
                field: "end",
                position: 0,
                wanted: 33,
                left: 16
            })
        );
    }

    #[test]
    fn errors_say_which_field_and_where() {
        let mut reader = BitReader::new(&[0]);
        reader.skip(3, "padding").unwrap();
        assert_eq!(
            reader.bits(8, "level_idc").unwrap_err().to_string(),
            "level_idc at bit 3: 8 bits expected, 5 left"
        );
        assert_eq!(reader.position(), 3);
    }

    #[test]
    fn emulation_prevention_is_undone() {
        let cases: [(&str, &[u8], &[u8]); 6] = [
            ("none", &[1, 0, 0, 4, 3], &[1, 0, 0, 4, 3]),
            ("one", &[0x67, 0, 0, 3, 1], &[0x67, 0, 0, 1]),
            (
                "a zero after it starts anew",
                &[0, 0, 3, 0, 0, 3, 2],
                &[0, 0, 0, 0, 2],
            ),
            (
                "a three that is data",
                &[0, 3, 0, 0, 3, 3],
                &[0, 3, 0, 0, 3],
            ),
            ("at the end", &[0, 0, 3], &[0, 0]),
            ("after three zeros", &[0, 0, 0, 3, 1], &[0, 0, 0, 1]),
        ];
        for (name, unit, payload) in cases {
            assert_eq!(without_emulation_prevention(unit), payload, "{name}");
        }
        assert!(matches!(
            without_emulation_prevention(&[1, 2, 3]),
            Cow::Borrowed(_)
        ));
    }

    /// A field as a test writes it.
    #[derive(Clone, Debug)]
    enum Field {
        Bits(usize, u32),
        Unsigned(u32),
        Signed(i32),
    }

    fn field() -> impl Strategy<Value = Field> {
        prop_oneof![
            (1..=32usize, any::<u32>()).prop_map(|(n, v)| Field::Bits(n, v >> (32 - n))),
            (0..u32::MAX).prop_map(Field::Unsigned),
            (-i32::MAX..=i32::MAX).prop_map(Field::Signed),
        ]
    }

    fn write(fields: &[Field]) -> Vec<u8> {
        let put = |writer: BitWriter, field: &Field| match *field {
            Field::Bits(count, value) => writer.bits(count, value.into()),
            Field::Unsigned(value) => writer.ue(&[value]),
            Field::Signed(value) => writer.se(&[value]),
        };
        fields.iter().fold(BitWriter::default(), put).bytes()
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(fields in prop::collection::vec(field(), 0..20)) {
            let bytes = write(&fields);
            let mut reader = BitReader::new(&bytes);
            for field in fields {
                match field {
                    Field::Bits(count, value) => {
                        prop_assert_eq!(reader.bits(count, "bits"), Ok(value));
                    }
                    Field::Unsigned(value) => prop_assert_eq!(reader.ue("ue"), Ok(value)),
                    Field::Signed(value) => prop_assert_eq!(reader.se("se"), Ok(value)),
                }
            }
            prop_assert!(reader.left() < 8);
        }

        #[test]
        fn no_bytes_panic(
            data: Vec<u8>,
            reads in prop::collection::vec((0..6u8, 0..=32usize), 0..50),
        ) {
            let mut reader = BitReader::new(&data);
            for (kind, count) in reads {
                let before = reader.position();
                let failed = match kind {
                    0 => reader.bits(count, "bits").is_err(),
                    1 => reader.ue("ue").is_err(),
                    2 => reader.se("se").is_err(),
                    3 => reader.skip(count * 1000, "skip").is_err(),
                    4 => reader.bytes(count, "bytes").is_err(),
                    _ => { reader.align(); false }
                };
                prop_assert!(reader.position() <= data.len() * 8);
                prop_assert!(!failed || reader.position() == before);
            }
            let _ = without_emulation_prevention(&data);
        }
    }
}
