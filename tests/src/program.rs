//! The program under test.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The `seed` of the same build directory, brought up to date once per test run: `cargo test` builds the program only
/// for tests of its own package.
pub fn seed_program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut build = Command::new(env!("CARGO"));
        // In these cargo describes the test. ring's build script looks at them and would build everything anew.
        for (name, _) in env::vars_os() {
            let describes =
                |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
            if name.to_str().is_some_and(describes) {
                build.env_remove(name);
            }
        }
        let build = build
            .current_dir(repository)
            // The whole workspace, so that dependencies have the features that they have already.
            .args(["build", "--quiet", "--frozen", "--workspace", "--bin", "seed"])
            .status()
            .unwrap();
        assert!(build.success(), "seed cannot be built");
        // target/debug/deps/e2e-0123456789abcdef
        let test = env::current_exe().unwrap();
        test.ancestors().nth(2).unwrap().join("seed")
    })
}
