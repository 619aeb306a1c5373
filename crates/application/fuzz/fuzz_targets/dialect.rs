#![no_main]

#[path = "../../tests/fuzz/dialect.rs"]
mod property;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| property::check(data));
