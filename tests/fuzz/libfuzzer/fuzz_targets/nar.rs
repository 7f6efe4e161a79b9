#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| seed_fuzz::run("nar", bytes));
