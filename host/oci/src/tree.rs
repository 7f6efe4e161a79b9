//! Writes the NAR view of a path as tar: the one pass that reads a file, hashes it and packs it.

use std::io::{self, Write};

use seed_model::Digest;

use crate::codec::CHUNK_SIZE;
use crate::contents::{PathSegment, is_whiteout};
use crate::layer::PathSpec;
use crate::nar::{NarError, NarSink, read_tree};
use crate::tar::{EntryType, Header, write_padding};

/// Why a path could not be packed.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// It has no NAR view.
    #[error(transparent)]
    Nar(#[from] NarError),
    /// Whoever wanted the tar has gone.
    #[error("packing was stopped")]
    Stopped,
    /// It is not what it was.
    #[error(
        "`{store_path}` changed: expected the NAR hash {expected} ({expected_size} bytes), found {found} \
         ({found_size} bytes)"
    )]
    Hash {
        store_path: String,
        /// The NAR hash that was recorded when it was built.
        expected: Digest,
        /// The NAR size that was recorded.
        expected_size: u64,
        /// The NAR hash now.
        found: Digest,
        /// The NAR size now.
        found_size: u64,
    },
}

/// Nobody wants more of the tar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopped;

/// Receives a segment's tar in chunks of [`CHUNK_SIZE`] bytes, the last one shorter.
pub(crate) trait ChunkSink {
    /// Takes a chunk.
    fn chunk(&mut self, tar: Vec<u8>) -> Result<(), Stopped>;
    /// Says how many more bytes of NAR have been read.
    fn progress(&mut self, bytes: u64);
}

/// Reads a path, gives its tar to `sink`, and checks its NAR hash. The chunks are worth nothing if it fails.
pub(crate) fn write_tree(segment: &PathSegment<'_>, sink: &mut dyn ChunkSink) -> Result<(), TreeError> {
    let spec = segment.spec;
    let chunks = Chunks { buffer: Vec::new(), sink, stopped: false };
    let mut tar = TarSink { segment, chunks, read: 0, path: Vec::new() };
    let read = read_tree(&spec.source, &mut tar);
    if tar.chunks.stopped {
        return Err(TreeError::Stopped);
    }
    let (found, found_size) = read?;
    tar.chunks.finish().map_err(|Stopped| TreeError::Stopped)?;
    tar.chunks.sink.progress(spec.nar_size.saturating_sub(tar.read));
    if found == spec.nar_hash && found_size == spec.nar_size {
        return Ok(());
    }
    let PathSpec { store_path, nar_hash: expected, nar_size: expected_size, .. } = spec.clone();
    Err(TreeError::Hash { store_path, expected, expected_size, found, found_size })
}

/// Collects bytes into chunks.
struct Chunks<'a> {
    buffer: Vec<u8>,
    sink: &'a mut dyn ChunkSink,
    /// Whether the sink wants no more.
    stopped: bool,
}

impl Chunks<'_> {
    fn finish(&mut self) -> Result<(), Stopped> {
        let last = std::mem::take(&mut self.buffer);
        if last.is_empty() { Ok(()) } else { self.sink.chunk(last) }
    }
}

impl Write for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(CHUNK_SIZE.saturating_sub(self.buffer.len()));
        self.buffer.extend_from_slice(&bytes[..length]);
        if self.buffer.len() == CHUNK_SIZE {
            let next = Vec::with_capacity(CHUNK_SIZE);
            let full = std::mem::replace(&mut self.buffer, next);
            self.sink.chunk(full).map_err(|Stopped| {
                self.stopped = true;
                io::Error::other("packing was stopped")
            })?;
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct TarSink<'a> {
    segment: &'a PathSegment<'a>,
    chunks: Chunks<'a>,
    /// Bytes of contents that were reported.
    read: u64,
    /// Path in the image of the current node.
    path: Vec<u8>,
}

impl TarSink<'_> {
    fn entry(&mut self, path: &[u8], kind: EntryType<'_>, mode: u32) -> Result<(), String> {
        let target = self.segment.spec.target.as_bytes();
        if path.is_empty() && target.is_empty() {
            // The image's root has no entry.
            return match kind {
                EntryType::Directory => Ok(()),
                _ => Err("only a directory can provide the contents of the image's root".to_owned()),
            };
        }
        if path.rsplit(|byte| *byte == b'/').next().is_some_and(is_whiteout) {
            return Err(
                "container engines read a name with `.wh.` as the deletion of another file".to_owned()
            );
        }
        self.path.clear();
        self.path.extend_from_slice(target);
        if !path.is_empty() && !target.is_empty() {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(path);
        let header = Header { path: &self.path, kind, mode, uid: 0, gid: 0 };
        header.write(&mut self.chunks).map_err(|error| error.to_string())
    }
}

impl NarSink for TarSink<'_> {
    fn directory(&mut self, path: &[u8]) -> Result<(), String> {
        if self.segment.omit.contains(path) {
            return Ok(());
        }
        self.entry(path, EntryType::Directory, 0o555)
    }

    fn symlink(&mut self, path: &[u8], target: &[u8]) -> Result<(), String> {
        self.entry(path, EntryType::Symlink(target), 0o777)
    }

    fn file(&mut self, path: &[u8], executable: bool, size: u64) -> Result<(), String> {
        self.entry(path, EntryType::File(size), if executable { 0o555 } else { 0o444 })
    }

    fn contents(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.read = self.read.saturating_add(bytes.len() as u64);
        self.chunks.sink.progress(bytes.len() as u64);
        self.chunks.write_all(bytes).map_err(|error| error.to_string())
    }

    fn file_end(&mut self, size: u64) -> Result<(), String> {
        write_padding(&mut self.chunks, size).map_err(|error| error.to_string())
    }
}
