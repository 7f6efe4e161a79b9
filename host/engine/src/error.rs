//! Everything that can end a command of the engine.

use std::io;
use std::ops::Deref;
use std::path::PathBuf;

use miette::Diagnostic;
use seed_oci::documents::DocumentError;
use seed_oci::{PackError, StoreError};
use seed_runtime::RuntimeError;

use crate::commands::exec::ExecError;
use crate::commands::index::IndexError;
use crate::lock::{LockError, LockFileError};
use crate::pin::PinError;
use crate::pipeline::LoadError;
use crate::plugins::PluginError;
use crate::problem::Problems;
use crate::record::RecordError;
use crate::rules::RuleError;
use crate::source::SourceError;
use crate::stages::{ImageError, PublishError, SelectError, SignError, StageFailure};
use crate::vault::VaultError;

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
    /// The image breaks a rule: `max-size`, `[seed.forbid]`, or that nothing of Apple's SDKs is passed on.
    Rule,
}

/// Why a command of the engine failed. Small, as results go; what it holds quotes whole files.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error(transparent)]
#[diagnostic(transparent)]
pub struct EngineError(Box<ErrorKind>);

impl<E: Into<ErrorKind>> From<E> for EngineError {
    fn from(error: E) -> Self {
        Self(Box::new(error.into()))
    }
}

impl Deref for EngineError {
    type Target = ErrorKind;

    fn deref(&self) -> &ErrorKind {
        &self.0
    }
}

/// The kinds of [`EngineError`].
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum ErrorKind {
    /// The pipeline file cannot be had.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Load(#[from] LoadError),
    /// The pipeline file is wrong.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Problems(#[from] Problems),
    /// A command was asked for something that cannot be.
    #[error("{message}")]
    #[diagnostic(code("seed::usage"))]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        #[help]
        help: String,
    },
    /// The lock does not agree.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Lock(#[from] LockError),
    /// The pinned layers.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Pin(#[from] PinError),
    /// A plugin cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Plugin(#[from] PluginError),
    /// A key cannot be had.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Vault(#[from] VaultError),
    /// The source gives no paths.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Source(#[from] SourceError),
    /// Selection failed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Select(#[from] SelectError),
    /// What was built must not become an image.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Rule(#[from] RuleError),
    /// Packing failed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Pack(#[from] ImageError),
    /// The index could not be made.
    #[error("the index over the images cannot be made")]
    #[diagnostic(code("seed::pack::index"))]
    Index(#[from] DocumentError),
    /// Signing failed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Sign(#[from] SignError),
    /// Publishing failed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Publish(#[from] PublishError),
    /// Images cannot be composed to an index.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Compose(#[from] IndexError),
    /// The locked seed cannot be run.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Exec(#[from] ExecError),
    /// A record cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Record(#[from] RecordError),
    /// The engine of the plugins cannot be set up.
    #[error("plugins cannot be run")]
    #[diagnostic(code("seed::runtime::setup"))]
    Runtime {
        /// Why.
        source: RuntimeError,
        /// What to do.
        #[help]
        help: Option<String>,
    },
    /// The cache cannot be used.
    #[error("the cache in {} cannot be used", path.display())]
    #[diagnostic(code("seed::cache::unusable"))]
    Cache {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: CacheError,
        /// What to do.
        #[help]
        help: Option<String>,
    },
}

/// Why a cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The blob store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The packer cannot start.
    #[error(transparent)]
    Pack(#[from] PackError),
}

impl ErrorKind {
    /// What kind of failure it is.
    pub fn category(&self) -> Category {
        match self {
            Self::Load(_) | Self::Problems(_) | Self::Usage { .. } => Category::Pipeline,
            Self::Lock(error) => lock(error),
            Self::Pin(error) => match error {
                PinError::Nowhere => Category::Pipeline,
                PinError::Read { .. } | PinError::Write { .. } => Category::Other,
                PinError::Missing { .. } | PinError::Newer { .. } | PinError::Problems(_) => Category::Pin,
            },
            Self::Plugin(error) => match error {
                PluginError::Pin { .. } => Category::Pin,
                PluginError::Lock(error) => lock(error),
                PluginError::Config(_) => Category::Pipeline,
                PluginError::Bytes { .. } | PluginError::Refused { .. } | PluginError::Schema { .. } => {
                    Category::Plugin
                }
            },
            Self::Vault(_) => Category::Signature,
            Self::Source(_) | Self::Rule(RuleError::Unreadable { .. }) => Category::Source,
            Self::Select(error) => match error {
                SelectError::Failed(failure) => failure.category(),
                SelectError::Outputs { .. } | SelectError::Plan { .. } => Category::Plugin,
            },
            Self::Rule(_) => Category::Rule,
            Self::Pack(error) => match error {
                ImageError::Failed(failure) => failure.category(),
                ImageError::Pack { source: PackError::Tree(_), .. } => Category::Source,
                ImageError::Pack { .. } => Category::Other,
                ImageError::Annotation { .. }
                | ImageError::Documents { .. }
                | ImageError::LeftOut { .. }
                | ImageError::Foreign { .. } => Category::Plugin,
            },
            Self::Sign(error) => match error {
                SignError::Failed(failure) => failure.category(),
                SignError::Vault(_) | SignError::Refused { .. } => Category::Signature,
            },
            Self::Publish(error) => match error {
                PublishError::Failed(failure) => failure.category(),
                PublishError::Vault(_) => Category::Publish,
            },
            Self::Compose(error) => match error {
                IndexError::Name { .. }
                | IndexError::System { .. }
                | IndexError::Twice { .. }
                | IndexError::NoRecord { .. }
                | IndexError::Source { .. }
                | IndexError::Plugin { .. } => Category::Pipeline,
                IndexError::Missing { .. }
                | IndexError::Changed { .. }
                | IndexError::Reference(_)
                | IndexError::Unreadable { .. }
                | IndexError::Image { .. } => Category::Publish,
                IndexError::Store(_) => Category::Other,
            },
            Self::Exec(error) => match error {
                ExecError::NotLocked { .. } | ExecError::System { .. } | ExecError::Gone { .. } => {
                    Category::Pin
                }
                ExecError::NoContainers { .. } => Category::Pipeline,
                _ => Category::Other,
            },
            Self::Record(error) => match error {
                RecordError::Write { .. } => Category::Other,
                _ => Category::Pipeline,
            },
            Self::Index(_) | Self::Runtime { .. } | Self::Cache { .. } => Category::Other,
        }
    }
}

fn lock(error: &LockError) -> Category {
    match error {
        LockError::File(LockFileError::Read { .. } | LockFileError::Write { .. }) => Category::Other,
        _ => Category::Pin,
    }
}

impl From<StageFailure> for ErrorKind {
    fn from(failure: StageFailure) -> Self {
        Self::Publish(failure.into())
    }
}
