//! Writes a blob in pieces; its name is known at the end.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use seed_disk::{CacheDirectory, Partial};
use seed_model::{Digest, Hasher};

use crate::store::error::StoreError;

/// A blob that is being written. Dropping it unfinished leaves nothing behind.
#[derive(Debug)]
pub struct BlobWriter {
    blobs: CacheDirectory,
    file: Partial,
    path: PathBuf,
    hasher: Hasher,
    size: u64,
}

impl BlobWriter {
    /// Starts a file in `partial`, which becomes one of `blobs`.
    pub(super) fn new(blobs: &CacheDirectory, partial: &CacheDirectory) -> Result<Self, StoreError> {
        let file = partial.partial()?;
        let path = partial.path().join(file.name());
        Ok(Self { blobs: blobs.clone(), file, path, hasher: Hasher::new(), size: 0 })
    }

    /// The partial file, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the blob durable and gives its digest and size.
    pub fn finish(self) -> Result<(Digest, u64), StoreError> {
        let digest = self.hasher.finish();
        let (file, blobs) = (self.file, self.blobs);
        file.persist(blobs.handle(), OsStr::new(&digest.hex()))
            .map_err(StoreError::io("write", self.path))?;
        blobs.handle().sync().map_err(StoreError::io("sync", blobs.path()))?;
        Ok((digest, self.size))
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.file.write(bytes)?;
        self.hasher.update(&bytes[..length]);
        self.size = self.size.saturating_add(length as u64);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
