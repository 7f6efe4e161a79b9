//! The command line. Doc comments here are the help that users read.

use std::path::PathBuf;

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::commands;
use crate::exit::Exit;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Turn Nix flakes into signed, reproducible OCI images
///
/// Nix builds; each later decision (which paths go in which layer, how a layer is packed, how the result is signed,
/// where it is published) is made by a sandboxed WebAssembly component that you can replace by one line of the
/// pipeline file.
#[derive(Debug, Parser)]
#[command(name = "seed", version, styles = STYLES, max_term_width = 100, propagate_version = false, after_long_help = format!("{START_HERE}\n\n{}", Exit::help()))]
pub(crate) struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: GlobalArgs,

    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const START_HERE: &str = "\
Start here:
  seed init            write a pipeline.toml for the flake in this directory
  seed plan            see layers, sizes and what is cached, without packing anything
  seed run             build, pack, sign and publish";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(commands::run::RunArgs),
    Plan(commands::plan::PlanArgs),
    Index(commands::index::IndexArgs),
    Exec(commands::exec::ExecArgs),
    Init(commands::init::InitArgs),
    Inspect(commands::inspect::InspectArgs),
    Verify(commands::verify::VerifyArgs),
    Cache(commands::cache::CacheArgs),
    Plugin(commands::plugin::PluginArgs),
    Completions(commands::completions::CompletionsArgs),
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Print the result, or the error, as one JSON document on standard output
    ///
    /// Each document has a number `schema` that changes when its shape does.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Print errors and the shortest result only
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

/// Options of the commands that read a pipeline or run plugins.
#[derive(Debug, Args)]
pub(crate) struct EngineArgs {
    /// Directory of the cache
    ///
    /// Default: `$SEED_CACHE_DIR`, or `seed` in `$XDG_CACHE_HOME`, or `~/.cache/seed`. It can be removed at any time.
    #[arg(long, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Compile every plugin anew instead of keeping machine code in the cache
    #[arg(long)]
    pub(crate) no_aot_cache: bool,
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use clap::CommandFactory as _;

    use super::*;

    /// The long help of `command` and of all below it, as a reader of the manual sees them.
    fn reference(command: &mut clap::Command, text: &mut String) {
        let help = command.render_long_help();
        let _ = writeln!(text, "## {}\n\n{help}", command.get_bin_name().unwrap_or("seed"));
        for subcommand in command.get_subcommands_mut().filter(|subcommand| subcommand.get_name() != "help") {
            reference(subcommand, text);
        }
    }

    #[test]
    fn the_command_line_is_consistent_and_its_help_reviewed() {
        let mut command = Cli::command().term_width(100);
        command.clone().debug_assert();
        command.build();
        let mut text = String::new();
        reference(&mut command, &mut text);
        insta::assert_snapshot!("reference", text);
    }
}
