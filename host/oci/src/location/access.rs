//! What every place that holds images gives: documents and blobs, checked against the descriptor that they were asked by.

use std::fmt;
use std::io::{self, Write};

use seed_model::{Descriptor, Digest, Hasher};

use crate::document::MAX_DOCUMENT;
use crate::location::error::LocationError;

/// A manifest or index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its media type, digest and size.
    pub descriptor: Descriptor,
    pub bytes: Vec<u8>,
}

/// An image and what is about it.
pub trait Location: Send + Sync + fmt::Debug {
    /// Where this is, for messages: `ghcr.io/org/app`, `./result`.
    fn place(&self) -> String;

    /// The manifest or index that the reference names.
    fn resolve(&self) -> Result<Document, LocationError>;

    /// The manifest or index at another tag of the same place, if there is one.
    fn tagged(&self, tag: &str) -> Result<Option<Document>, LocationError>;

    /// A manifest or index by its descriptor.
    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, LocationError>;

    /// Writes a blob to `out`. When it fails, `out` may hold a part.
    fn copy(&self, blob: &Descriptor, out: &mut dyn Write) -> Result<(), LocationError>;

    /// Reads a small blob, such as a configuration, of at most [`MAX_DOCUMENT`] bytes.
    fn read(&self, blob: &Descriptor) -> Result<Vec<u8>, LocationError> {
        if blob.size > MAX_DOCUMENT {
            return Err(LocationError::Document {
                what: blob.digest.to_string(),
                place: self.place(),
                reason: format!("it is larger than {MAX_DOCUMENT} bytes"),
            });
        }
        let mut bytes = Vec::new();
        self.copy(blob, &mut bytes)?;
        Ok(bytes)
    }

    /// Everything whose `subject` is this manifest. That a listing failed is an error, never an empty list.
    fn referrers(&self, subject: Digest) -> Result<Vec<Descriptor>, LocationError>;
}

/// Hashes and counts what passes through, and refuses more bytes than there should be.
pub(super) struct Checked<'a> {
    out: &'a mut dyn Write,
    expected: &'a Descriptor,
    hasher: Hasher,
    size: u64,
}

impl<'a> Checked<'a> {
    pub(super) fn new(expected: &'a Descriptor, out: &'a mut dyn Write) -> Self {
        Self { out, expected, hasher: Hasher::new(), size: 0 }
    }

    /// Compares with the descriptor.
    pub(super) fn finish(self, place: &str) -> Result<(), LocationError> {
        let actual = (self.hasher.finish(), self.size);
        if actual == (self.expected.digest, self.expected.size) {
            return Ok(());
        }
        Err(LocationError::Digest {
            place: place.to_owned(),
            expected: self.expected.digest,
            expected_size: self.expected.size,
            actual: actual.0,
            actual_size: actual.1,
        })
    }
}

impl Write for Checked<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.expected.size.saturating_sub(self.size) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than its descriptor says"));
        }
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size = self.size.saturating_add(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
