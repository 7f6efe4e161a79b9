//! Documents and blobs of images, from where they lie into the store.
//!
//! All that is kept was compared with its digest. A blob whose file in the store is damaged is fetched again, and one
//! that breaks off leaves nothing behind; a registry that knows ranges sends only the rest.

use seed_model::{Descriptor, Digest};

use crate::document::media_type::is_document;
use crate::location::{Location, LocationError};
use crate::store::{BlobStore, StoreError};

/// Why a blob is not in the store.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be read where it lies.
    #[error(transparent)]
    Location(#[from] LocationError),
}

/// Whether the store has the blob, with its size and its digest. Reads all of it.
pub fn is_kept(store: &BlobStore, blob: &Descriptor) -> Result<bool, StoreError> {
    if store.size(blob.digest)? != Some(blob.size) {
        return Ok(false);
    }
    match store.verify(blob.digest) {
        Ok(()) => Ok(true),
        Err(StoreError::Corrupt { .. } | StoreError::Missing { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A document of at most `limit` bytes from the store; `None` if it is missing or damaged.
pub fn kept(store: &BlobStore, digest: Digest, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
    match store.document(digest, limit) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(StoreError::Missing { .. } | StoreError::Corrupt { .. } | StoreError::TooLarge { .. }) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Makes the store have a blob of `location`: a manifest or index, a configuration, a layer, a component.
pub fn fetch(store: &BlobStore, blob: &Descriptor, location: &dyn Location) -> Result<(), FetchError> {
    if is_kept(store, blob)? {
        return Ok(());
    }
    if is_document(&blob.media_type) {
        store.put(&location.manifest(blob)?)?;
        return Ok(());
    }
    let mut writer = store.writer()?;
    location.copy(blob, &mut writer)?;
    writer.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests;
