//! See `fuzz_targets::server_session`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::server_session(data));
