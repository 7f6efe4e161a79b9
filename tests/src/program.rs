//! The program under test.

use std::env;
use std::path::PathBuf;

/// The `seed` that cargo has built for the tests of its package.
pub fn seed_program() -> PathBuf {
    let program = env::var_os("CARGO_BIN_EXE_seed");
    program.expect("these tests belong to the package `seed`: run them with `cargo test --workspace`").into()
}
