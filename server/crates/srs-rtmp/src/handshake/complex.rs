//! The complex form: C1 and S1 hold a digest of themselves, C2 and S2 prove that it was read.
//!
//! Behind time and version, C1 and S1 have two blocks of 764 bytes in the order of their
//! [`Schema`]: one with a digest, the other with a Diffie-Hellman key. Each stands at a place
//! within its block that four bytes of the block give. As no encryption follows, the key is never
//! used, and random bytes do for it. None of this is in the specification; it is what Flash does.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{PACKET_LEN, Packet, Schema};
use crate::entropy::Entropy;

/// An HMAC-SHA256.
pub(super) type Digest = [u8; DIGEST_LEN];

/// Who makes a digest. Each side has a key that everybody knows: its name, and for the last packet
/// its name and 32 bytes more.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signer {
    Client,
    Server,
}

impl Signer {
    fn name(self) -> &'static [u8] {
        match self {
            Self::Client => b"Genuine Adobe Flash Player 001",
            Self::Server => b"Genuine Adobe Flash Media Server 001",
        }
    }

    fn long_key(self) -> Vec<u8> {
        [self.name(), &KEY_TAIL].concat()
    }

    /// What stands behind the time in C1 or S1: the version of a Flash player, of a server.
    fn version(self) -> [u8; 4] {
        match self {
            Self::Client => [0x80, 0x00, 0x07, 0x02],
            Self::Server => [0x01, 0x00, 0x05, 0x04],
        }
    }
}

/// C1 or S1, with its digest.
pub(super) fn hello(signer: Signer, schema: Schema, time: u32, entropy: &mut Entropy) -> Packet {
    let mut packet = [0; PACKET_LEN];
    entropy.fill(&mut packet[8..]);
    packet[..4].copy_from_slice(&time.to_be_bytes());
    packet[4..8].copy_from_slice(&signer.version());

    let (before, _, after) = split_at_digest(&packet, schema);
    let digest = hmac(signer.name(), &[before, after])
        .finalize()
        .into_bytes();
    let start = before.len();
    packet[start..start + DIGEST_LEN].copy_from_slice(&digest);
    packet
}

/// C2 or S2: random bytes and a digest that only who read the peer's digest can make.
pub(super) fn reply(signer: Signer, peer_digest: &Digest, entropy: &mut Entropy) -> Packet {
    let mut packet = [0; PACKET_LEN];
    let (random, digest) = packet.split_at_mut(PACKET_LEN - DIGEST_LEN);
    entropy.fill(random);
    let key = hmac(&signer.long_key(), &[peer_digest])
        .finalize()
        .into_bytes();
    digest.copy_from_slice(&hmac(&key, &[random]).finalize().into_bytes());
    packet
}

/// The schema in which `packet` holds a valid digest of `signer`, and that digest.
pub(super) fn find_digest(packet: &Packet, signer: Signer) -> Option<(Schema, Digest)> {
    [Schema::KeyFirst, Schema::DigestFirst]
        .into_iter()
        .find_map(|schema| {
            let (before, digest, after) = split_at_digest(packet, schema);
            hmac(signer.name(), &[before, after])
                .verify_slice(digest)
                .ok()?;
            Some((schema, *digest))
        })
}

/// What stands before the digest, the digest, and what stands behind it.
fn split_at_digest(packet: &Packet, schema: Schema) -> (&[u8], &Digest, &[u8]) {
    let block = match schema {
        Schema::KeyFirst => 8 + BLOCK_LEN,
        Schema::DigestFirst => 8,
    };
    let offset: usize = packet[block..block + 4]
        .iter()
        .copied()
        .map(usize::from)
        .sum();
    let (before, rest) = packet.split_at(block + 4 + offset % DIGEST_PLACES);
    let (digest, after) = rest
        .split_first_chunk()
        .expect("the digest ends within its block");
    (before, digest, after)
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut hmac = Hmac::new_from_slice(key).expect("an HMAC takes keys of any length");
    parts.iter().for_each(|part| hmac.update(part));
    hmac
}

