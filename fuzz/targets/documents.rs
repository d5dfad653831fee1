//! A glossary, traps, a recipe, a gate, a pipeline.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| casework_fuzz::documents(data));
