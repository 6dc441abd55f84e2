//! Random bytes for the handshake, from a seed that comes in from outside.
//!
//! The protocol asks the operating system for nothing: whoever owns the socket draws one seed per
//! connection, and a test that fixes the seed gets the same bytes every time.

use std::fmt;

use bytes::BufMut;
use sha2::{Digest, Sha256};

/// An endless stream of bytes that nobody can foretell without the seed: SHA-256 in counter mode.
///
/// A clone goes on with the same bytes as the original.
#[derive(Clone)]
pub struct Entropy {
    seed: [u8; 32],
    counter: u64,
}

impl Entropy {
    /// A stream of bytes from `seed`, which should come from the operating system's generator.
    pub fn new(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0 }
    }

    /// Fills `out`. What is left of the last 32 byte block is not used for the next call.
    pub fn fill(&mut self, mut out: &mut [u8]) {
        while out.has_remaining_mut() {
            let mut hash = Sha256::new();
            hash.update(self.seed);
            hash.update(self.counter.to_be_bytes());
            let block = hash.finalize();
            self.counter = self.counter.wrapping_add(1);

            let len = block.len().min(out.len());
            out.put_slice(&block[..len]);
        }
    }
}

impl fmt::Debug for Entropy {
    /// Without the seed, which would tell all that follows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entropy")
            .field("counter", &self.counter)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_the_hashes_of_seed_and_counter() {
        // python3: sha256(bytes(range(32)) + (0).to_bytes(8, "big")).digest(), then 1, then 2
        let expected: [u8; 80] = [
            0xa9, 0xd6, 0xe5, 0x00, 0x29, 0x3a, 0x88, 0xbd, 0x38, 0xcb, 0xe2, 0x13, 0xd0, 0x7a,
            0xb7, 0x1f, 0x8c, 0xb2, 0x25, 0x85, 0x52, 0x07, 0x2a, 0x01, 0xbd, 0xf1, 0xc4, 0x0b,
            0xe5, 0x27, 0xf4, 0xd0, 0x60, 0x61, 0xc4, 0x38, 0x6d, 0x7a, 0x17, 0x88, 0xba, 0x52,
            0xe2, 0xe8, 0xb2, 0xee, 0x6f, 0xe6, 0x13, 0x76, 0x44, 0xec, 0x75, 0xa7, 0x0b, 0xf7,
            0x04, 0x2c, 0xfd, 0x67, 0xa1, 0xe5, 0x7b, 0xd3, 0x73, 0x65, 0xa0, 0x7b, 0x45, 0x71,
            0xdc, 0x92, 0x9c, 0x36, 0x29, 0x03, 0x1f, 0x2b, 0x3b, 0x81,
        ];
        let mut bytes = [0; 80];
        Entropy::new(std::array::from_fn(|i| u8::try_from(i).unwrap())).fill(&mut bytes);
        assert_eq!(bytes, expected);
    }

    #[test]
    fn every_call_gives_other_bytes_and_a_clone_the_same() {
        let mut entropy = Entropy::new([7; 32]);
        let (mut first, mut second, mut third) = ([0; 5], [0; 5], [0; 5]);
        entropy.fill(&mut first);
        let mut clone = entropy.clone();
        entropy.fill(&mut second);
        clone.fill(&mut third);

        assert_ne!(first, second);
        assert_eq!(second, third);
    }

    #[test]
    fn nothing_is_drawn_for_nothing() {
        let mut entropy = Entropy::new([7; 32]);
        entropy.fill(&mut []);
        assert_eq!(format!("{entropy:?}"), "Entropy { counter: 0, .. }");
    }
}