const DIGEST_LEN: usize = 32;
const BLOCK_LEN: usize = 764;
/// Where in its block, behind the four bytes that give the place, a digest can begin.
const DIGEST_PLACES: usize = BLOCK_LEN - 4 - DIGEST_LEN;
const KEY_TAIL: [u8; 32] = [
    0xF0, 0xEE, 0xC2, 0x4A, 0x80, 0x68, 0xBE, 0xE8, 0x2E, 0x00, 0xD0, 0xD1, 0x02, 0x9E, 0x7E, 0x57,
    0x6E, 0xEC, 0x5D, 0x2D, 0x29, 0x80, 0x6F, 0xAB, 0x93, 0xB8, 0xE6, 0x36, 0xCF, 0xEB, 0x31, 0xAE,
];

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        })
    }

    /// Bytes 0, step, 2 * step, … modulo 256.
    fn packet(step: usize) -> Packet {
        std::array::from_fn(|i| u8::try_from(i * step % 256).unwrap())
    }

    /// Step of the packet, signer, schema, where the digest stands, the digest. Made with python3:
    /// `p = bytes(i * step % 256 for i in range(1536))`, `b = 8 if digest_first else 772`,
    /// `at = b + 4 + sum(p[b:b+4]) % 728`, `hmac.digest(name, p[:at] + p[at+32:], "sha256")`.
    const DIGESTS: &[(usize, Signer, Schema, usize, &str)] = &[
        (
            7,
            Signer::Client,
            Schema::KeyFirst,
            930,
            "c1f8a653abd40fa9c64fd1409605c2605cd0a5f092e8e12fcdbeed20c143cb81",
        ),
        (
            7,
            Signer::Client,
            Schema::DigestFirst,
            278,
            "10a19074a5ce4699edbd7bb14b4519762d742302d4e639d6d47f48fff3ad56f2",
        ),
        (
            7,
            Signer::Server,
            Schema::KeyFirst,
            930,
            "0aa533153820fa417b970333160112c6e0a3926eab6600608c4ffcd5c5a25278",
        ),
        (
            7,
            Signer::Server,
            Schema::DigestFirst,
            278,
            "13023b51d9b70e26a2ce1ca0c6ec64e63b3e6b6870328af2969571460c9c60fc",
        ),
        (
            131,
            Signer::Client,
            Schema::KeyFirst,
            1098,
            "62e9df923d11ae23139df87bdfa38261c8a25bffebe4cc316c24bdaeda4fd3a4",
        ),
        (
            131,
            Signer::Client,
            Schema::DigestFirst,
            382,
            "e8f2a5c9ce2f4171b045b3bbe0b48b74a942ef504d2bde0dd4e251a45133d3e2",
        ),
        (
            131,
            Signer::Server,
            Schema::KeyFirst,
            1098,
            "8203ba5486091b343c449d7157e2b39461a02f466268836cdadbbb0d145113d5",
        ),
        (
            131,
            Signer::Server,
            Schema::DigestFirst,
            382,
            "0fe2470d036b9045b0a99f7ccb88aab4801b2b2818887cd7ee7a1f899282928e",
        ),
        (
            211,
            Signer::Client,
            Schema::KeyFirst,
            1322,
            "17a23f008e9a1db66d42298d88349c88445f5169c00c774d9d4c4df00334a8c2",
        ),
        (
            211,
            Signer::Client,
            Schema::DigestFirst,
            350,
            "67dbda1c377e58b10f739f39733323530342c3c8c3f96ea16b45b7a7ed1c1d55",
        ),
        (
            211,
            Signer::Server,
            Schema::KeyFirst,
            1322,
            "f1331e871a54ad6146c9a799417e39f61ffcbfcfb4712da004e67ee88a321a29",
        ),
        (
            211,
            Signer::Server,
            Schema::DigestFirst,
            350,
            "d02e728dd2798cf824e17fbf7514b7173787e6b68ecd98ee1fe667852210a509",
        ),
    ];

    #[test]
    fn a_digest_is_found_where_it_stands_and_only_with_the_key_that_made_it() {
        for &(step, signer, schema, at, expected) in DIGESTS {
            let mut packet = packet(step);
            let (before, _, after) = split_at_digest(&packet, schema);
            assert_eq!(before.len(), at);
            let digest = hmac(signer.name(), &[before, after])
                .finalize()
                .into_bytes();
            assert_eq!(hex(&digest), expected);

            assert_eq!(find_digest(&packet, signer), None);
            packet[at..at + 32].copy_from_slice(&digest);
            assert_eq!(find_digest(&packet, signer), Some((schema, digest.into())));
            let other = match signer {
                Signer::Client => Signer::Server,
                Signer::Server => Signer::Client,
            };
            assert_eq!(find_digest(&packet, other), None);
        }
    }

    #[test]
    fn one_changed_bit_anywhere_spoils_a_digest() {
        let mut entropy = Entropy::new([5; 32]);
        let signed = hello(Signer::Client, Schema::KeyFirst, 0, &mut entropy);
        for at in 0..PACKET_LEN {
            let mut packet = signed;
            packet[at] ^= 0x10;
            assert_eq!(find_digest(&packet, Signer::Client), None, "byte {at}");
        }
    }

    #[test]
    fn a_digest_may_stand_at_both_ends_of_its_block() {
        for (offset, at) in [([0; 4], 12), ([182, 182, 182, 181], 739), ([182; 4], 12)] {
            let mut packet = [0; PACKET_LEN];
            packet[8..12].copy_from_slice(&offset);
            packet[772..776].copy_from_slice(&offset);
            assert_eq!(split_at_digest(&packet, Schema::DigestFirst).0.len(), at);
            assert_eq!(split_at_digest(&packet, Schema::KeyFirst).0.len(), at + 764);
        }
    }

    /// Computed by python3 from the first 1504 bytes `r` that come out of seed 4:
    /// `hmac.digest(hmac.digest(name + tail, bytes(range(32)), "sha256"), r, "sha256")`.
    #[test]
    fn a_reply_proves_that_the_digest_was_read() {
        let read = std::array::from_fn(|i| u8::try_from(i).unwrap());
        let cases = [
            (
                Signer::Client,
                "aeb61fe6576e9ff7ef4c7d4a25da50079357f1ce3bb7bc30d4fc86634a806407",
            ),
            (
                Signer::Server,
                "451c50bd76f6fe82df1142c46ce53574ecb9626a7ffae70da4948266f09935d8",
            ),
        ];
        for (signer, expected) in cases {
            let packet = reply(signer, &read, &mut Entropy::new([4; 32]));
            assert_eq!(hex(&packet[1504..]), expected);
        }
    }
}
