//! The bytes of one file: written anew, or compared with what is there.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use seed_disk::{Directory, Partial};
use seed_model::{FileContent, Hasher};

use crate::files::error::FilesError;
use crate::store::{BlobStore, StoreError};

/// Contents are copied and compared in pieces of this size.
const PIECE: usize = 256 << 10;

/// Writes a file beside the one that it replaces, syncs it and renames it. Gives its size.
pub(super) fn replace(
    parent: &Directory,
    name: &OsStr,
    path: &Path,
    emit: impl FnOnce(&mut dyn Write) -> Result<(), EmitError>,
) -> Result<u64, FilesError> {
    let claimed = Partial::claim(parent, name).map_err(FilesError::io("create", path))?;
    let partial = claimed.ok_or_else(|| FilesError::Busy { path: path.to_owned() })?;
    let mut out = io::BufWriter::with_capacity(PIECE, partial.file());
    emit(&mut out).map_err(|error| error.at(path))?;
    out.flush().map_err(FilesError::io("write", path))?;
    drop(out);
    let size = partial.file().metadata().map_err(FilesError::io("look at", path))?.len();
    partial.persist(parent, name).map_err(FilesError::io("write", path))?;
    Ok(size)
}

/// Why content did not go where it should.
pub(super) enum EmitError {
    /// The blob cannot be read.
    Store(StoreError),
    /// The other side cannot be written, or is not the same.
    Output(io::Error),
}

impl EmitError {
    pub(super) fn at(self, path: &Path) -> FilesError {
        match self {
            Self::Store(error) => error.into(),
            Self::Output(source) => FilesError::Io { action: "write", path: path.to_owned(), source },
        }
    }
}

/// Gives the content to `out`; with `check`, a blob that is damaged is an error, and is removed, so that the next run
/// builds it anew even where its file looks untouched.
pub(super) fn emit_content(
    store: &BlobStore,
    content: &FileContent,
    out: &mut dyn Write,
    check: bool,
) -> Result<(), EmitError> {
    let digest = match content {
        FileContent::Bytes(bytes) => return out.write_all(bytes).map_err(EmitError::Output),
        FileContent::Blob(digest) => *digest,
    };
    let mut blob = store.file(digest).map_err(EmitError::Store)?;
    let mut hasher = Hasher::new();
    let mut piece = vec![0; PIECE];
    loop {
        let length = blob
            .read(&mut piece)
            .map_err(|error| EmitError::Store(StoreError::io("read", store.path(digest))(error)))?;
        if length == 0 {
            break;
        }
        if check {
            hasher.update(&piece[..length]);
        }
        out.write_all(&piece[..length]).map_err(EmitError::Output)?;
    }
    let found = hasher.finish();
    if check && found != digest {
        drop(store.remove(digest));
        return Err(EmitError::Store(StoreError::Corrupt { path: store.path(digest), found }));
    }
    Ok(())
}

pub(super) fn content_size(store: &BlobStore, content: &FileContent) -> Result<u64, StoreError> {
    match content {
        FileContent::Bytes(bytes) => Ok(bytes.len() as u64),
        FileContent::Blob(digest) => store
            .size(*digest)?
            .ok_or_else(|| StoreError::Missing { digest: *digest, store: store.root().to_owned() }),
    }
}

/// Whether `existing` has `size` bytes, and those that `emit` gives.
pub(super) fn same_content(
    existing: File,
    path: &Path,
    size: u64,
    emit: impl FnOnce(&mut dyn Write) -> Result<(), EmitError>,
) -> Result<bool, FilesError> {
    if existing.metadata().map_err(FilesError::io("look at", path))?.len() != size {
        return Ok(false);
    }
    let mut compare = Compare { existing: BufReader::with_capacity(PIECE, existing), piece: Vec::new() };
    match emit(&mut compare) {
        Ok(()) => compare.at_end().map_err(FilesError::io("read", path)),
        Err(EmitError::Output(_)) => Ok(false),
        Err(error) => Err(error.at(path)),
    }
}

/// Takes bytes as long as they are those of a file.
struct Compare {
    existing: BufReader<File>,
    piece: Vec<u8>,
}

impl Compare {
    fn at_end(&mut self) -> io::Result<bool> {
        Ok(self.existing.read(&mut [0])? == 0)
    }
}

impl Write for Compare {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.resize(bytes.len(), 0);
        self.existing.read_exact(&mut self.piece)?;
        if self.piece == bytes { Ok(bytes.len()) } else { Err(io::Error::other("the contents differ")) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
