//! The randomness and the time that a handshake starts from.

use std::time::{SystemTime, UNIX_EPOCH};

use srs_rtmp::entropy::Entropy;

/// A fresh seed from the operating system.
///
/// Handshake bytes protect nothing; should the system have no randomness to give, the time stands
/// in for it.
pub fn entropy() -> Entropy {
    let mut seed = [0; 32];
    if getrandom::fill(&mut seed).is_err() {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        seed[..16].copy_from_slice(&now.as_nanos().to_be_bytes());
    }
    Entropy::new(seed)
}

/// Seconds since 1970, modulo 2^32, as handshakes carry them.
#[expect(clippy::cast_possible_truncation, reason = "the field has 32 bits")]
pub fn unix_time() -> u32 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs() as u32
}
