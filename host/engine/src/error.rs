//! Everything that can end a command of the engine.

use miette::Diagnostic;

use crate::pipeline::LoadError;
use crate::problem::Problems;

/// What kind of failure it is. The command line gives each its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// Anything that has no category of its own, such as a full disk.
    Other,
    /// The pipeline file, or a plugin's configuration in it.
    Pipeline,
    /// The source does not evaluate or build.
    Source,
    /// A plugin was refused, failed, or hit a limit.
    Plugin,
    /// A pin or the lock does not agree with what was found.
    Pin,
    /// Signing failed, or a signature is wrong.
    Signature,
    /// Publishing failed.
    Publish,
}

/// Why a command of the engine failed.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum EngineError {
    /// The pipeline file cannot be had.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Load(#[from] LoadError),
    /// The pipeline file is wrong.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Problems(#[from] Problems),
    /// Not built yet; leaves with the last method that says so.
    #[error("this command is not built yet")]
    Unfinished,
}

impl EngineError {
    /// What kind of failure it is.
    pub fn category(&self) -> Category {
        match self {
            Self::Unfinished => Category::Other,
            Self::Load(_) | Self::Problems(_) => Category::Pipeline,
        }
    }
}
