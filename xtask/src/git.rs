//! Asking git.

use std::path::Path;
use std::process::Command;

use miette::{Result, bail, miette};

/// What git says about the repository in this directory.
pub(crate) fn git(repository: &Path, args: &[&str]) -> Result<Vec<u8>> {
    let mut command = Command::new("git");
    // Whoever runs this may have another repository in mind, such as a hook of git's.
    command.env_remove("GIT_DIR").env_remove("GIT_INDEX_FILE").env_remove("GIT_WORK_TREE");
    let output = command
        .arg("-C")
        .arg(repository)
        .args(args)
        .output()
        .map_err(|error| miette!("cannot run git: {error}"))?;
    if !output.status.success() {
        bail!("`git {}` failed: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output.stdout)
}
