//! `cargo xtask wit`: keeps released versions of the contract as they were.

mod check;
mod contract;
mod fixtures;
mod freeze;
mod frozen;
mod git;
#[cfg(test)]
mod tests;

use clap::{Args, Subcommand};
use miette::Result;

use crate::paths::repository;

/// Freeze a version of the contract, or check that frozen ones are as they were
///
/// wit/README.md says what may change in a version, and how to release one.
#[derive(Debug, Args)]
pub(crate) struct WitArgs {
    #[command(subcommand)]
    task: WitTask,
}

#[derive(Debug, Subcommand)]
enum WitTask {
    /// Copy wit/ to wit/frozen/VERSION, with a component for each world, and the hashes of all
    Freeze {
        /// The version of the contract, such as 0.1.0: the one that wit/ says
        version: String,
    },
    /// Fail if a frozen version differs from its tag by one byte, or the fixtures from wit/
    Check,
}

/// Does one of them.
pub(crate) fn wit(args: &WitArgs) -> Result<()> {
    match &args.task {
        WitTask::Freeze { version } => freeze::freeze(&repository(), version),
        WitTask::Check => check(),
    }
}

/// Fails if a frozen version of the contract differs from its tag.
pub(crate) fn check() -> Result<()> {
    check::check(&repository())
}
