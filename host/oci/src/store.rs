//! The blob store: `blobs/sha256/<hex>` files in one directory, shared by runs and by processes.
//!
//! A blob is written to `partial/`, synced and renamed, so that a name in `blobs/` always has all its bytes. What a
//! killed process left there, the next [`BlobStore::open`] removes.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use seed_disk::{CacheDirectory, DiskError, Partial, Records, bounded};
use seed_model::{Digest, Hasher};
use serde::{Deserialize, Serialize};

/// Reads for hashing and comparing come in pieces of this size.
const PIECE: usize = 256 << 10;

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// There is no such blob.
    #[error("blob {digest} is not in the store `{}`", store.display())]
    Missing {
        /// The blob.
        digest: Digest,
        /// The store's directory.
        store: PathBuf,
    },
    /// A file's content is not what its name says.
    #[error("`{}` is damaged: its content has digest {found}", path.display())]
    Corrupt {
        /// The blob's file.
        path: PathBuf,
        /// The digest of what is in it.
        found: Digest,
    },
    /// A document is larger than whoever reads it can take.
    #[error("blob {digest} has {size} bytes, but a document of this kind may have {limit}")]
    TooLarge {
        /// The blob.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
}

impl StoreError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let error = DiskError::io(action, path);
        move |source| error(source).into()
    }

    /// What the user can do about it, where that is known.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Disk(error) => error.help(),
            Self::Corrupt { .. } => Some("run again: the damaged blob is built anew"),
            Self::Missing { .. } | Self::TooLarge { .. } => None,
        }
    }
}

