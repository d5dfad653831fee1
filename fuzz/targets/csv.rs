//! A table of any dialect.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| casework_fuzz::csv(data));
