//! Links under fixed names.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use miette::{Result, miette};

/// Makes `name` a symbolic link to `target`, whatever it was before.
pub(super) fn link(target: &Path, name: &Path) -> Result<()> {
    if fs::read_link(name).is_ok_and(|current| current == target) {
        return Ok(());
    }
    let _ = fs::remove_file(name);
    symlink(target, name).map_err(|error| miette!("cannot link {}: {error}", name.display()))
}
