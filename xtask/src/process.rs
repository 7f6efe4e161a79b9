//! Running other programs.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use miette::{Result, bail, miette};

use crate::paths::repository;

/// cargo, in the root of the repository, without the variables in which cargo describes this very program: ring's build
/// script looks at them, and would build everything above it anew for each program that runs cargo.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(repository()).args(args);
    for (name, _) in env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            command.env_remove(name);
        }
    }
    command
}

/// A program of this workspace, where cargo has put it: beside this one, whatever `CARGO_TARGET_DIR` says.
pub(crate) fn built(name: &str) -> Result<PathBuf> {
    let own = env::current_exe().map_err(|error| miette!("cannot find the path of this program: {error}"))?;
    Ok(own.with_file_name(name))
}

/// Runs a command with its output on this terminal; its failure is an error that shows the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| miette!("cannot run {}: {error}", shown(command)))?;
    if !status.success() {
        bail!("{} failed with {status}", shown(command));
    }
    Ok(())
}

/// The program and its arguments on one line; long scripts are cut.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let word = |word: &std::ffi::OsStr| match word.to_string_lossy() {
        text if text.contains('\n') => "…".to_owned(),
        text => text.into_owned(),
    };
    words.map(word).collect::<Vec<_>>().join(" ")
}
