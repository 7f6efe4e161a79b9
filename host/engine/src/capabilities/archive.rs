//! Packs the layers of one validated plan, on behalf of a packing plugin.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use seed_model::{Codec, LayerJob, PackedLayer, StageError, total};
use seed_oci::{LayerSpec, Origin, PackError, PackObserver, Packer};
use seed_runtime::capabilities::Archive;

use crate::capabilities::blobs::RunBlobs;
use crate::error_chain::with_causes;
use crate::events::{Events, TaskKind};

/// Jobs in one call: several codecs for each layer, and no more.
const MAX_JOBS: usize = 1024;

/// What a layer became.
#[derive(Clone, Debug)]
struct Packed {
    layer: PackedLayer,
    /// Whether it was found by its key.
    cached: bool,
}

/// The layers of one plan.
#[derive(Debug)]
pub(crate) struct PlanArchive {
    packer: Arc<Packer>,
    blobs: RunBlobs,
    events: Arc<Events>,
    system: String,
    /// The layers of the plan; their codec is that of the job.
    layers: Vec<LayerSpec>,
    /// What was packed, by index in the plan: once for each codec that the plugin asked for.
    packed: Mutex<BTreeMap<u32, Vec<Packed>>>,
    failure: Mutex<Option<PackError>>,
}

impl PlanArchive {
    /// `layers` are the plan's, in its order, with any codec.
    pub(crate) fn new(
        packer: Arc<Packer>,
        blobs: RunBlobs,
        events: Arc<Events>,
        system: &str,
        layers: Vec<LayerSpec>,
    ) -> Self {
        let system = system.to_owned();
        Self { packer, blobs, events, system, layers, packed: Mutex::default(), failure: Mutex::default() }
    }

    /// Whether this run packed `made` of the plan's layer with this index, and if so, whether it was found by its key.
    pub(crate) fn made(&self, layer: u32, made: &PackedLayer) -> Option<bool> {
        let packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        let found = packed.get(&layer)?.iter().find(|packed| packed.layer == *made)?;
        Some(found.cached)
    }

    /// A layer of the plan, as it would be packed.
    pub(crate) fn layer(&self, layer: u32) -> Option<LayerSpec> {
        self.layers.get(layer as usize).cloned()
    }

    /// Why packing failed, if it did: the plugin sees only its text.
    pub(crate) fn take_failure(&self) -> Option<PackError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The layer of a job.
pub(super) fn spec(layers: &[LayerSpec], layer: u32, codec: Codec) -> Result<LayerSpec, StageError> {
    let spec = layers.get(layer as usize).cloned().ok_or_else(|| {
        StageError::Failed(format!("no layer {layer}: the plan has {} layers", layers.len()))
    })?;
    Ok(LayerSpec { codec, ..spec })
}

/// About how many bytes the tar of a layer has; 0 where there is no such layer.
pub(super) fn size(layers: &[LayerSpec], layer: u32) -> u64 {
    layers.get(layer as usize).map_or(0, LayerSpec::tar_size)
}

/// The layers of `jobs`.
pub(super) fn specs(layers: &[LayerSpec], jobs: &[LayerJob]) -> Result<Vec<LayerSpec>, StageError> {
    if jobs.len() > MAX_JOBS {
        return Err(StageError::Failed(format!("a call can pack at most {MAX_JOBS} layers")));
    }
    jobs.iter().map(|job| spec(layers, job.layer, job.codec)).collect()
}

impl Archive for PlanArchive {
    fn pack_layers(&self, jobs: &[LayerJob]) -> Result<Vec<PackedLayer>, StageError> {
        let specs = specs(&self.layers, jobs)?;
        let size = total(specs.iter().map(LayerSpec::nar_size));
        let observer = Observer {
            archive: self,
            jobs,
            task: self.events.task(TaskKind::Pack, format!("packing {}", self.system), Some(size)),
        };
        let result = self.packer.pack(&specs, &observer);
        self.events.finish(observer.task);
        match result {
            Ok(packed) => {
                for layer in &packed {
                    self.blobs.admit(layer.descriptor.digest);
                }
                Ok(packed)
            }
            Err(error) => {
                let text = with_causes(&error);
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Err(StageError::Failed(text))
            }
        }
    }

    fn layer_size(&self, layer: u32) -> u64 {
        size(&self.layers, layer)
    }

    fn open_layer(&self, layer: u32) -> Result<Box<dyn Read + Send>, StageError> {
        let spec = spec(&self.layers, layer, Codec::None)?;
        Ok(Box::new(self.packer.open_tar(spec)))
    }
}

struct Observer<'a> {
    archive: &'a PlanArchive,
    jobs: &'a [LayerJob],
    task: u64,
}

impl PackObserver for Observer<'_> {
    fn read(&self, _layer: usize, bytes: u64) {
        self.archive.events.advance(self.task, bytes);
    }

    fn finished(&self, layer: usize, packed: &PackedLayer, origin: Origin) {
        let packed = Packed { layer: packed.clone(), cached: origin == Origin::Cached };
        let mut all = self.archive.packed.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry(self.jobs[layer].layer).or_default();
        // Who asks for the same a million times gets it, and it is kept once.
        if known.iter().all(|known| known.layer != packed.layer) {
            known.push(packed);
        }
    }
}
