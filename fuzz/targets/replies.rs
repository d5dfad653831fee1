//! What a terminal sends: keys, pastes, replies.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| casework_fuzz::replies(data));
