//! Finds, reads, checks and removes blobs by their digests.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use seed_disk::{CacheDirectory, Records, bounded};
use seed_model::{Digest, Hasher};
use serde::{Deserialize, Serialize};

use crate::store::error::StoreError;
use crate::store::writer::BlobWriter;

/// Reads for hashing and comparing come in pieces of this size.
const PIECE: usize = 256 << 10;

/// A content-addressed store of blobs. Cloning it gives another handle to the same directory.
#[derive(Clone, Debug)]
pub struct BlobStore {
    root: CacheDirectory,
    pub(super) blobs: CacheDirectory,
    pub(super) partial: CacheDirectory,
}

/// What the file system says about a blob's file. While it stays the same, the content that was checked once is
/// taken to be there still; any write, copy or restore of the file changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Fingerprint {
    size: u64,
    inode: u64,
    modified: (i64, i64),
}

impl BlobStore {
    /// Opens the store in `directory`, which is made if need be, for the current user only (mode 0700). It is refused
    /// where others could write into it.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        Self::within(CacheDirectory::open(directory)?)
    }

    /// The store in this directory.
    pub fn within(root: CacheDirectory) -> Result<Self, StoreError> {
        let (blobs, partial) = (root.directory("blobs/sha256")?, root.directory("partial")?);
        partial.remove_abandoned("")?;
        Ok(Self { root, blobs, partial })
    }

    /// The directory that was opened.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The records in the directory `name` of the store.
    pub fn records(&self, name: &str) -> Result<Records, StoreError> {
        Ok(Records::open(&self.root, name, &self.partial)?)
    }

    /// Whether the blob is there. Its content is not read.
    pub fn contains(&self, digest: Digest) -> bool {
        self.file(digest).is_ok()
    }

    /// The blob's size in bytes, or `None` where it is not in the store.
    pub fn size(&self, digest: Digest) -> Result<Option<u64>, StoreError> {
        match self.file(digest) {
            Ok(file) => {
                Ok(Some(file.metadata().map_err(StoreError::io("look at", self.path(digest)))?.len()))
            }
            Err(StoreError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens a blob's file in the directory that was checked, not by its path. Its content is not checked.
    pub fn file(&self, digest: Digest) -> Result<File, StoreError> {
        let missing = || StoreError::Missing { digest, store: self.root().to_owned() };
        let file = self.blobs.handle().read(&name(digest)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => missing(),
            _ => StoreError::io("open", self.path(digest))(error),
        })?;
        let metadata = file.metadata().map_err(StoreError::io("look at", self.path(digest)))?;
        if metadata.is_file() { Ok(file) } else { Err(missing()) }
    }

    /// A reader over `length` bytes from `offset`; fewer only at the blob's end. The content is not checked.
    pub fn range(&self, digest: Digest, offset: u64, length: u64) -> Result<io::Take<File>, StoreError> {
        let mut file = self.file(digest)?;
        file.seek(SeekFrom::Start(offset)).map_err(StoreError::io("read", self.path(digest)))?;
        Ok(file.take(length))
    }

    /// Reads a document of at most `limit` bytes, and checks its digest.
    pub fn document(&self, digest: Digest, limit: u64) -> Result<Vec<u8>, StoreError> {
        let path = self.path(digest);
        let file = self.file(digest)?;
        let size = file.metadata().map_err(StoreError::io("look at", &path))?.len();
        if size > limit {
            return Err(StoreError::TooLarge { digest, size, limit });
        }
        let content = bounded(file, limit).map_err(StoreError::io("read", &path))?;
        let found = Digest::of(&content);
        if found == digest { Ok(content) } else { Err(StoreError::Corrupt { path, found }) }
    }

    /// Puts a small document.
    pub fn put(&self, content: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(content);
        if self.document(digest, content.len() as u64).is_err() {
            let mut writer = self.writer()?;
            writer.write_all(content).map_err(StoreError::io("write", writer.path()))?;
            writer.finish()?;
        }
        Ok(digest)
    }

    /// Starts a blob that is written in pieces.
    pub fn writer(&self) -> Result<BlobWriter, StoreError> {
        BlobWriter::new(&self.blobs, &self.partial)
    }

    /// Reads the whole blob and compares its digest with its name.
    pub fn verify(&self, digest: Digest) -> Result<(), StoreError> {
        let path = self.path(digest);
        let mut file = self.file(digest)?;
        let mut hasher = Hasher::new();
        let mut piece = vec![0; PIECE];
        loop {
            match file.read(&mut piece).map_err(StoreError::io("read", &path))? {
                0 => break,
                length => hasher.update(&piece[..length]),
            }
        }
        let found = hasher.finish();
        if found == digest { Ok(()) } else { Err(StoreError::Corrupt { path, found }) }
    }

    /// Removes a blob, if it is there.
    pub fn remove(&self, digest: Digest) -> Result<(), StoreError> {
        self.blobs.handle().unlink(&name(digest)).map_err(StoreError::io("remove", self.path(digest)))
    }

    /// All blobs, sorted.
    pub fn list(&self) -> Result<Vec<Digest>, StoreError> {
        let mut digests = Vec::new();
        let entries = self.blobs.handle().entries().map_err(StoreError::io("list", self.blobs.path()))?;
        for (name, _) in entries {
            digests.extend(name.to_str().and_then(|hex| format!("sha256:{hex}").parse::<Digest>().ok()));
        }
        digests.sort_unstable();
        Ok(digests)
    }

    /// What the file system says about the blob now, or `None` where it is not in the store.
    pub(crate) fn fingerprint(&self, digest: Digest) -> Option<Fingerprint> {
        let metadata = self.file(digest).ok()?.metadata().ok()?;
        Some(Fingerprint {
            size: metadata.len(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        })
    }

    pub(crate) fn path(&self, digest: Digest) -> PathBuf {
        self.blobs.path().join(name(digest))
    }
}

/// The name of a blob's file.
fn name(digest: Digest) -> OsString {
    digest.hex().into()
}
