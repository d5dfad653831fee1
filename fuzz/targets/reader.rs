//! A file of any name, through every reader of predictions and of labels.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| casework_fuzz::reader(data));
