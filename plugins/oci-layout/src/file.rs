//! The files of a layout.

use seed_plugin::publisher::{File, FileContent};
use seed_plugin::{StageError, digest};

/// The file by which others know a layout directory.
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
