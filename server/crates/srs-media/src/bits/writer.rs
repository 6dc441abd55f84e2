//! Headers for tests: written field by field as the standards list them, or byte by byte.

/// Bytes as tables write them: hexadecimal, or text in single quotes.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let token = |token: &str| match token.strip_prefix('\'') {
        Some(text) => text.trim_end_matches('\'').as_bytes().to_vec(),
        None => vec![u8::from_str_radix(token, 16).expect("two hexadecimal digits")],
    };
    text.split_whitespace().flat_map(token).collect()
}

/// Bits in the order they were put.
#[derive(Clone, Default)]
pub(crate) struct BitWriter {
    bits: Vec<bool>,
}

impl BitWriter {
    /// The low `count` bits of `value`.
    pub(crate) fn bits(mut self, count: usize, value: u64) -> Self {
        self.bits
            .extend((0..count).rev().map(|shift| value >> shift & 1 == 1));
        self
    }

    /// A truth value in one bit.
    pub(crate) fn flag(self, value: bool) -> Self {
        self.bits(1, value.into())
    }

    /// Unsigned Exp-Golomb codes.
    pub(crate) fn ue(self, values: &[u32]) -> Self {
        values.iter().fold(self, |this, &value| {
            let code = u64::from(value) + 1;
            let len = (u64::BITS - code.leading_zeros()) as usize;
            this.bits(2 * len - 1, code)
        })
    }

    /// Signed Exp-Golomb codes.
    pub(crate) fn se(self, values: &[i32]) -> Self {
        values.iter().fold(self, |this, &value| {
            let twice = value.unsigned_abs() * 2;
            this.ue(&[if value > 0 { twice - 1 } else { twice }])
        })
    }

    /// All bits, the last byte filled with zeros.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let byte = |bits: &[bool]| {
            bits.iter()
                .zip(0..)
                .fold(0, |byte, (&bit, index)| byte | u8::from(bit) << (7 - index))
        };
        self.bits.chunks(8).map(byte).collect()
    }

    /// All bits as a NAL unit: with emulation prevention.
    pub(crate) fn unit(&self) -> Vec<u8> {
        let mut unit = Vec::new();
        for byte in self.bytes() {
            if unit.ends_with(&[0, 0]) && byte <= 3 {
                unit.push(3);
            }
            unit.push(byte);
        }
        unit
    }
}
