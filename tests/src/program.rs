//! The program under test.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::repository::copy;

/// The plugins that tests use, which take a second to compile.
const BUILTINS: [&str; 5] =
    ["standard-layers", "oci-packer", "oci-layout", "cosign-signer", "registry-publisher"];

/// Where cargo has put the `seed` that it built for the tests of its package.
fn built() -> Option<PathBuf> {
    env::var_os("CARGO_BIN_EXE_seed").map(PathBuf::from)
}

/// The program under test.
pub fn seed_program() -> PathBuf {
    built().expect("these tests belong to the package `seed`: run them with `cargo test --workspace`")
}

/// Gives a cache the compiled plugins, which are compiled once for all tests. Without `seed` there are none.
pub(crate) fn add_compiled_plugins(cache: &Path) {
    static COMPILED: OnceLock<Option<PathBuf>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(|| {
        let program = built()?;
        // Beside what cargo makes, so that the next run of the tests has them too.
        let compiled = program.with_file_name("compiled-plugins");
        for name in BUILTINS {
            let mut inspect = Command::new(&program);
            inspect.args(["plugin", "inspect", "--json", &format!("builtin:{name}")]);
            assert!(inspect.env("SEED_CACHE_DIR", &compiled).output().unwrap().status.success(), "{name}");
        }
        Some(compiled)
    });
    if let Some(compiled) = compiled {
        let own = cache.join("aot");
        copy(&compiled.join("aot"), &own);
        fs::copy(compiled.join("key"), cache.join("key")).unwrap();
        // `seed` lets nobody else change what it runs.
        fs::set_permissions(own, fs::Permissions::from_mode(0o700)).unwrap();
    }
}
