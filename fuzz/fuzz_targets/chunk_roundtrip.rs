//! See `fuzz_targets::chunk_roundtrip`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::chunk_roundtrip(data));
