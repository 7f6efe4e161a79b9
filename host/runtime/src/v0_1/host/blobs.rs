//! Interface `blobs`.

use std::sync::Arc;

use seed_model::StageError;
use wasmtime::Result;
use wasmtime::component::Resource;

use crate::capabilities::{BlobWriter, Blobs};
use crate::state::State;
use crate::v0_1::bindings::seed::pipeline::blobs::{Host, HostWriter};
use crate::v0_1::bindings::seed::pipeline::types;
use crate::v0_1::convert;
use crate::v0_1::host::bounds::{DOCUMENT, DURABLE, OPEN, PIECE, read_up_to, too_long};
use crate::v0_1::resources::Writer;

impl Host for State {
    fn put(&mut self, content: Vec<u8>) -> Result<Result<String, types::StageError>> {
        let put = |state: &mut Self| {
            if content.len() > DOCUMENT {
                return Err(too_long("a document", content.len(), DOCUMENT));
            }
            Ok(blobs(state)?.put(&content)?.to_string())
        };
        self.counted(|state| {
            state.charge(DURABLE.saturating_add(content.len() as u64))?;
            state.count_bytes(content.len() as u64)?;
            Ok(put(state).map_err(Into::into))
        })
    }

    fn size(&mut self, digest: String) -> Result<Option<u64>> {
        self.counted(|state| {
            state.charge(OPEN)?;
            let digest = digest.parse().ok();
            Ok(digest.and_then(|digest| blobs(state).ok()?.size(digest)))
        })
    }

    fn read(
        &mut self,
        digest: String,
        offset: u64,
        limit: u32,
    ) -> Result<Result<Vec<u8>, types::StageError>> {
        let read = |state: &mut Self| -> Result<Vec<u8>, types::StageError> {
            let digest = convert::digest("digest", &digest)?;
            let blobs = blobs(state)?;
            let size = blobs
                .size(digest)
                .ok_or_else(|| StageError::Failed(format!("no blob {digest} in this run")))?;
            let limit = u64::from(limit).min(DOCUMENT as u64).min(size.saturating_sub(offset));
            let limit_bytes = usize::try_from(limit).expect("at most 4 MiB");
            if limit == 0 {
                return Ok(Vec::new());
            }
            Ok(read_up_to(&mut *blobs.open(digest, offset, limit)?, limit_bytes)?)
        };
        self.counted(|state| {
            state.charge(OPEN)?;
            let result = read(state);
            let read = result.as_ref().map_or(0, Vec::len) as u64;
            state.charge(read)?;
            state.count_bytes(read)?;
            Ok(result)
        })
    }
}

impl HostWriter for State {
    fn new(&mut self) -> Result<Resource<Writer>> {
        self.counted(|state| {
            state.charge(OPEN)?;
            state.open_stream()?;
            // A constructor has no error: the first use of the writer tells it.
            let writer = blobs(state).and_then(|blobs| blobs.writer());
            if writer.is_err() {
                state.close_stream();
            }
            Ok(state.table.push(Writer(writer))?)
        })
    }

    fn write(&mut self, writer: Resource<Writer>, content: Vec<u8>) -> Result<Result<(), types::StageError>> {
        self.counted(|state| {
            state.charge(content.len() as u64)?;
            state.count_bytes(content.len() as u64)?;
            let writer = state.table.get_mut(&writer)?;
            Ok(write(writer, &content).map_err(Into::into))
        })
    }

    fn finish(&mut self, writer: Resource<Writer>) -> Result<Result<String, types::StageError>> {
        self.counted(|state| {
            state.charge(DURABLE)?;
            let writer = state.table.get_mut(&writer)?;
            let finished = Err(StageError::Failed("the blob is already finished".to_owned()));
            let open = std::mem::replace(&mut writer.0, finished);
            if open.is_ok() {
                state.close_stream();
            }
            let digest = open.and_then(BlobWriter::finish);
            Ok(digest.map(|digest| digest.to_string()).map_err(Into::into))
        })
    }

    fn drop(&mut self, writer: Resource<Writer>) -> Result<()> {
        self.counted(|state| {
            if state.table.delete(writer)?.0.is_ok() {
                state.close_stream();
            }
            Ok(())
        })
    }
}

fn write(writer: &mut Writer, content: &[u8]) -> Result<(), StageError> {
    if content.len() > PIECE {
        return Err(too_long("a piece", content.len(), PIECE));
    }
    let writer = writer.0.as_mut().map_err(|error| error.clone())?;
    writer.write_all(content).map_err(|error| StageError::Failed(format!("cannot write the blob: {error}")))
}

/// The capability. There is no grant for it: every call of its stages has it, and `describe` has it not.
fn blobs(state: &State) -> Result<Arc<dyn Blobs>, StageError> {
    let denied = || StageError::Denied("blobs are not available in this call".to_owned());
    state.capabilities.blobs.clone().ok_or_else(denied)
}
