//! A protocol, walked with whatever answers it takes.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| casework_fuzz::protocol(data));
