//! A segment of entries or payloads, and a name on a store.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| casework_fuzz::segment(data));
