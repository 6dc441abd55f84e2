//! See `fuzz_targets::flv_reader`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::flv_reader(data));
