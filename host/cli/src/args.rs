//! The command line. Doc comments here are the help that users read.

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::{Parser, Subcommand};

use crate::commands::cache::CacheArgs;
use crate::commands::completions::CompletionsArgs;
use crate::commands::exec::ExecArgs;
use crate::commands::index::IndexArgs;
use crate::commands::init::InitArgs;
use crate::commands::inspect::InspectArgs;
use crate::commands::plan::PlanArgs;
use crate::commands::plugin::PluginArgs;
use crate::commands::run::RunArgs;
use crate::commands::verify::VerifyArgs;
use crate::exit::Exit;
use crate::terminal::GlobalArgs;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Turn Nix flakes into signed, reproducible OCI images
///
/// Nix builds the outputs. Sandboxed WebAssembly components then decide which paths go in which layer, how to pack
/// each layer, how to sign the result and where to publish it. You can replace each component with one line of the
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
    Run(RunArgs),
    Plan(PlanArgs),
    Index(IndexArgs),
    Exec(ExecArgs),
    Init(InitArgs),
    Inspect(InspectArgs),
    Verify(VerifyArgs),
    Cache(CacheArgs),
    Plugin(PluginArgs),
    Completions(CompletionsArgs),
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
