//! `seed init`.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use miette::Diagnostic;
use seed_engine::InitOptions;
use seed_report::styled;
use seed_report::{Error, Kind, Report};

use crate::session::{EngineArgs, Session};

/// Write a commented pipeline file for a flake
///
/// Looks at the flake's outputs, without building any, and proposes what to put into the image.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  seed init                                  the flake in this directory
  seed init github:org/app                   another flake
  seed init --output -                       print it only")]
pub(crate) struct InitArgs {
    /// The flake reference; relative paths start at the directory of the written file
    #[arg(default_value = ".")]
    flake: String,

    /// Where to write, or `-` for standard output
    #[arg(short, long, value_name = "FILE", default_value = "pipeline.toml")]
    output: PathBuf,

    /// Replace the file if it exists
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    engine: EngineArgs,
}

/// Why the file is not written.
#[derive(Debug, thiserror::Error, Diagnostic)]
enum InitError {
    /// There is a file already.
    #[error("`{}` already exists", path.display())]
    #[diagnostic(
        code("seed::cli::exists"),
        help(
            "replace it with `--force`, write another file with `--output FILE`, or print it with `--output -`"
        )
    )]
    Exists { path: PathBuf },
    /// The operating system refused.
    #[error("cannot write `{}`", path.display())]
    #[diagnostic(code("seed::cli::write"))]
    Write { path: PathBuf, source: io::Error },
}

impl Report for InitError {
    fn kind(&self) -> Kind {
        match self {
            Self::Exists { .. } => Kind::Usage,
            Self::Write { .. } => Kind::Failed,
        }
    }
}

pub(crate) fn run(args: &InitArgs, session: &Session) -> Result<(), Error> {
    let print = args.output.as_os_str() == "-";
    if !print && !args.force && args.output.exists() {
        return Err(InitError::Exists { path: args.output.clone() }.into());
    }
    let directory = match args.output.parent() {
        Some(parent) if !print && !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let options = InitOptions { flake: args.flake.clone(), directory: directory.to_owned() };
    let text = session.engine(&args.engine, None).init(&options)?;
    if print {
        session.printer.file(&text)?;
    } else {
        // The whole file or nothing.
        let write = if args.force { seed_disk::replace } else { seed_disk::create };
        write(&args.output, text.as_bytes())
            .map_err(|source| InitError::Write { path: args.output.clone(), source })?;
        session.printer.status(&styled!("Wrote {}. Read it, then try `seed plan`.", args.output.display()));
    }
    Ok(())
}
