//! The blobs of one run: the store is shared by all runs, but a plugin sees only what belongs to its own.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use seed_model::{Digest, StageError};
use seed_oci::{BlobStore, StoreError};
use seed_runtime::capabilities::{BlobWriter, Blobs};

use crate::error_chain::with_causes;

/// A handle to the blobs of one run; clones share them.
#[derive(Clone, Debug)]
pub(crate) struct RunBlobs {
    store: BlobStore,
    /// What was packed, or put by a plugin, in this run.
    known: Arc<Mutex<BTreeSet<Digest>>>,
    /// What was read whole and found intact in this run, before it was sent away.
    verified: Arc<Mutex<BTreeSet<Digest>>>,
    /// Why the store failed last, if it did: a plugin sees only the text.
    failure: Arc<Mutex<Option<StoreError>>>,
}

impl RunBlobs {
    /// No blobs yet.
    pub(crate) fn new(store: BlobStore) -> Self {
        Self { store, known: Arc::default(), verified: Arc::default(), failure: Arc::default() }
    }

    /// The store behind it.
    pub(crate) fn store(&self) -> &BlobStore {
        &self.store
    }

    /// Makes a blob of the store part of this run.
    pub(crate) fn admit(&self, digest: Digest) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
    }

    /// Whether a blob belongs to this run.
    pub(crate) fn knows(&self, digest: Digest) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(&digest)
    }

    /// Why the store failed, if it did since the last time.
    pub(crate) fn take_failure(&self) -> Option<StoreError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn failed(&self, error: StoreError) -> StageError {
        StageError::Failed(self.note(error))
    }

    /// Keeps the error for [`take_failure`](Self::take_failure), and gives its text.
    fn note(&self, error: StoreError) -> String {
        let text = with_causes(&error);
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        text
    }

    /// Reads the blob whole, once in a run. A damaged one is removed, so that the next run builds it anew even where its
    /// file looks untouched. No lock is held meanwhile: others go on reading.
    fn verify(&self, digest: Digest) -> Result<(), StoreError> {
        if self.verified.lock().unwrap_or_else(PoisonError::into_inner).contains(&digest) {
            return Ok(());
        }
        let verified = self.store.verify(digest);
        match &verified {
            Ok(()) => {
                self.verified.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
            }
            Err(StoreError::Corrupt { .. }) => drop(self.store.remove(digest)),
            Err(_) => {}
        }
        verified
    }

    fn unknown(digest: Digest) -> String {
        format!("the blob {digest} does not belong to this run")
    }
}

impl Blobs for RunBlobs {
    fn put(&self, content: &[u8]) -> Result<Digest, StageError> {
        let digest = self.store.put(content).map_err(|error| self.failed(error))?;
        self.admit(digest);
        Ok(digest)
    }

    fn size(&self, digest: Digest) -> Option<u64> {
        if !self.knows(digest) {
            return None;
        }
        self.store.size(digest).ok().flatten()
    }

    fn open(&self, digest: Digest, offset: u64, length: u64) -> Result<Box<dyn Read + Send>, StageError> {
        if !self.knows(digest) {
            return Err(StageError::Failed(Self::unknown(digest)));
        }
        let range = self.store.range(digest, offset, length).map_err(|error| self.failed(error))?;
        Ok(Box::new(range))
    }

    fn writer(&self) -> Result<Box<dyn BlobWriter>, StageError> {
        let writer = self.store.writer().map_err(|error| self.failed(error))?;
        Ok(Box::new(RunWriter { blobs: self.clone(), writer }))
    }
}

impl seed_http::BlobSource for RunBlobs {
    fn open(&self, digest: Digest, offset: u64, length: u64) -> io::Result<Box<dyn Read + Send>> {
        if !self.knows(digest) {
            return Err(io::Error::other(Self::unknown(digest)));
        }
        let size = self.store.size(digest).map_err(io::Error::other)?;
        if offset.checked_add(length).is_none_or(|end| size.is_none_or(|size| end > size)) {
            return Err(io::Error::other(format!("the range {offset}+{length} exceeds the blob {digest}")));
        }
        let range = self.store.range(digest, offset, length).map_err(io::Error::other)?;
        Ok(Box::new(VerifiedRange { blobs: self.clone(), digest, range }))
    }
}

/// A range of a blob that leaves this machine: the blob is verified before the first byte of it does. That happens in
/// `read`, which may block, and not in `open`, which an event loop calls.
struct VerifiedRange {
    blobs: RunBlobs,
    digest: Digest,
    range: io::Take<File>,
}

impl Read for VerifiedRange {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.blobs.verify(self.digest).map_err(|error| io::Error::other(self.blobs.note(error)))?;
        self.range.read(buffer)
    }
}

/// A blob that a plugin writes in pieces.
struct RunWriter {
    blobs: RunBlobs,
    writer: seed_oci::BlobWriter,
}

impl Write for RunWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl BlobWriter for RunWriter {
    fn finish(self: Box<Self>) -> Result<Digest, StageError> {
        let Self { blobs, writer } = *self;
        let (digest, _) = writer.finish().map_err(|error| blobs.failed(error))?;
        blobs.admit(digest);
        Ok(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blobs_of_the_run_are_seen() {
        let directory = tempfile::tempdir().unwrap();
        let store = BlobStore::open(directory.path()).unwrap();
        let foreign = store.put(b"of another run").unwrap();
        let blobs = RunBlobs::new(store);
        assert_eq!(blobs.size(foreign), None);
        assert!(Blobs::open(&blobs, foreign, 0, 1).is_err());
        assert!(seed_http::BlobSource::open(&blobs, foreign, 0, 1).is_err());

        let mut writer = blobs.writer().unwrap();
        writer.write_all(b"own").unwrap();
        let own = writer.finish().unwrap();
        assert_eq!((own, blobs.size(own)), (Digest::of(b"own"), Some(3)));
        assert_eq!(blobs.clone().put(b"x").unwrap(), Digest::of(b"x"));
        let mut text = String::new();
        Blobs::open(&blobs, own, 1, 9).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "wn");
        assert!(seed_http::BlobSource::open(&blobs, own, 1, 9).is_err(), "a body has a known length");
    }

    #[test]
    fn what_is_sent_away_is_verified_first_and_removed_when_damaged() {
        let directory = tempfile::tempdir().unwrap();
        let store = BlobStore::open(directory.path()).unwrap();
        let blobs = RunBlobs::new(store.clone());
        let [good, bad] = [&b"good"[..], b"damaged"].map(|content| blobs.put(content).unwrap());
        let send = |digest, offset, length| {
            io::read_to_string(seed_http::BlobSource::open(&blobs, digest, offset, length).unwrap())
        };
        // The damage is not in the part that is sent.
        std::fs::write(directory.path().join("blobs/sha256").join(bad.hex()), b"damageD").unwrap();
        assert!(send(bad, 0, 3).unwrap_err().to_string().contains("is damaged"));
        assert!(matches!(blobs.take_failure(), Some(StoreError::Corrupt { .. })));
        assert!(!store.contains(bad));
        assert_eq!(
            (send(good, 0, 4).unwrap(), send(good, 2, 2).unwrap()),
            ("good".to_owned(), "od".to_owned())
        );
        assert!(blobs.take_failure().is_none());
    }
}
