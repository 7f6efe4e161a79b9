//! The project's own tasks: `cargo xtask <task>`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking"))]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "tasks talk to a terminal")]

mod bench;
mod chroot;
mod copy;
mod demo;
mod docs;
mod examples;
mod fuzz;
mod git;
mod machine;
mod mutants;
mod nix_versions;
mod paths;
mod peers;
mod plugins;
mod process;
mod report;
mod sandbox;
mod survivors;
mod test;
mod tools;
mod wit;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::report::print_error;

/// The project's own tasks
///
/// Everything that a task makes is under `target/xtask`, or the directory that `SEED_XTASK_DIR` names. Each step first
/// looks for what is there already, so a second run is quick.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    Demo(demo::DemoArgs),
    Test(test::TestArgs),
    Plugins(plugins::PluginsArgs),
    Fuzz(fuzz::FuzzArgs),
    Mutants(mutants::MutantsArgs),
    Docs(docs::DocsArgs),
    Bench(bench::BenchArgs),
    Wit(wit::WitArgs),
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Demo(args) => demo::demo(&args),
        Task::Test(args) => test::test(&args),
        Task::Fuzz(args) => fuzz::fuzz(&args),
        Task::Mutants(args) => mutants::mutants(&args),
        Task::Plugins(args) => plugins::plugins(&args),
        Task::Docs(args) => docs::docs(&args),
        Task::Bench(args) => bench::bench(&args),
        Task::Wit(args) => wit::wit(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            print_error(&report);
            ExitCode::FAILURE
        }
    }
}
