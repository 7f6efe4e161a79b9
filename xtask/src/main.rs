//! The project's own tasks: `cargo xtask <task>`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking"))]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "tasks talk to a terminal")]

mod bench;
mod chroot;
mod demo;
mod examples;
mod machine;
mod nix_versions;
mod peers;
mod plugins;
mod process;
mod test;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use miette::{Report, Result, miette};

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
    Bench(bench::BenchArgs),
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Demo(args) => demo::demo(&args),
        Task::Test(args) => test::test(&args),
        Task::Plugins(args) => plugins::plugins(&args),
        Task::Bench(args) => bench::bench(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            print_error(&report);
            ExitCode::FAILURE
        }
    }
}

fn print_error(report: &Report) {
    eprintln!("error: {report}");
    if let Some(help) = report.help() {
        eprintln!("help: {help}");
    }
}

/// The root of the repository.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// Where tasks keep what they make: `target/xtask`, or `SEED_XTASK_DIR`.
fn state_directory() -> Result<PathBuf> {
    let directory = match std::env::var_os("SEED_XTASK_DIR") {
        Some(directory) => PathBuf::from(directory),
        None => repository().join("target/xtask"),
    };
    fs::create_dir_all(&directory)
        .map_err(|error| miette!("cannot create {}: {error}", directory.display()))?;
    fs::canonicalize(&directory).map_err(|error| miette!("{}: {error}", directory.display()))
}
