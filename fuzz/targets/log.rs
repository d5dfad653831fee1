//! A log line, and every kind of wrapped log.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| casework_fuzz::log(data));
