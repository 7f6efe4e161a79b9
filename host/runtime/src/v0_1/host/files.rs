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

/// The longest path that a message shows, in bytes.
const PATH: usize = 200;

impl Host for State {
    fn write_directory(
        &mut self,
        path: String,
        marker: String,
        files: Vec<wit::File>,
    ) -> Result<Result<wit::Written, types::StageError>> {
        let write = |state: &mut Self| -> Result<Written, types::StageError> {
            let files = convert::files(files)?;
            Ok(capability(state, &path)?.write_directory(&path, &marker, &files)?)
        };
        self.timed(|state| Ok(write(state).map(Into::into)))
    }

    fn write_tar(
        &mut self,
        path: String,
        files: Vec<wit::File>,
    ) -> Result<Result<wit::Written, types::StageError>> {
        let write = |state: &mut Self| -> Result<Written, types::StageError> {
            let files = convert::files(files)?;
            Ok(capability(state, &path)?.write_tar(&path, &files)?)
        };
        self.timed(|state| Ok(write(state).map(Into::into)))
    }
}

fn capability(state: &State, path: &str) -> Result<Arc<dyn Files>, StageError> {
    state.capabilities.files.clone().ok_or_else(|| {
        let path = printable(path, PATH);
        StageError::Denied(state.denied(&format!("writing `{path}`"), &format!("write = [{path:?}]")))
    })
}