/// A content-addressed store of blobs. Cloning it gives another handle to the same directory.
#[derive(Clone, Debug)]
pub struct BlobStore {
    root: CacheDirectory,
    blobs: CacheDirectory,
    partial: CacheDirectory,
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
        let root = CacheDirectory::open(directory)?;
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
        self.path(digest).is_file()
    }

    /// The blob's size in bytes, or `None` where it is not in the store.
    pub fn size(&self, digest: Digest) -> Result<Option<u64>, StoreError> {
        let path = self.path(digest);
        match fs::metadata(&path) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("look at", path)(error)),
        }
    }

    /// Opens a blob's file. Its content is not checked.
    pub fn file(&self, digest: Digest) -> Result<File, StoreError> {
        let path = self.path(digest);
        File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::Missing { digest, store: self.root().to_owned() },
            _ => StoreError::io("open", path)(error),
        })
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
        let same = fs::read(self.path(digest)).is_ok_and(|existing| existing == content);
        if !same {
            let mut writer = self.writer()?;
            writer.write_all(content).map_err(StoreError::io("write", writer.path()))?;
            writer.finish()?;
        }
        Ok(digest)
    }

    /// Starts a blob that is written in pieces.
    pub fn writer(&self) -> Result<BlobWriter, StoreError> {
        let file = self.partial.partial()?;
        let path = self.partial.path().join(file.name());
        Ok(BlobWriter { blobs: self.blobs.clone(), file, path, hasher: Hasher::new(), size: 0 })
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
        let path = self.path(digest);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io("remove", path)(error))
            }
            _ => Ok(()),
        }
    }

    /// All blobs, sorted.
    pub fn list(&self) -> Result<Vec<Digest>, StoreError> {
        let mut digests = Vec::new();
        for entry in fs::read_dir(self.blobs.path()).map_err(StoreError::io("list", self.blobs.path()))? {
            let name = entry.map_err(StoreError::io("list", self.blobs.path()))?.file_name();
            digests.extend(name.to_str().and_then(|hex| format!("sha256:{hex}").parse::<Digest>().ok()));
        }
        digests.sort_unstable();
        Ok(digests)
    }

    /// What the file system says about the blob now, or `None` where it is not in the store.
    pub(crate) fn fingerprint(&self, digest: Digest) -> Option<Fingerprint> {
        let metadata = fs::metadata(self.path(digest)).ok()?;
        Some(Fingerprint {
            size: metadata.len(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        })
    }

    pub(crate) fn path(&self, digest: Digest) -> PathBuf {
        self.blobs.path().join(digest.hex())
    }
}

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
        self.size += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn store() -> (tempfile::TempDir, BlobStore) {
        let directory = tempfile::tempdir().unwrap();
        let store = BlobStore::open(&directory.path().join("cache")).unwrap();
        (directory, store)
    }

    #[test]
    fn what_is_put_can_be_read() {
        let (_directory, store) = store();
        let digest = store.put(b"content").unwrap();
        assert_eq!(digest, Digest::of(b"content"));
        assert_eq!(store.put(b"content").unwrap(), digest);
        assert_eq!(store.document(digest, 7).unwrap(), b"content");
        assert_eq!(io::read_to_string(store.range(digest, 3, 3).unwrap()).unwrap(), "ten");
        assert_eq!(io::read_to_string(store.range(digest, 5, 99).unwrap()).unwrap(), "nt");
        assert_eq!((store.contains(digest), store.size(digest).unwrap()), (true, Some(7)));
        assert_eq!(store.list().unwrap(), [digest]);

        store.remove(digest).unwrap();
        store.remove(digest).unwrap();
        assert_eq!((store.contains(digest), store.size(digest).unwrap()), (false, None));
        assert!(matches!(store.file(digest), Err(StoreError::Missing { .. })));
    }

    #[test]
    fn others_cannot_read_it() {
        let (_directory, store) = store();
        let digest = store.put(b"content").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&store.path(digest)), 0o600);
        assert_eq!([mode(store.root()), mode(store.blobs.path()), mode(store.partial.path())], [0o700; 3]);
    }

    #[test]
    fn damage_is_found_and_mended() {
        let (_directory, store) = store();
        let digest = store.put(b"content").unwrap();
        store.verify(digest).unwrap();
        fs::write(store.path(digest), "c0ntent").unwrap();
        let found = Digest::of(b"c0ntent");
        assert!(matches!(store.verify(digest), Err(StoreError::Corrupt { found: is, .. }) if is == found));
        assert!(matches!(store.document(digest, 99), Err(StoreError::Corrupt { .. })));
        store.put(b"content").unwrap();
        store.verify(digest).unwrap();
    }

    #[test]
    fn large_documents_are_refused() {
        let (_directory, store) = store();
        let digest = store.put(b"content").unwrap();
        let error = store.document(digest, 6).unwrap_err();
        insta::assert_snapshot!(error, @"blob sha256:ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73 has 7 bytes, but a document of this kind may have 6");
    }

    #[test]
    fn an_unfinished_blob_leaves_nothing() {
        let (_directory, store) = store();
        let mut writer = store.writer().unwrap();
        writer.write_all(b"content").unwrap();
        assert!(writer.path().exists());
        drop(writer);
        assert_eq!(fs::read_dir(store.partial.path()).unwrap().count(), 0);
        assert!(store.list().unwrap().is_empty());
    }

    #[test]
    fn abandoned_files_are_removed_and_others_kept() {
        let (_directory, store) = store();
        fs::write(store.partial.path().join("abandoned"), "half a bl").unwrap();
        let mut writer = store.writer().unwrap();
        let again = BlobStore::open(store.root()).unwrap();
        assert!(!store.partial.path().join("abandoned").exists());
        writer.write_all(b"content").unwrap();
        let (digest, size) = writer.finish().unwrap();
        assert_eq!((again.document(digest, 99).unwrap(), size), (b"content".to_vec(), 7));
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("file"), "").unwrap();
        let error = BlobStore::open(&directory.path().join("file/cache")).unwrap_err();
        let text = error.to_string().replace(directory.path().to_str().unwrap(), "[dir]");
        insta::assert_snapshot!(text, @"cannot create `[dir]/file/cache`");
    }
}
