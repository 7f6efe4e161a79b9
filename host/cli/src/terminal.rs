//! What the command line says of the terminal. Doc comments here are the help that users read.

use clap::{ArgAction, Args, ValueEnum};

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Print the result, or the error, as one JSON document on standard output
    ///
    /// Each document has a `schema` number, which changes with each incompatible change.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Print only errors and the shortest result
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Print more: -v for plugin messages and build output, -vv for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// When to use colours
    ///
    /// `auto` uses them on a terminal, and follows the variables `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE`.
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value = "auto")]
    pub(crate) color: ColorWhen,

    /// How to show progress
    ///
    /// `auto` draws bars on a terminal, and prints a line per event in CI and into files.
    #[arg(long, global = true, value_name = "HOW", value_enum, default_value = "auto")]
    pub(crate) progress: ProgressWhen,

    /// Seconds that all requests to registries and other servers may take together
    ///
    /// The time passes only while a request is on its way, so builds take nothing of it.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 7200)]
    pub(crate) network_timeout: u32,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On terminals
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

/// How to show progress.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ProgressWhen {
    /// Bars on terminals, lines elsewhere
    Auto,
    /// Bars
    Bar,
    /// One line per event
    Plain,
    /// Nothing
    None,
}
