//! `seed completions`.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::args::Cli;
use crate::error::CliError;
use crate::printer::Printer;

/// Print the completion script of a shell
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  seed completions bash > ~/.local/share/bash-completion/completions/seed
  seed completions zsh > \"${fpath[1]}/_seed\"
  seed completions fish > ~/.config/fish/completions/seed.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs, printer: &Printer) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "seed", &mut script);
    printer.data(&String::from_utf8_lossy(&script))?;
    Ok(())
}
