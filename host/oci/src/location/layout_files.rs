//! The files of an OCI layout, wherever they are.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use seed_disk::bounded;
use seed_model::Digest;

use crate::document::MAX_DOCUMENT;
use crate::location::error::LocationError;

/// The annotation in `index.json` that names an image.
pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// A file's size in bytes, and its content.
pub(super) type Content = (u64, Box<dyn Read>);

/// The files of a layout.
pub(super) trait Files: Send + Sync + fmt::Debug {
    fn place(&self) -> String;

    /// A regular file, by its path in the layout; none where nothing is there.
    fn open(&self, name: &str) -> io::Result<Option<Content>>;
}

/// Opens a file of a layout; none where nothing is there.
pub(super) fn content(files: &dyn Files, name: &str) -> Result<Option<Content>, LocationError> {
    let error = |source| LocationError::File { path: Path::new(&files.place()).join(name), source };
    files.open(name).map_err(error)
}

/// Reads a document of a layout; none where nothing is there.
pub(super) fn document(files: &dyn Files, name: &str) -> Result<Option<Vec<u8>>, LocationError> {
    let Some((_, reader)) = content(files, name)? else { return Ok(None) };
    let bytes = bounded(reader, MAX_DOCUMENT).map_err(|error| {
        let reason = match error.kind() {
            io::ErrorKind::FileTooLarge => format!("it is larger than {MAX_DOCUMENT} bytes"),
            _ => error.to_string(),
        };
        unusable(files, name, reason)
    })?;
    Ok(Some(bytes))
}

/// That a document of a layout cannot be used.
pub(super) fn unusable(files: &dyn Files, what: &str, reason: impl Into<String>) -> LocationError {
    LocationError::Document { what: what.to_owned(), place: files.place(), reason: reason.into() }
}

/// Where a blob is in a layout.
pub(super) fn blob_path(digest: Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

#[derive(Debug)]
pub(super) struct Directory(pub(super) PathBuf);

impl Files for Directory {
    fn place(&self) -> String {
        self.0.display().to_string()
    }

    fn open(&self, name: &str) -> io::Result<Option<Content>> {
        let Some(file) = open_file(&self.0.join(name))? else { return Ok(None) };
        Ok(Some((file.metadata()?.len(), Box::new(file))))
    }
}

/// Opens a regular file, if there is one. A FIFO or device would wait for ever.
#[expect(clippy::disallowed_methods, reason = "opens for reading only")]
pub(super) fn open_file(path: &Path) -> io::Result<Option<File>> {
    let no_wait = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = match OpenOptions::new().read(true).custom_flags(no_wait).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    if file.metadata()?.is_file() {
        return Ok(Some(file));
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
}
