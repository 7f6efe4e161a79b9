//! Tar archives, read without unpacking them: an index of where each file begins.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::location::entries::{Entries, EntryType, Skip, TarError};
use crate::location::error::LocationError;
use crate::location::layout_files::{Files, open_file};

/// The most entries of an archive. An image has a handful of files; each costs memory here.
const MAX_ENTRIES: u64 = 100_000;

/// An indexed archive.
#[derive(Debug)]
pub(super) struct Archive {
    path: PathBuf,
    file: Arc<File>,
    /// Position and size of each regular file.
    files: BTreeMap<String, (u64, u64)>,
}

impl Archive {
    /// Reads the headers of the archive at `path`.
    pub(super) fn open(path: &Path) -> Result<Self, LocationError> {
        let error = |source| LocationError::File { path: path.to_owned(), source };
        let file = open_file(path).map_err(error)?.ok_or_else(|| error(io::ErrorKind::NotFound.into()))?;
        let length = file.metadata().map_err(error)?.len();
        let file = Arc::new(file);
        let section = Section { file: Arc::clone(&file), position: 0, end: length };
        let files = index(section).map_err(|source| LocationError::Tar { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file, files })
    }

    /// The size of a file of the archive, if it is there.
    pub(super) fn size(&self, name: &str) -> Option<u64> {
        self.files.get(name).map(|(_, size)| *size)
    }
}

fn index(section: Section) -> Result<BTreeMap<String, (u64, u64)>, TarError> {
    let mut files = BTreeMap::new();
    let mut entries = Entries::new(section, MAX_ENTRIES);
    while let Some(entry) = entries.next()? {
        // Of several entries with one name the last counts, as it does for tar.
        if entry.kind == EntryType::File {
            files.insert(entry.path, (entry.position, entry.size));
        }
    }
    Ok(files)
}

impl Files for Archive {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read>>> {
        let Some((position, size)) = self.files.get(name) else { return Ok(None) };
        let section = Section { file: Arc::clone(&self.file), position: *position, end: position + size };
        Ok(Some(Box::new(BufReader::with_capacity(256 << 10, section))))
    }
}

/// Part of a file, read without moving the file's own position.
#[derive(Debug)]
struct Section {
    file: Arc<File>,
    position: u64,
    end: u64,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.position).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let read = self.file.read_at(&mut buffer[..wanted], self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Skip for Section {
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        if bytes > self.end - self.position {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.position += bytes;
        Ok(())
    }
}
