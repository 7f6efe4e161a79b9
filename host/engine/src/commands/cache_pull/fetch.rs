//! Reads layers, several at once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use seed_model::StorePath;
use seed_oci::location::Location;
use seed_oci::restore::{BuildSeed, RestoreError};

use crate::events::{Events, TaskKind};

/// Layers that are read at once: a registry gives a few connections more than one, and not more for many.
const MAX_LANES: usize = 4;

/// Where layers come from, and where their store paths go.
pub(super) struct Fetch<'a> {
    pub(super) location: &'a dyn Location,
    pub(super) seed: &'a BuildSeed,
    pub(super) events: &'a Events,
    pub(super) directory: PathBuf,
}

impl Fetch<'_> {
    /// Writes the NARs of the store paths of each layer.
    pub(super) fn layers(&self, layers: &BTreeMap<usize, Vec<&StorePath>>) -> Result<(), RestoreError> {
        let jobs: Vec<_> = layers.iter().collect();
        let next = AtomicUsize::new(0);
        let failure = Mutex::new(None);
        let lane = || {
            while let Some((layer, paths)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Err(error) = self.layer(**layer, paths) {
                    // The others end with the layer that they are at.
                    next.store(jobs.len(), Ordering::Relaxed);
                    failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..MAX_LANES.min(jobs.len()) {
                scope.spawn(lane);
            }
        });
        failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    fn layer(&self, layer: usize, paths: &[&StorePath]) -> Result<(), RestoreError> {
        let size = self.seed.layer_size(layer);
        let task =
            self.events.task(TaskKind::Fetch, format!("layer {}", layer.saturating_add(1)), Some(size));
        let restored = self.seed.restore(self.location, layer, paths, &self.directory);
        self.events.advance(task, size);
        self.events.finish(task);
        restored
    }
}
