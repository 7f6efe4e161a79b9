//! Interface `files`.

use std::sync::Arc;

use seed_model::{StageError, Written};
use wasmtime::Result;

use crate::capabilities::Files;
use crate::state::State;
use crate::text::printable;
use crate::v0_1::bindings::seed::pipeline::files::{self as wit, Host};
use crate::v0_1::bindings::seed::pipeline::types;
use crate::v0_1::convert;

/// What a file counts beside its content, in bytes: making and syncing one takes milliseconds.
const FILE: u64 = 256 << 10;
/// The longest path that a message shows, in bytes.
const PATH: usize = 200;

impl Host for State {
    fn write_directory(
        &mut self,
        path: String,
        marker: String,
        files: Vec<wit::File>,
    ) -> Result<Result<wit::Written, types::StageError>> {
        self.waiting(|state| {
            count(state, &files)?;
            let write = || -> Result<Written, types::StageError> {
                let files = convert::files(files)?;
                Ok(capability(state, &path)?.write_directory(&path, &marker, &files)?)
            };
            Ok(write().map(Into::into))
        })
    }

    fn write_tar(
        &mut self,
        path: String,
        files: Vec<wit::File>,
    ) -> Result<Result<wit::Written, types::StageError>> {
        self.waiting(|state| {
            count(state, &files)?;
            let write = || -> Result<Written, types::StageError> {
                let files = convert::files(files)?;
                Ok(capability(state, &path)?.write_tar(&path, &files)?)
            };
            Ok(write().map(Into::into))
        })
    }
}

/// Counts what is about to be written: each file with its content, whose blob may be in the list many times.
fn count(state: &mut State, files: &[wit::File]) -> Result<()> {
    let mut total = 0_u64;
    for file in files {
        let content = match &file.content {
            wit::Content::Bytes(bytes) => bytes.len() as u64,
            wit::Content::Blob(digest) => {
                let blobs = state.capabilities.blobs.as_ref();
                blobs.zip(digest.parse().ok()).and_then(|(blobs, digest)| blobs.size(digest)).unwrap_or(0)
            }
        };
        total = total.saturating_add(content).saturating_add(FILE);
    }
    state.count_bytes(total)
}

fn capability(state: &State, path: &str) -> Result<Arc<dyn Files>, StageError> {
    state.capabilities.files.clone().ok_or_else(|| {
        let path = printable(path, PATH);
        StageError::Denied(state.denied(&format!("writing `{path}`"), &format!("write = [{path:?}]")))
    })
}
