//! What a source gives for one system.

use std::path::PathBuf;

use seed_model::Closure;
use seed_nix::Realised;
use seed_oci::PathSpec;

/// What was built for one system.
#[derive(Debug)]
pub(crate) struct Built {
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
    pub(super) source: PathBuf,
    /// In the image, without slashes at its ends; empty for contents of the root.
    pub(super) target: String,
}

impl Place {
    /// Of a path that has the same place in the image as here.
    pub(super) fn in_store(path: &str) -> Self {
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
