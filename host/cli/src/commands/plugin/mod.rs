//! `seed plugin`.

pub(crate) mod inspect;

use clap::{Args, Subcommand};

/// Inspect plugins
#[derive(Debug, Args)]
pub(crate) struct PluginArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: PluginCommand,
}

/// What to do with a plugin.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    Inspect(inspect::InspectArgs),
}
