//! The project's own tasks: `cargo xtask <task>`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking"))]
#![allow(clippy::print_stdout, reason = "tasks talk to a terminal")]

mod chroot;
mod plugins;
mod process;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use miette::{Result, miette};

/// The project's own tasks.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build the default plugins with the reference toolchain into plugins/prebuilt
    Plugins(plugins::PluginsArgs),
}

fn main() -> Result<()> {
    match Cli::parse().task {
        Task::Plugins(args) => plugins::plugins(&args),
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
