//! One entry of a tar that somebody else wrote.

use std::io;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryType {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// Another name of a file that came before it.
    HardLink,
    /// Anything else.
    Other,
}

/// One entry. Its content follows, and is skipped by the next call unless it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The path without `./` and `/` around it; bytes that are not UTF-8 are replaced.
    pub(crate) path: String,
    /// The same, byte for byte.
    pub(crate) raw_path: Vec<u8>,
    /// Whether the path began with `/`.
    pub(crate) is_absolute: bool,
    pub(crate) kind: EntryType,
    /// Whether its owner may execute it.
    pub(crate) executable: bool,
    /// Permission bits, and whatever else the field holds.
    pub(crate) mode: u64,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    /// When it was modified, in seconds since the epoch.
    pub(crate) modified: u64,
    /// What a link points at.
    pub(crate) target: Vec<u8>,
    /// Bytes of content.
    pub(crate) size: u64,
    /// Where the content begins in the archive.
    pub(crate) position: u64,
    /// What its headers say besides all this, such as an extended attribute, or say in a way that not everybody reads
    /// alike; none where that is nothing.
    pub(crate) besides: Option<String>,
}

impl Entry {
    /// The names on the way to the entry from the root of the archive, the entry's own the last. None if the path may
    /// lead out of the root.
    pub(crate) fn names(&self) -> Option<Vec<&[u8]>> {
        if self.is_absolute { None } else { names(&self.raw_path) }
    }
}

/// The names of a relative path, without what changes nothing; none if it goes upwards.
pub(crate) fn names(path: &[u8]) -> Option<Vec<&[u8]>> {
    let parts = path.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b"."));
    parts.map(|part| (part != b"..").then_some(part)).collect()
}

/// A tar that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// Reading failed, or it ended too early.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// It is not a tar.
    #[error("no tar header at byte {position}: {reason}")]
    Header {
        /// Where.
        position: u64,
        reason: &'static str,
    },
    /// An entry that cannot be used.
    #[error("`{path}` {reason}")]
    Entry {
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It has more entries than are read.
    #[error("it has more than {0} entries")]
    TooMany(u64),
}
