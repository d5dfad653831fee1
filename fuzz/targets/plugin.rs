//! What a plug-in answers, of every kind.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| casework_fuzz::plugin(data));
