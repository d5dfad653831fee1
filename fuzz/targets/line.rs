//! A prediction line, as it stands and through `modality`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| casework_fuzz::line(data));
