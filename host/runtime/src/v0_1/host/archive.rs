//! Interface `archive`.

use std::sync::Arc;

use seed_model::{LayerJob, StageError};
use wasmtime::component::Resource;
use wasmtime::{Result, format_err};

use crate::capabilities::Archive;
use crate::state::State;
use crate::v0_1::bindings::seed::pipeline::archive::{self as wit, Host, HostLayerReader};
use crate::v0_1::bindings::seed::pipeline::types;
use crate::v0_1::convert;
use crate::v0_1::host::bounds::{OPEN, PIECE, read_up_to};
use crate::v0_1::resources::LayerReader;

/// Fuel for a layer that is looked up in the cache.
const JOB: u64 = 50_000;
/// The most bytes that a layer's reader makes before they are asked for.
const AHEAD: u64 = 16 << 20;

impl Host for State {
    fn pack_layers(
        &mut self,
        jobs: Vec<wit::LayerJob>,
    ) -> Result<Result<Vec<wit::PackedLayer>, types::StageError>> {
        let pack = |state: &mut Self, jobs: Vec<wit::LayerJob>| -> Result<_, types::StageError> {
            let archive = archive(state)?;
            let job =
                |job: wit::LayerJob| Ok(LayerJob { layer: job.layer, codec: convert::codec(job.codec)? });
            let jobs = jobs.into_iter().map(job).collect::<Result<Vec<_>, types::StageError>>()?;
            Ok(archive.pack_layers(&jobs)?.iter().map(Into::into).collect())
        };
        self.waiting(|state| {
            if let Ok(archive) = archive(state) {
                let sizes = jobs.iter().map(|job| archive.layer_size(job.layer));
                let total = sizes.fold(0, u64::saturating_add);
                state.charge(JOB.saturating_mul(jobs.len() as u64))?;
                state.count_bytes(total)?;
            }
            Ok(pack(state, jobs))
        })
    }
}

impl HostLayerReader for State {
    fn new(&mut self, layer: u32) -> Result<Resource<LayerReader>> {
        self.counted(|state| {
            state.open_stream()?;
            let failed = |error| format_err!("cannot read layer {layer}: {error}");
            let archive = archive(state).map_err(failed)?;
            // What may be read ahead, though the component wants only the first byte.
            let ahead = archive.layer_size(layer).min(AHEAD);
            state.charge(OPEN.saturating_add(ahead))?;
            state.count_bytes(ahead)?;
            let reader = archive.open_layer(layer).map_err(failed)?;
            Ok(state.table.push(LayerReader(Some(reader)))?)
        })
    }

    fn read(
        &mut self,
        reader: Resource<LayerReader>,
        limit: u32,
    ) -> Result<Result<Vec<u8>, types::StageError>> {
        self.counted(|state| {
            let limit = PIECE.min(usize::try_from(limit)?);
            let LayerReader(open) = state.table.get_mut(&reader)?;
            let Some(reader) = open else { return Ok(Ok(Vec::new())) };
            let piece = read_up_to(reader, limit);
            let length = piece.as_ref().map_or(0, Vec::len);
            if length < limit {
                // At its end, or broken: what it holds is given back, however long the component keeps the handle.
                *open = None;
                state.close_stream();
            }
            state.charge(length as u64)?;
            state.count_bytes(length as u64)?;
            Ok(piece.map_err(Into::into))
        })
    }

    fn drop(&mut self, reader: Resource<LayerReader>) -> Result<()> {
        self.counted(|state| {
            if state.table.delete(reader)?.0.is_some() {
                state.close_stream();
            }
            Ok(())
        })
    }
}

/// The capability. There is no grant for it: every call of `pack` has it, and `describe` has it not.
fn archive(state: &State) -> Result<Arc<dyn Archive>, StageError> {
    let denied = || StageError::Denied("only `pack` can pack layers".to_owned());
    state.capabilities.archive.clone().ok_or_else(denied)
}
