//! How much a component may hand over or take at once, and what the host's work for it costs.

use std::io::Read;

use seed_model::StageError;

/// The most bytes of a document or of a payload to sign: 4 MiB.
pub(super) const DOCUMENT: usize = 4 << 20;
/// The most bytes that are read or written at once in a stream: 1 MiB.
pub(super) const PIECE: usize = 1 << 20;

/// Fuel for a file that is looked for or opened.
pub(super) const OPEN: u64 = 50_000;
/// Fuel for a file that is synced to the disk.
pub(super) const DURABLE: u64 = 5_000_000;

/// Reads until `limit` bytes are there or the end is reached.
pub(super) fn read_up_to(reader: &mut dyn Read, limit: usize) -> Result<Vec<u8>, StageError> {
    let mut bytes = Vec::new();
    reader
        .take(limit as u64)
        .read_to_end(&mut bytes)
        .map_err(|error| StageError::Failed(format!("reading failed: {error}")))?;
    Ok(bytes)
}

/// The error for bytes that are more than a function takes.
pub(super) fn too_long(what: &str, length: usize, limit: usize) -> StageError {
    StageError::Failed(format!("{what} of {length} bytes is longer than the limit of {limit}"))
}
