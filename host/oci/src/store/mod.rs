//! The blob store: `blobs/sha256/<hex>` files in one directory, shared by runs and by processes.
//!
//! A blob is written to `partial/`, synced and renamed, so that a name in `blobs/` always has all its bytes. What a
//! killed process left there, the next [`BlobStore::open`] removes.

mod blob_store;
mod error;
mod writer;

#[cfg(test)]
mod tests;

pub use blob_store::BlobStore;
pub(crate) use blob_store::Fingerprint;
pub use error::StoreError;
pub use writer::BlobWriter;
