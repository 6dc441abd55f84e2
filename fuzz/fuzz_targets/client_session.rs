//! See `fuzz_targets::client_session`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::client_session(data));
