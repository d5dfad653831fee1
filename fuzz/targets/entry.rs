//! The body of an entry: parsed, and its events folded.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| casework_fuzz::entry(data));
