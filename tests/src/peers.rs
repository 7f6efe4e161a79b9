//! Other people's programs.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// A peer that `cargo xtask test` has made available, such as `cosign-3`.
pub fn peer(name: &str) -> PathBuf {
    let directory = env::var_os("SEED_PEERS").expect("run these tests with `cargo xtask test --only e2e`");
    let path = PathBuf::from(directory).join(name);
    assert!(path.exists(), "the peer {name} is missing: run `cargo xtask test --only e2e`");
    path
}

/// The first line of `COMMAND --version`.
pub fn version_of(command: &mut Command) -> String {
    let output = command.arg("--version").output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().next().unwrap_or_default().to_owned()
}
