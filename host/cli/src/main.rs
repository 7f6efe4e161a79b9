//! The `seed` command: reads the command line, asks the engine, renders its answer.
#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests fail by panicking"))]

mod args;
mod commands;
mod environment;
mod exit;
mod human;
mod interrupt;
mod password;
mod printer;
mod progress;
mod report;
mod session;
mod summary;
mod table;
mod terminal;
mod trace;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{CommandFactory as _, Parser as _};
use seed_engine::CompileJob;
use seed_report::Error;

use crate::args::{Cli, Command};
use crate::commands::cache::CacheCommand;
use crate::commands::plugin::PluginCommand;
use crate::exit::Exit;
use crate::printer::Printer;
use crate::session::Session;

fn main() -> ExitCode {
    if let Some(job) = CompileJob::from_arguments(environment::arguments()) {
        return compile(&job);
    }
    let cli = Cli::parse();
    let printer = Arc::new(Printer::new(&cli.global));
    if let Some(filter) = environment::trace_filter() {
        trace::start(&filter, &printer);
    }
    interrupt::listen(&printer);
    let network_time = Duration::from_secs(cli.global.network_timeout.into());
    let session = Session { printer: Arc::clone(&printer), network_time };
    let exit = match run(&cli.command, &session) {
        Ok(()) => Exit::Done,
        Err(error) => report::report(&interrupt::reason(error), &printer),
    };
    ExitCode::from(exit.code())
}

/// Compiles a plugin for another `seed`, which has started this one to do it, and to be able to end it.
fn compile(job: &CompileJob) -> ExitCode {
    match job.run(&mut io::stdin(), &mut io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            // If nobody listens, nobody wants the reason.
            let _ = io::stderr().write_all(reason.as_bytes());
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command, session: &Session) -> Result<(), Error> {
    match command {
        Command::Run(args) => commands::run::run(args, session),
        Command::Plan(args) => commands::plan::run(args, session),
        Command::Exec(args) => commands::exec::run(args, session),
        Command::Index(args) => commands::index::run(args, session),
        Command::Init(args) => commands::init::run(args, session),
        Command::Inspect(args) => commands::inspect::run(args, session),
        Command::Verify(args) => commands::verify::run(args, session),
        Command::Cache(args) => match &args.command {
            CacheCommand::Pull(args) => commands::cache::pull::run(args, session),
        },
        Command::Plugin(args) => match &args.command {
            PluginCommand::Inspect(args) => commands::plugin::inspect::run(args, session),
        },
        Command::Completions(args) => commands::completions::run(args, Cli::command(), session),
    }
}
