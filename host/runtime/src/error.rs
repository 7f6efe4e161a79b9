//! Why a component cannot be loaded, or why a call of it failed.

use std::fmt;

use seed_disk::DiskError;
use seed_model::{Digest, Stage, StageError};

use crate::inspect::ComponentError;
use crate::limits::LimitExceeded;

const SHAPE_HELP: &str = "build the component against the released `wit/` of its contract version";

/// Why [`Runtime::new`](crate::runtime::Runtime::new) failed.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The directory for compiled components cannot be trusted or used.
    #[error(transparent)]
    Aot(#[from] DiskError),
    /// wasmtime does not run on this machine with these limits.
    #[error("cannot set up the WebAssembly engine: {0}")]
    Engine(String),
}

impl RuntimeError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Aot(error) => error.help().map(str::to_owned),
            Self::Engine(_) => None,
        }
    }
}

/// Why [`Runtime::load`](crate::runtime::Runtime::load) failed.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The bytes are no component that this version of `seed` can run.
    #[error(transparent)]
    Inspect(#[from] ComponentError),
    /// A component for another stage.
    #[error(
        "the component targets the world `{}` of the stage `{}`, but `{}` requires the world `{}`",
        found.world(), found.section(), wanted.section(), wanted.world()
    )]
    WrongWorld {
        /// The stage that it is for.
        found: Stage,
        /// The stage that it was loaded for.
        wanted: Stage,
    },
    /// wasmtime refuses the component.
    #[error("invalid component {}: {reason}", digest.short())]
    Compile {
        /// The component.
        digest: Digest,
        /// wasmtime's words.
        reason: String,
    },
    /// A function or type of the component does not have the contract's shape.
    #[error("component {} does not match the world `{}`: {reason}", digest.short(), stage.world())]
    Shape {
        /// The component.
        digest: Digest,
        /// The stage that it was loaded for.
        stage: Stage,
        /// wasmtime's words.
        reason: String,
    },
    /// It takes too long to compile.
    #[error("cannot load component {}: {exceeded}", digest.short())]
    Limit {
        /// The component.
        digest: Digest,
        /// What was exceeded.
        exceeded: LimitExceeded,
    },
    /// `describe` failed.
    #[error(transparent)]
    Describe(Box<PluginError>),
}

impl LoadError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Inspect(error) => error.help(),
            Self::WrongWorld { found, wanted } => Some(format!(
                "use this component in `{}`, or name one that exports `seed:pipeline/{}` in `{}`",
                found.table(),
                wanted.interface(),
                wanted.table()
            )),
            Self::Compile { .. } => {
                Some("build the component again; run `wasm-tools validate` for details".to_owned())
            }
            Self::Shape { .. } => Some(SHAPE_HELP.to_owned()),
            Self::Limit { exceeded, .. } => Some(exceeded.help()),
            Self::Describe(error) => error.help(),
        }
    }
}

/// Who failed: what a component says of itself, and its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Name and version, once `describe` has given them.
    pub name: Option<(String, String)>,
    /// Digest of the component's bytes.
    pub digest: Digest,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = self.digest.short();
        match &self.name {
            Some((name, version)) => write!(f, "plugin `{name}` {version} ({digest})"),
            None => write!(f, "component {digest}"),
        }
    }
}

/// A call of a component that failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{plugin} failed in `{call}`: {failure}")]
pub struct PluginError {
    /// Who.
    pub plugin: Box<Identity>,
    pub stage: Stage,
    /// The function of the contract that was called.
    pub call: &'static str,
    pub failure: Failure,
    /// The last messages and lines that the component wrote, oldest first, fit to be printed.
    pub log_tail: Vec<String>,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The component gave an error of the contract.
    #[error(transparent)]
    Stage(StageError),
    /// It hit a limit.
    #[error(transparent)]
    Limit(LimitExceeded),
    /// It gave up: a panic, an abort, or a failed assertion of its toolchain.
    #[error("it panicked{}", .0.as_ref().map_or_else(String::new, |message| format!(": {message}")))]
    Panic(Option<String>),
    /// A function of it does not have the type that the contract gives it.
    #[error("its functions do not have the contract's types: {0}")]
    Shape(String),
    /// It called `exit`.
    #[error("it exited with {0} instead of returning a result")]
    Exit(ExitStatus),
    /// Another trap, or a breach of the component model's rules.
    #[error("it trapped: {0}")]
    Trap(String),
    /// What it returned does not obey the contract.
    #[error(transparent)]
    InvalidOutput(#[from] InvalidOutput),
    /// [`Runtime::cancel`](crate::runtime::Runtime::cancel) was called.
    #[error("it was cancelled")]
    Cancelled,
    /// The host could not start a thread for the call.
    #[error("cannot start a thread for it: {0}")]
    Thread(String),
}

impl PluginError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match &self.failure {
            Failure::Stage(StageError::Config(diagnostics)) => {
                diagnostics.iter().find_map(|diagnostic| diagnostic.help.clone())
            }
            Failure::Limit(exceeded) => Some(exceeded.help()),
            Failure::Panic(_) | Failure::Trap(_) | Failure::Exit(_) | Failure::InvalidOutput(_) => Some(
                "this is a bug in the plugin: report it to its authors, or use another version".to_owned(),
            ),
            Failure::Shape(_) => Some(SHAPE_HELP.to_owned()),
            Failure::Thread(_) => Some("free memory, or raise the process limit".to_owned()),
            Failure::Stage(_) | Failure::Cancelled => None,
        }
    }
}

/// How a component exited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// Success, as far as the component was concerned.
    Success,
    /// Failure without a code.
    Failure,
    /// This code.
    Code(u8),
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success => f.write_str("success"),
            Self::Failure => f.write_str("failure"),
            Self::Code(code) => write!(f, "code {code}"),
        }
    }
}

impl std::error::Error for ExitStatus {}

/// A value that a component returned and the contract forbids.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its result violates the contract: {field}: {reason}")]
pub struct InvalidOutput {
    /// The field of the result, such as `layers[2].descriptor.digest`.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

/// [`Runtime::cancel`](crate::runtime::Runtime::cancel) stops a component with this.
#[derive(Debug, thiserror::Error)]
#[error("cancelled")]
pub(crate) struct Cancelled;
