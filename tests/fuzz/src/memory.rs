//! A place that holds an image in memory.

use std::collections::BTreeMap;
use std::io::Write;

use seed_model::{Descriptor, Digest};
use seed_oci::location::{Document, Location, LocationError};

/// Blobs by their digests, and the descriptor of the image.
#[derive(Debug)]
pub(crate) struct Memory {
    root: Descriptor,
    blobs: BTreeMap<Digest, Vec<u8>>,
}

impl Memory {
    /// An image of one document.
    pub(crate) fn of(media_type: &str, bytes: &[u8]) -> Self {
        let mut memory = Self { root: Descriptor::of(media_type, bytes), blobs: BTreeMap::new() };
        memory.add(bytes);
        memory
    }

    /// Adds a blob.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.blobs.insert(Digest::of(bytes), bytes.to_vec());
    }

    fn find(&self, digest: Digest) -> Result<&Vec<u8>, LocationError> {
        let (place, name) = (self.place(), digest.to_string());
        self.blobs.get(&digest).ok_or(LocationError::NotFound { place, name, known: Vec::new() })
    }
}

impl Location for Memory {
    fn place(&self) -> String {
        "memory".to_owned()
    }

    fn resolve(&self) -> Result<Document, LocationError> {
        Ok(Document { descriptor: self.root.clone(), bytes: self.find(self.root.digest)?.clone() })
    }

    fn tagged(&self, _: &str) -> Result<Option<Document>, LocationError> {
        Ok(None)
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, LocationError> {
        self.find(descriptor.digest).cloned()
    }

    fn copy(&self, blob: &Descriptor, out: &mut dyn Write) -> Result<(), LocationError> {
        let (place, digest) = (self.place(), blob.digest);
        out.write_all(self.find(digest)?).map_err(|source| LocationError::Copy { place, digest, source })
    }

    fn referrers(&self, _: Digest) -> Result<Vec<Descriptor>, LocationError> {
        Ok(Vec::new())
    }
}
