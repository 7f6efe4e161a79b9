//! All that can end a command early.

use std::io;
use std::path::PathBuf;

use miette::Diagnostic;
use seed_engine::inspect::InspectError;
use seed_engine::pull::PullError;
use seed_engine::verify::VerifyError;
use seed_engine::{Category, EngineError};

use crate::exit::Exit;
use crate::printer::OutputError;

/// Why a command failed.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum CliError {
    /// The engine.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Engine(Box<EngineError>),
    /// An image that was to be inspected.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Inspect(Box<InspectError>),
    /// An image that was to be verified.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Verify(Box<VerifyError>),
    /// A build seed that was to be pulled.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Pull(Box<PullError>),
    /// Standard output.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Output(#[from] OutputError),
    /// No variable says where caches belong.
    #[error("no directory for the cache: neither `HOME` nor `XDG_CACHE_HOME` is set")]
    #[diagnostic(
        code("seed::cli::no-cache-directory"),
        help("name one: `--cache-dir DIR`, or `SEED_CACHE_DIR`")
    )]
    NoCacheDirectory,
    /// `seed init` would replace a file.
    #[error("`{}` is there already", path.display())]
    #[diagnostic(
        code("seed::cli::exists"),
        help(
            "write elsewhere with `--output FILE`, print only with `--output -`, or replace it with `--force`"
        )
    )]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// `seed init` cannot write its file.
    #[error("cannot write `{}`", path.display())]
    #[diagnostic(code("seed::cli::write"))]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `--use-seed` with several systems.
    #[error("a command runs in the seed of one system, and `--system` names several")]
    #[diagnostic(code("seed::cli::several-systems"), help("name one"))]
    SeveralSystems,
    /// There is no working directory.
    #[error("the working directory cannot be found")]
    #[diagnostic(code("seed::cli::directory"))]
    Directory(#[source] io::Error),
    /// The container engine's program, which worked a moment ago.
    #[error("cannot run `{program}`")]
    #[diagnostic(code("seed::cli::exec"))]
    Exec {
        /// The program.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// A signal asked us to stop.
    #[error("interrupted")]
    #[diagnostic(
        code("seed::cli::interrupted"),
        help("what was finished is in the cache: run it again to go on")
    )]
    Interrupted,
}

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        Self::Engine(Box::new(error))
    }
}

impl From<PullError> for CliError {
    fn from(error: PullError) -> Self {
        Self::Pull(Box::new(error))
    }
}

impl From<InspectError> for CliError {
    fn from(error: InspectError) -> Self {
        Self::Inspect(Box::new(error))
    }
}

impl From<VerifyError> for CliError {
    fn from(error: VerifyError) -> Self {
        Self::Verify(Box::new(error))
    }
}

impl CliError {
    /// The code that the process ends with.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Engine(error) => match error.category() {
                Category::Other => Exit::Failed,
                Category::Pipeline => Exit::Usage,
                Category::Source => Exit::Source,
                Category::Plugin => Exit::Plugin,
                Category::Pin => Exit::Pin,
                Category::Signature => Exit::Signing,
                Category::Publish => Exit::Publishing,
                Category::Rule => Exit::Rule,
            },
            Self::Interrupted => Exit::Interrupted,
            Self::Inspect(error) => match **error {
                InspectError::Reference(_) => Exit::Usage,
                InspectError::Failed { .. } => Exit::Failed,
            },
            Self::Verify(error) => verification(error),
            Self::Pull(error) => match &**error {
                PullError::Reference(_) | PullError::System(_) | PullError::NoLock { .. } => Exit::Usage,
                PullError::Tag { .. } | PullError::NotLocked { .. } | PullError::Lock(_) => Exit::Pin,
                PullError::Signature(error) => verification(error),
                PullError::Nix { .. } => Exit::Source,
                _ => Exit::Failed,
            },
            Self::Exists { .. } | Self::SeveralSystems => Exit::Usage,
            Self::Output(_)
            | Self::NoCacheDirectory
            | Self::Write { .. }
            | Self::Directory(_)
            | Self::Exec { .. } => Exit::Failed,
        }
    }
}

/// The code of an image that is not verified.
fn verification(error: &VerifyError) -> Exit {
    match error {
        VerifyError::Unsigned { .. } => Exit::Signing,
        VerifyError::Reference(_)
        | VerifyError::KeyFile { .. }
        | VerifyError::Key { .. }
        | VerifyError::SameKey { .. } => Exit::Usage,
        VerifyError::Image { .. } | VerifyError::Signatures { .. } => Exit::Failed,
    }
}
