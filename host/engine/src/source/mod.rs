//! Where store paths come from: a flake that Nix builds, plain directories, or a closure that was built before.

mod built;
mod closure;
mod directories;
mod flake;
mod progress;

use std::collections::BTreeMap;
use std::sync::Arc;

use seed_model::{OutputRequest, SourceKind};
use seed_report::{Kind, Report};

use crate::events::Events;
use crate::pipeline::{Pipeline, Source};
use crate::session::Session;

pub(crate) use built::Built;
use closure::ClosureError;
use directories::DirectoryError;
pub(crate) use flake::FlakeError;
pub(crate) use progress::NixProgress;

/// Why a source gives no paths.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(crate) enum SourceError {
    /// Nix, or what it says.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Flake(#[from] FlakeError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Closure(#[from] ClosureError),
}

impl Report for SourceError {
    fn kind(&self) -> Kind {
        match self {
            Self::Flake(error) => error.kind(),
            Self::Directory(error) => error.kind(),
            Self::Closure(error) => error.kind(),
        }
    }
}

/// A source that was found.
#[derive(Debug)]
pub(crate) enum OpenSource {
    /// A flake, resolved.
    Flake(Box<flake::OpenFlake>),
    Directories(directories::OpenDirectories),
    Closure(closure::OpenClosure),
}

impl OpenSource {
    /// Finds the source of `pipeline`. A flake is fetched, and evaluated as far as it must be.
    pub(crate) fn open(
        session: &Session,
        pipeline: &Pipeline,
        events: &Arc<Events>,
    ) -> Result<Self, SourceError> {
        Ok(match &pipeline.source {
            Source::Flake(flake) => {
                Self::Flake(Box::new(flake::OpenFlake::open(session, pipeline, flake, events)?))
            }
            Source::Directories(layers) => {
                Self::Directories(directories::OpenDirectories::open(pipeline, layers, events)?)
            }
            Source::Closure(files) => Self::Closure(closure::OpenClosure::open(pipeline, files)?),
        })
    }

    pub(crate) fn kind(&self) -> SourceKind {
        match self {
            Self::Flake(_) => SourceKind::Flake,
            Self::Directories(_) => SourceKind::Directories,
            Self::Closure(_) => SourceKind::Closure,
        }
    }

    /// Facts of the source.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        match self {
            Self::Flake(flake) => flake.variables(),
            Self::Directories(_) => BTreeMap::new(),
            Self::Closure(closure) => closure.variables(),
        }
    }

    /// The layers on offer for `system`.
    pub(crate) fn available(&self, system: &str) -> Result<Vec<OutputRequest>, SourceError> {
        Ok(match self {
            Self::Flake(flake) => flake.available(system)?,
            Self::Directories(directories) => directories.available(),
            Self::Closure(closure) => closure.available(),
        })
    }

    /// Builds what a selector chose.
    pub(crate) fn build(&self, system: &str, requests: &[OutputRequest]) -> Result<Built, SourceError> {
        Ok(match self {
            Self::Flake(flake) => flake.build(system, requests)?,
            Self::Directories(directories) => directories.build(requests)?,
            Self::Closure(closure) => closure.build(requests)?,
        })
    }
}
