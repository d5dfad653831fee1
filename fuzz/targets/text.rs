//! Text that is drawn: made visible, wrapped, fitted, arranged.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| casework_fuzz::text(data));
