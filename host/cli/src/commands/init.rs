//! `seed init`.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::args::EngineArgs;
use crate::error::CliError;
use crate::printer::Printer;
use crate::session;

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
    /// The flake, as Nix takes it; relative paths begin at the directory of the written file
    #[arg(default_value = ".")]
    flake: String,

    /// Where to write, or `-` for standard output
    #[arg(short, long, value_name = "FILE", default_value = "pipeline.toml")]
    output: PathBuf,

    /// Replace the file if it is there
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    engine: EngineArgs,
}

pub(crate) fn run(args: &InitArgs, printer: &Arc<Printer>) -> Result<(), CliError> {
    let print = args.output.as_os_str() == "-";
    if !print && !args.force && args.output.exists() {
        return Err(CliError::Exists { path: args.output.clone() });
    }
    let directory = match args.output.parent() {
        Some(parent) if !print && !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let text = session::engine(&args.engine, None, printer)?.init(&args.flake, directory)?;
    if print {
        printer.data(&text)?;
    } else {
        write(directory, args, &text)
            .map_err(|source| CliError::Write { path: args.output.clone(), source })?;
        printer.status(&format!("Wrote {}. Read it, then try `seed plan`.", args.output.display()));
    }
    Ok(())
}

/// Writes the whole file or nothing; readable as the umask says, as an editor would leave it.
fn write(directory: &Path, args: &InitArgs, text: &str) -> io::Result<()> {
    let mut file =
        tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    if args.force {
        file.persist(&args.output)?
    } else {
        file.persist_noclobber(&args.output)?
    };
    Ok(())
}
