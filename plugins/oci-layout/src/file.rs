//! The files of a layout.

use seed_plugin::publisher::{File, FileContent};
use seed_plugin::{StageError, digest};

/// A layout directory without this file is not ours, and the host refuses to replace it.
pub(crate) const MARKER: &str = "oci-layout";

/// Where a blob lies in a layout.
pub(crate) fn blob_path(digest: &str) -> Result<String, StageError> {
    let hex = digest::hex(digest)
        .ok_or_else(|| StageError::Failed(format!("`{digest}` is not a SHA-256 digest")))?;
    Ok(format!("blobs/sha256/{hex}"))
}

/// A document of the layout.
pub(crate) fn document(path: &str, bytes: Vec<u8>) -> File {
    File { path: path.to_owned(), content: FileContent::Bytes(bytes) }
}
