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
use crate::v0_1::host::bounds::{PIECE, read_up_to};
use crate::v0_1::resources::LayerReader;

impl Host for State {
    fn pack_layers(
        &mut self,
        jobs: Vec<wit::LayerJob>,
    ) -> Result<Result<Vec<wit::PackedLayer>, types::StageError>> {
        let pack = |state: &mut Self| -> Result<_, types::StageError> {
            let archive = archive(state)?;
            let job =
                |job: wit::LayerJob| Ok(LayerJob { layer: job.layer, codec: convert::codec(job.codec)? });
            let jobs = jobs.into_iter().map(job).collect::<Result<Vec<_>, types::StageError>>()?;
            Ok(archive.pack_layers(&jobs)?.iter().map(Into::into).collect())
        };
        self.timed(|state| Ok(pack(state)))
    }
}

impl HostLayerReader for State {
    fn new(&mut self, layer: u32) -> Result<Resource<LayerReader>> {
        self.timed(|state| {
            let reader = archive(state).and_then(|archive| archive.open_layer(layer));
            let reader = reader.map_err(|error| format_err!("cannot read layer {layer}: {error}"))?;
            Ok(state.table.push(LayerReader(reader))?)
        })
    }

    fn read(
        &mut self,
        reader: Resource<LayerReader>,
        limit: u32,
    ) -> Result<Result<Vec<u8>, types::StageError>> {
        self.timed(|state| {
            let limit = PIECE.min(usize::try_from(limit)?);
            let reader = state.table.get_mut(&reader)?;
            let piece = read_up_to(&mut reader.0, limit);
            state.count_blob_bytes(piece.as_ref().map_or(0, Vec::len))?;
            Ok(piece.map_err(Into::into))
        })
    }

    fn drop(&mut self, reader: Resource<LayerReader>) -> Result<()> {
        self.table.delete(reader)?;
        Ok(())
    }
}

/// The capability. There is no grant for it: every call of `pack` has it, and `describe` has it not.
fn archive(state: &State) -> Result<Arc<dyn Archive>, StageError> {
    let denied = || StageError::Denied("only `pack` can pack layers".to_owned());
    state.capabilities.archive.clone().ok_or_else(denied)
}
