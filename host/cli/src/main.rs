//! The `seed` command: reads the command line, asks the engine, renders its answer.
#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests fail by panicking"))]

mod args;
mod commands;
mod error;
mod exit;
mod human;
mod interrupt;
mod password;
mod printer;
mod progress;
mod report;
mod session;
mod style;
mod summary;
mod table;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;

use crate::args::{Cli, Command};
use crate::commands::cache::CacheCommand;
use crate::commands::plugin::PluginCommand;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Printer;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Arc::new(Printer::new(&cli.global));
    interrupt::listen(&printer);
    let exit = match dispatch(&cli.command, &printer) {
        Ok(()) => Exit::Done,
        Err(error) => report::report(&interrupt::reason(error), &printer),
    };
    ExitCode::from(exit.code())
}

fn dispatch(command: &Command, printer: &Arc<Printer>) -> Result<(), CliError> {
    match command {
        Command::Run(args) => commands::run::run(args, printer),
        Command::Plan(args) => commands::plan::run(args, printer),
        Command::Exec(args) => commands::exec::run(args, printer),
        Command::Index(args) => commands::index::run(args, printer),
        Command::Init(args) => commands::init::run(args, printer),
        Command::Inspect(args) => commands::inspect::run(args, printer),
        Command::Verify(args) => commands::verify::run(args, printer),
        Command::Cache(args) => match &args.command {
            CacheCommand::Pull(args) => commands::cache::pull::run(args, printer),
        },
        Command::Plugin(args) => match &args.command {
            PluginCommand::Inspect(args) => commands::plugin::inspect::run(args, printer),
        },
        Command::Completions(args) => commands::completions::run(args, printer),
    }
}
