//! Tar archives, read without unpacking them: an index of where each file begins.
//!
//! A tool that unpacks the archive and one that looks for a name in it must find the same files. So nothing is there
//! twice, nothing is outside of the root, and nothing is below a link.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::location::entries::{Entries, Skip};
use crate::location::entry::{Entry, EntryType, TarError};
use crate::location::error::LocationError;
use crate::location::layout_files::{Content, Files, open_file};

/// The most entries of an archive. An image has a handful of files; each costs memory here.
const MAX_ENTRIES: u64 = 100_000;

/// An indexed archive.
#[derive(Debug)]
pub(super) struct Archive {
    path: PathBuf,
    file: Arc<File>,
    entries: BTreeMap<String, Place>,
}

/// What is at a path of the archive.
#[derive(Clone, Copy, Debug)]
enum Place {
    Directory,
    /// A regular file.
    File {
        /// Where its content begins in the archive.
        position: u64,
        /// Bytes of content.
        size: u64,
    },
    /// A link, a device, or something else that tools read in different ways.
    Other,
}

impl Archive {
    /// Reads the headers of the archive at `path`.
    pub(super) fn open(path: &Path) -> Result<Self, LocationError> {
        let error = |source| LocationError::File { path: path.to_owned(), source };
        let file = open_file(path).map_err(error)?.ok_or_else(|| error(io::ErrorKind::NotFound.into()))?;
        let length = file.metadata().map_err(error)?.len();
        let file = Arc::new(file);
        let section = Section { file: Arc::clone(&file), position: 0, end: length };
        let entries =
            index(section).map_err(|source| LocationError::Tar { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file, entries })
    }
}

fn index(section: Section) -> Result<BTreeMap<String, Place>, TarError> {
    let mut index = BTreeMap::new();
    let mut entries = Entries::new(section, MAX_ENTRIES);
    while let Some(entry) = entries.next()? {
        let wrong = |reason: &str| TarError::Entry { path: entry.path.clone(), reason: reason.to_owned() };
        let names = entry.names().ok_or_else(|| wrong("is outside of the archive"))?;
        let path = String::from_utf8_lossy(&names.join(&b'/')).into_owned();
        let place = place(&entry);
        match (index.insert(path, place), place) {
            (None, _) | (Some(Place::Directory), Place::Directory) => {}
            (Some(_), _) => return Err(wrong("is in the archive twice")),
        }
    }
    for path in index.keys() {
        let mut above = path.match_indices('/').map(|(end, _)| &path[..end]);
        if above.any(|above| !matches!(index.get(above), None | Some(Place::Directory))) {
            return Err(TarError::Entry { path: path.clone(), reason: "is below a file or link".to_owned() });
        }
    }
    Ok(index)
}

const fn place(entry: &Entry) -> Place {
    match entry.kind {
        EntryType::File => Place::File { position: entry.position, size: entry.size },
        EntryType::Directory => Place::Directory,
        EntryType::Symlink | EntryType::HardLink | EntryType::Other => Place::Other,
    }
}

impl Files for Archive {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn open(&self, name: &str) -> io::Result<Option<Content>> {
        let (position, size) = match self.entries.get(name) {
            None => return Ok(None),
            Some(Place::File { position, size }) => (*position, *size),
            Some(Place::Directory | Place::Other) => {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
            }
        };
        // The whole content was passed over when the archive was indexed.
        let end = position.saturating_add(size);
        let section = Section { file: Arc::clone(&self.file), position, end };
        Ok(Some((size, Box::new(BufReader::with_capacity(256 << 10, section)))))
    }
}

/// Part of a file, read without moving the file's own position.
#[derive(Debug)]
struct Section {
    file: Arc<File>,
    position: u64,
    end: u64,
}

impl Section {
    fn left(&self) -> u64 {
        self.end.saturating_sub(self.position)
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.left()).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let read = self.file.read_at(&mut buffer[..wanted], self.position)?;
        self.position = self.position.saturating_add(read as u64);
        Ok(read)
    }
}

impl Skip for Section {
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        if bytes > self.left() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.position = self.position.saturating_add(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
