//! Running other programs.

use std::process::Command;

use miette::{Result, bail, miette};

/// Runs a command with its output on this terminal; its failure is an error that shows the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| miette!("cannot run {}: {error}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
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
