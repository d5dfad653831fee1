//! A condition in CEL, asked about a line.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| casework_fuzz::guard(data));
