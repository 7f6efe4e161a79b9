//! Where store paths come from: a flake that Nix builds, plain directories, or a closure that was built before.

mod closure;
mod directories;
mod flake;
mod progress;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use seed_model::{Closure, OutputRequest, SourceKind};
use seed_nix::Realised;
use seed_oci::PathSpec;

use crate::events::Events;
use crate::pipeline::{Pipeline, Source};

pub use closure::ClosureError;
pub use directories::DirectoryError;
pub use flake::FlakeError;
pub(crate) use progress::NixProgress;

/// Why a source gives no paths.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SourceError {
    /// Nix, or what it says.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Flake(#[from] FlakeError),
    /// A directory.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Directory(#[from] DirectoryError),
    /// A closure.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Closure(#[from] ClosureError),
}

/// A source that was found.
#[derive(Debug)]
pub(crate) enum OpenSource {
    /// A flake, resolved.
    Flake(Box<flake::OpenFlake>),
    /// Directories.
    Directories(directories::OpenDirectories),
    /// A closure.
    Closure(closure::OpenClosure),
}

/// What was built for one system.
#[derive(Debug)]
pub(crate) struct Built {
    /// The paths.
    pub(crate) closure: Closure,
    /// Where each is on this machine, in the order of `closure.paths`.
    pub(crate) places: Vec<Place>,
    /// Keeps Nix from collecting them.
    pub(crate) _roots: Option<Realised>,
}

/// Where a path of a closure is, and where it goes.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// On this machine.
    source: PathBuf,
    /// In the image, without slashes at its ends; empty for contents of the root.
    target: String,
}

impl Place {
    /// Of a path that has the same place in the image as here.
    fn in_store(path: &str) -> Self {
        Self { source: PathBuf::from(path), target: path.trim_start_matches('/').to_owned() }
    }
}

impl Built {
    /// The path with this index, to pack.
    pub(crate) fn path_spec(&self, index: u32) -> PathSpec {
        let (path, place) = (&self.closure.paths[index as usize], &self.places[index as usize]);
        PathSpec {
            store_path: path.store_path.clone(),
            target: place.target.clone(),
            source: place.source.clone(),
            nar_hash: path.nar_hash,
            nar_size: path.nar_size,
        }
    }
}

impl OpenSource {
    /// Finds the source of `pipeline`. A flake is fetched, and evaluated as far as it must be.
    pub(crate) fn open(pipeline: &Pipeline, events: &Arc<Events>) -> Result<Self, SourceError> {
        Ok(match &pipeline.source {
            Source::Flake(flake) => Self::Flake(Box::new(flake::OpenFlake::open(pipeline, flake, events)?)),
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
