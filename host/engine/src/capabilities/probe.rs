//! Finds out how a packing plugin would pack, without packing.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use seed_model::{Codec, LayerJob, PackedLayer, StageError};
use seed_oci::{LayerSpec, Packer};
use seed_runtime::capabilities::Archive;

use crate::capabilities::archive::{size, spec, specs};
use crate::error_chain::with_causes;

/// An archive that answers from the layer cache alone. Packing is a pure function, so what the plugin asks for here is
/// what it asks for in a run, up to the first layer that is not cached.
#[derive(Debug)]
pub(crate) struct PackProbe {
    packer: Arc<Packer>,
    layers: Vec<LayerSpec>,
    asked: Mutex<BTreeMap<u32, Codec>>,
}

impl PackProbe {
    /// `layers` are the plan's, in its order, with any codec.
    pub(crate) fn new(packer: Arc<Packer>, layers: Vec<LayerSpec>) -> Self {
        Self { packer, layers, asked: Mutex::default() }
    }

    /// The layers that the plugin asked for, with its codec for each.
    pub(crate) fn asked(&self) -> BTreeMap<u32, LayerSpec> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked
            .iter()
            .filter_map(|(layer, codec)| Some((*layer, spec(&self.layers, *layer, *codec).ok()?)))
            .collect()
    }
}

impl Archive for PackProbe {
    fn pack_layers(&self, jobs: &[LayerJob]) -> Result<Vec<PackedLayer>, StageError> {
        let specs = specs(&self.layers, jobs)?;
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.extend(jobs.iter().map(|job| (job.layer, job.codec)));
        let cached = |spec: &LayerSpec| match self.packer.lookup(spec) {
            Ok(Some(packed)) => Ok(packed),
            Ok(None) => Err(StageError::Failed("this layer has not been packed yet".to_owned())),
            Err(error) => Err(StageError::Failed(with_causes(&error))),
        };
        specs.iter().map(cached).collect()
    }

    fn layer_size(&self, layer: u32) -> u64 {
        size(&self.layers, layer)
    }

    fn open_layer(&self, layer: u32) -> Result<Box<dyn Read + Send>, StageError> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.insert(layer, Codec::None);
        Ok(Box::new(Unread))
    }
}

/// A layer whose bytes nobody wants to wait for.
struct Unread;

impl Read for Unread {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("a plan cannot read layers"))
    }
}
