//! What the host does for a component, one file per interface.
//!
//! Each function counts its call, bounds what it was given, and asks the capability of the run. A capability that the
//! pipeline does not give is answered with `denied` and the line to add.

#![expect(unreachable_pub, reason = "the generated code exports the resources' types again")]

mod archive;
mod blobs;
mod files;
mod http;
mod keyring;
mod log;
mod progress;

pub use archive::LayerReader;
pub use blobs::Writer;
pub use progress::Task;

use std::io::Read;

use seed_model::StageError;

use super::bindings::seed::pipeline::{graph, plan, types};
use crate::state::State;

/// The most bytes of a document or of a payload to sign: 4 MiB.
const DOCUMENT: usize = 4 << 20;
/// The most bytes that are read or written at once in a stream: 1 MiB.
const PIECE: usize = 1 << 20;

impl types::Host for State {}
impl graph::Host for State {}
impl plan::Host for State {}

/// Reads until `limit` bytes are there or the end is reached.
fn read_up_to(reader: &mut dyn Read, limit: usize) -> Result<Vec<u8>, StageError> {
    let mut bytes = Vec::new();
    reader
        .take(limit as u64)
        .read_to_end(&mut bytes)
        .map_err(|error| StageError::Failed(format!("reading failed: {error}")))?;
    Ok(bytes)
}

/// The error for bytes that are more than a function takes.
fn too_long(what: &str, length: usize, limit: usize) -> StageError {
    StageError::Failed(format!("{what} of {length} bytes is longer than the limit of {limit}"))
}
