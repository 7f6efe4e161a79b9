//! `seed exec`, and `seed run --use-seed`, which is the same.

use std::env;
use std::io::{self, IsTerminal as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use miette::Diagnostic;
use seed_engine::{ContainerEngine, ExecOptions};
use seed_report::{Error, Kind, Report};

use crate::session::{self, EngineArgs, Session};

/// Run a command in the locked seed, without network
///
/// Uses the image whose digest `seed.lock` has for this machine's system. Reads it from the cache, from the files
/// that the pipeline writes or from the registries that it publishes to, and verifies its digest instead of trusting
/// tags. Docker or Podman, whichever works here, runs it without network. The command starts in `/work`, which is the
/// working directory; it is writable, and new files belong to you. The command gets your terminal, input, output and
/// signals, and `seed` exits with its exit code.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  seed exec -- nix build                     in a build seed: build this directory
  seed exec images/ci.toml -- make test      in the seed of another pipeline
  seed exec --no-entrypoint -- sh            a shell instead of what the image runs
  seed exec                                  what the image runs by itself")]
pub(crate) struct ExecArgs {
    /// The pipeline file whose lock names the image, or a directory that holds a `pipeline.toml`
    #[arg(default_value = "pipeline.toml")]
    pipeline: PathBuf,

    /// The Nix system whose image to use
    ///
    /// Default: this machine's; on macOS, the Linux system of the same processor.
    #[arg(long, value_name = "SYSTEM")]
    system: Option<String>,

    /// The container engine
    ///
    /// Default: Docker if it works, else Podman.
    #[arg(long, value_name = "ENGINE", value_enum)]
    container_engine: Option<EngineName>,

    /// Run the command directly instead of passing it to the image's entrypoint
    #[arg(long)]
    no_entrypoint: bool,

    /// The command and its arguments, passed to the image's entrypoint if it has one
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,

    #[command(flatten)]
    engine: EngineArgs,
}

/// A container engine on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum EngineName {
    /// Docker
    Docker,
    /// Podman
    Podman,
}

impl From<EngineName> for ContainerEngine {
    fn from(name: EngineName) -> Self {
        match name {
            EngineName::Docker => Self::Docker,
            EngineName::Podman => Self::Podman,
        }
    }
}

/// Why the container cannot be started.
#[derive(Debug, thiserror::Error, Diagnostic)]
enum StartError {
    /// There is no working directory.
    #[error("cannot find the working directory")]
    #[diagnostic(code("seed::cli::directory"))]
    Directory(#[source] io::Error),
    /// The container engine's program, which worked a moment ago.
    #[error("cannot run `{program}`")]
    #[diagnostic(code("seed::cli::exec"))]
    Exec { program: String, source: io::Error },
}

impl Report for StartError {
    fn kind(&self) -> Kind {
        Kind::Failed
    }
}

pub(crate) fn run(args: &ExecArgs, session: &Session) -> Result<(), Error> {
    let locked = Locked {
        pipeline: &args.pipeline,
        system: args.system.clone(),
        command: &args.command,
        container_engine: args.container_engine.map(Into::into),
        without_entrypoint: args.no_entrypoint,
    };
    start(&locked, &args.engine, session)
}

/// A command for the locked seed.
pub(super) struct Locked<'a> {
    /// The pipeline file.
    pub(super) pipeline: &'a Path,
    /// The system, if one is given.
    pub(super) system: Option<String>,
    /// The command.
    pub(super) command: &'a [String],
    /// The container engine, if one is given.
    pub(super) container_engine: Option<ContainerEngine>,
    /// Whether the command takes the place of the image's entrypoint.
    pub(super) without_entrypoint: bool,
}

/// Becomes the program that runs the container, so that terminal, signals and exit code are its own. Returns only where that
/// is not possible.
pub(super) fn start(locked: &Locked<'_>, engine: &EngineArgs, session: &Session) -> Result<(), Error> {
    let pipeline = session::pipeline(locked.pipeline)?;
    let options = ExecOptions {
        system: locked.system.clone(),
        command: locked.command.to_vec(),
        without_entrypoint: locked.without_entrypoint,
        engine: locked.container_engine,
        directory: env::current_dir().map_err(StartError::Directory)?,
        user: (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw()),
        terminal: io::stdin().is_terminal() && io::stdout().is_terminal(),
    };
    let mut command = session.engine(engine, None).exec(&pipeline, &options, session.progress())?;
    session.printer.end_progress();
    let source = command.exec();
    Err(StartError::Exec { program: command.get_program().to_string_lossy().into_owned(), source }.into())
}
