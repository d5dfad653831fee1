//! The line of a client of a served desk, and an SSH key.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| casework_fuzz::tokenizer(data));
