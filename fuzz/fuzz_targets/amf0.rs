//! See `fuzz_targets::amf0`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::amf0(data));
