//! `seed cache`.

pub(crate) mod pull;

use clap::{Args, Subcommand};

/// Reuse builds from other machines
#[derive(Debug, Args)]
pub(crate) struct CacheArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: CacheCommand,
}

/// What to do with what was built elsewhere.
#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    Pull(pull::PullArgs),
}
