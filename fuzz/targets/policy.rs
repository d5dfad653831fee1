//! Settings of a policy.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| casework_fuzz::policy(data));
