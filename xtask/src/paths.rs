//! Where things are.

use std::fs;
use std::path::{Path, PathBuf};

use miette::{Result, miette};

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// Where tasks keep what they make: `target/xtask`, or `SEED_XTASK_DIR`.
pub(crate) fn state_directory() -> Result<PathBuf> {
    let directory = match std::env::var_os("SEED_XTASK_DIR") {
        Some(directory) => PathBuf::from(directory),
        None => repository().join("target/xtask"),
    };
    fs::create_dir_all(&directory)
        .map_err(|error| miette!("cannot create {}: {error}", directory.display()))?;
    fs::canonicalize(&directory).map_err(|error| miette!("{}: {error}", directory.display()))
}
