//! Where images are read from: OCI layouts, tar archives of them, registries.
//!
//! Whatever a source gives has been checked against the digest and the size that it was asked by.

mod archive;
mod docker;
mod entries;
mod error;
mod layout;
mod reference;
mod registry;
mod unpack;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use seed_http::{Client, CredentialStore, Grants, Limits, Options};
use seed_model::{Descriptor, Digest, Hasher};

use crate::documents::MAX_DOCUMENT;

pub use entries::TarError;
pub(crate) use entries::{Entries, Entry, EntryType, Skip};
pub use error::SourceError;
pub use reference::{Reference, ReferenceError, RegistryReference};
pub use registry::RegistrySource;
pub use unpack::{ContentLimits, UnpackError};
pub(crate) use unpack::{Unpacked, is_tar, read_layer};

/// The most descriptors that are read from one listing.
const MAX_DESCRIPTORS: usize = 10_000;

/// A manifest or index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its media type, digest and size.
    pub descriptor: Descriptor,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// An image and what is about it.
pub trait Source: Send + Sync + fmt::Debug {
    /// Where this is, for messages: `ghcr.io/org/app`, `./result`.
    fn place(&self) -> String;

    /// The manifest or index that the reference names.
    fn resolve(&self) -> Result<Document, SourceError>;

    /// The manifest or index at another tag of the same place, if there is one.
    fn tagged(&self, tag: &str) -> Result<Option<Document>, SourceError>;

    /// A manifest or index by its descriptor.
    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError>;

    /// Writes a blob to `out`. When it fails, `out` may hold a part.
    fn copy(&self, blob: &Descriptor, out: &mut dyn Write) -> Result<(), SourceError>;

    /// Everything whose `subject` is this manifest. That a listing failed is an error, never an empty list.
    fn referrers(&self, subject: Digest) -> Result<Vec<Descriptor>, SourceError>;
}

/// Opens what `reference` names. `credentials` are for the registry, if it is one.
pub fn open(
    reference: &Reference,
    credentials: Arc<dyn CredentialStore>,
) -> Result<Box<dyn Source>, SourceError> {
    Ok(match reference {
        Reference::Layout { path, tag } => Box::new(layout::LayoutSource::directory(path, tag.clone())),
        Reference::Archive { path, tag } => Box::new(layout::LayoutSource::archive(path, tag.clone())?),
        Reference::Registry(reference) => {
            let grants = Grants::for_reading(&reference.registry)
                .map_err(|e| SourceError::Reference { text: reference.to_string(), reason: e.to_string() })?;
            let client = Client::new(Options {
                grants,
                credential_store: credentials,
                blobs: None,
                progress: None,
                limits: Limits::default(),
            });
            Box::new(RegistrySource::new(client, reference.clone()))
        }
    })
}

/// Hashes and counts what passes through, and refuses more bytes than there should be.
struct Checked<'a> {
    out: &'a mut dyn Write,
    expected: &'a Descriptor,
    hasher: Hasher,
    size: u64,
}

impl<'a> Checked<'a> {
    fn new(expected: &'a Descriptor, out: &'a mut dyn Write) -> Self {
        Self { out, expected, hasher: Hasher::new(), size: 0 }
    }

    /// Compares with the descriptor.
    fn finish(self, place: &str) -> Result<(), SourceError> {
        let actual = (self.hasher.finish(), self.size);
        if actual == (self.expected.digest, self.expected.size) {
            return Ok(());
        }
        Err(SourceError::Digest {
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
        if bytes.len() as u64 > self.expected.size - self.size {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than its descriptor says"));
        }
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
