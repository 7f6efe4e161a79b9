//! The frame cache: where the compressed chunks of a path already are.
//!
//! There is no second copy. A record says which layer blob holds a path's chunks, one after the other, and at
//! which offset; the digest of each chunk is checked when it is taken from there. A blob that is gone is a miss, a
//! chunk that is damaged makes its record void.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use seed_disk::Records;
use seed_model::{Codec, Digest};
use serde::{Deserialize, Serialize};

use crate::codec::{CHUNK_SIZE, decompress};
use crate::store::{BlobStore, StoreError};

/// A chunk of tar and what it became.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) tar: Vec<u8>,
    pub(crate) packed: Vec<u8>,
    pub(crate) frame: Frame,
}

/// One compressed chunk.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Frame {
    /// Digest of the compressed bytes.
    pub(crate) digest: Digest,
    /// Compressed length in bytes.
    pub(crate) packed: usize,
    /// Length of the tar in bytes.
    pub(crate) tar: usize,
}

/// The frames of one path.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct FrameRecord {
    /// The layer blob that holds them.
    pub(crate) blob: Digest,
    /// Where the first one begins.
    pub(crate) offset: u64,
    /// All of them.
    pub(crate) frames: Vec<Frame>,
}

/// A frame that can be read.
#[derive(Clone, Debug)]
pub(crate) struct StoredFrame {
    blob: Arc<File>,
    offset: u64,
    frame: Frame,
}

/// A stored frame is not what its record says.
#[derive(Debug)]
pub(crate) struct Damaged;

impl StoredFrame {
    /// Reads, checks and decompresses the frame.
    pub(crate) fn read(&self, codec: Codec) -> Result<Piece, Damaged> {
        let mut packed = vec![0; self.frame.packed];
        self.blob.read_exact_at(&mut packed, self.offset).map_err(|_: io::Error| Damaged)?;
        if Digest::of(&packed) != self.frame.digest {
            return Err(Damaged);
        }
        let tar = decompress(codec, &packed, self.frame.tar).map_err(|_| Damaged)?;
        Ok(Piece { tar, packed, frame: self.frame })
    }
}

/// Compressed frames, and records of which frame a piece of tar became.
#[derive(Clone, Debug)]
pub(crate) struct FrameCache {
    store: BlobStore,
    records: Records,
}

impl FrameCache {
    pub(crate) fn open(store: &BlobStore) -> Result<Self, StoreError> {
        Ok(Self { store: store.clone(), records: store.records("frames")? })
    }

    /// The frames with this key, if they are still there.
    pub(crate) fn get(&self, key: Digest) -> Option<Vec<StoredFrame>> {
        let record: FrameRecord = self.records.get(key.as_bytes())?;
        let blob = Arc::new(self.store.file(record.blob).ok()?);
        let mut offset = record.offset;
        let mut frames = Vec::with_capacity(record.frames.len());
        for frame in record.frames {
            // No chunk of ours is longer, and none grows by compression to more than a little above its size.
            if frame.tar > CHUNK_SIZE || frame.packed > 2 * CHUNK_SIZE {
                return None;
            }
            frames.push(StoredFrame { blob: Arc::clone(&blob), offset, frame });
            offset = offset.saturating_add(frame.packed as u64);
        }
        Some(frames)
    }

    /// Remembers where the frames with this key are.
    pub(crate) fn put(&self, key: Digest, record: &FrameRecord) -> Result<(), StoreError> {
        Ok(self.records.put(key.as_bytes(), record)?)
    }
}
