//! See `fuzz_targets::chunk_reader`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::chunk_reader(data));
