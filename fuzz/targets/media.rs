//! A picture and a sound.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| casework_fuzz::media(data));
