//! Compares ways to choose layers: what each sends again over the history of an image's packages.
//!
//! `cargo xtask bench --layers` runs it. Packages, their sizes, dependencies and the dates of their versions are Debian's
//! (`histories/`), put together as Nix would: a path has a new hash when anything in its closure changes.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report is what it is for")]

mod history;
mod image;
mod peers;
mod picture;
mod record;
mod replay;
mod report;
mod selector;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use miette::Result;

use crate::history::History;
use crate::selector::Selector;

/// Compare ways to choose layers, on update histories of real packages
#[derive(Debug, Parser)]
struct Args {
    /// The component that chooses the layers
    #[arg(long, value_name = "FILE", required_unless_present = "record")]
    selector: Option<PathBuf>,

    /// The history
    #[arg(long, value_name = "FILE")]
    history: PathBuf,

    /// How many layers each may make
    #[arg(long, value_name = "N", default_value_t = 64)]
    budget: usize,

    /// Draw the layers of one image into this SVG file instead
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,

    /// Write the history of the packages of this Debian system instead
    #[arg(long)]
    record: bool,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            eprintln!("error: {report}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<()> {
    let Some(component) = args.selector.filter(|_| !args.record) else {
        return record::record(&args.history);
    };
    let history = History::read(&args.history)?;
    let selector = Selector::load(&component, args.budget)?;
    match args.picture {
        Some(picture) => picture::draw(&picture, &history, &selector, args.budget),
        None => report::print(&history, &selector, args.budget),
    }
}
