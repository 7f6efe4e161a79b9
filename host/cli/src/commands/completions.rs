//! `seed completions`.

use clap::{Args, Command};
use clap_complete::Shell;
use seed_report::Error;

use crate::session::Session;

/// Print a shell completion script
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

/// `command` is the whole command line.
pub(crate) fn run(args: &CompletionsArgs, mut command: Command, session: &Session) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "seed", &mut script);
    session.printer.file(&String::from_utf8_lossy(&script))?;
    Ok(())
}
