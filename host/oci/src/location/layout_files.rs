//! The files of an OCI layout, wherever they are.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// The annotation in `index.json` that names an image.
pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The files of a layout.
pub(super) trait Files: Send + Sync + fmt::Debug {
    fn place(&self) -> String;

    /// A regular file, by its path in the layout.
    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read>>>;
}

#[derive(Debug)]
pub(super) struct Directory(pub(super) PathBuf);

impl Files for Directory {
    fn place(&self) -> String {
        self.0.display().to_string()
    }

    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read>>> {
        Ok(open_file(&self.0.join(name))?.map(|file| Box::new(file) as Box<dyn Read>))
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
