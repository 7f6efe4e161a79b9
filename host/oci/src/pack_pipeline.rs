//! Packs one layer. The producer reads paths and cuts their tar into chunks; the pool compresses chunks in any order;
//! one thread hashes the tar and one hashes and writes the blob, both in the layer's order. All queues are bounded,
//! so memory does not grow with the layer.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use rayon::prelude::*;
use seed_model::{Codec, Descriptor, Digest, Hasher, PackedLayer};

use crate::codec::{CHUNK_SIZE, CodecError, compress};
use crate::contents::Segment;
use crate::document::media_type;
use crate::frames::{Damaged, Frame, FrameCache, FrameRecord, Piece};
use crate::pack_error::PackError;
use crate::store::{BlobStore, BlobWriter, StoreError};
use crate::tree::{ChunkSink, Stopped, TreeError, write_tree};

/// What a pipeline needs from its packer.
pub(crate) struct PackPipeline<'a> {
    pub(crate) store: &'a BlobStore,
    pub(crate) frames: &'a FrameCache,
    pub(crate) pool: &'a rayon::ThreadPool,
    /// Chunks that may be on their way at once.
    pub(crate) in_flight: usize,
    /// Set when the whole job is to end early.
    pub(crate) stop: &'a AtomicBool,
    /// Receives bytes of NAR.
    pub(crate) progress: &'a (dyn Fn(u64) + Sync),
}

/// Why a pipeline ended early.
#[derive(Debug)]
pub(crate) enum PipelineError {
    /// Frames from the cache are damaged; without the cache the layer can still be packed.
    Damaged,
    /// Another pipeline failed, or another thread of this one, which says why.
    Stopped,
    /// The layer cannot be packed.
    Failed(PackError),
}

impl From<Stopped> for PipelineError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

impl<E: Into<PackError>> From<E> for PipelineError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What became of a chunk.
enum Outcome {
    Packed(Piece),
    Codec(CodecError),
    Damaged,
}

/// A chunk on its way: the segment that it belongs to, and where its outcome will arrive.
struct Pending {
    segment: usize,
    outcome: Receiver<Outcome>,
}

/// Where the frames of a segment are in the blob.
#[derive(Default)]
struct Placed {
    offset: u64,
    frames: Vec<Frame>,
}

impl PackPipeline<'_> {
    /// Packs a layer. With `reuse`, paths whose frames are known are not read; says how many were not.
    pub(crate) fn pack(
        &self,
        segments: &[Segment<'_>],
        codec: Codec,
        reuse: bool,
    ) -> Result<(PackedLayer, usize), PipelineError> {
        let (pending_in, pending_out) = sync_channel(self.in_flight);
        let (packed_in, packed_out) = sync_channel(self.in_flight);
        let writer = self.store.writer()?;
        let (produced, hashed, written) = thread::scope(|scope| {
            let hashed = scope.spawn(move || hash_tar(&pending_out, &packed_in));
            let written = scope.spawn(move || write_blob(&packed_out, writer, segments.len()));
            let produced = self.produce(segments, codec, reuse, &pending_in);
            drop(pending_in);
            let joined = "the threads of a pipeline do not panic";
            (produced, hashed.join().expect(joined), written.join().expect(joined))
        });
        // The thread nearest to the end knows why those before it had to stop. Only here, with all of them
        // content, may the blob get its name.
        let (writer, placed) = written?;
        let diff_id = hashed?;
        let reused = produced?;
        let (digest, size) = writer.finish()?;

        // Thousands of small files: worth all threads, and after the blob, so that no record is ahead of it.
        self.pool.install(|| {
            segments.par_iter().zip(placed).try_for_each(|(segment, Placed { offset, frames })| match segment
            {
                Segment::Path(path) => {
                    self.frames.put(path.key, &FrameRecord { blob: digest, offset, frames })
                }
                Segment::Generated(_) => Ok(()),
            })
        })?;
        Ok((
            PackedLayer { descriptor: Descriptor::new(media_type::layer(codec), digest, size), diff_id },
            reused,
        ))
    }

    /// Puts all chunks on their way, and says how many paths came from the frame cache.
    fn produce(
        &self,
        segments: &[Segment<'_>],
        codec: Codec,
        reuse: bool,
        queue: &SyncSender<Pending>,
    ) -> Result<usize, PipelineError> {
        let mut reused = 0_usize;
        for (index, segment) in segments.iter().enumerate() {
            let mut producer = Producer { pipeline: self, queue, segment: index, codec };
            match segment {
                Segment::Generated(tar) => {
                    for chunk in tar.chunks(CHUNK_SIZE) {
                        producer.compress(chunk.to_vec())?;
                    }
                }
                Segment::Path(path) => match self.frames.get(path.key).filter(|_| reuse) {
                    Some(frames) => {
                        for frame in frames {
                            producer.submit(move || match frame.read(codec) {
                                Ok(piece) => Outcome::Packed(piece),
                                Err(Damaged) => Outcome::Damaged,
                            })?;
                        }
                        producer.progress(path.spec.nar_size);
                        reused = reused.saturating_add(1);
                    }
                    None => write_tree(path, &mut producer).map_err(|error| match error {
                        TreeError::Stopped => PipelineError::Stopped,
                        error => error.into(),
                    })?,
                },
            }
        }
        Ok(reused)
    }
}

/// Puts the chunks of one segment on their way.
struct Producer<'a> {
    pipeline: &'a PackPipeline<'a>,
    queue: &'a SyncSender<Pending>,
    segment: usize,
    codec: Codec,
}

impl Producer<'_> {
    fn compress(&self, tar: Vec<u8>) -> Result<(), Stopped> {
        let codec = self.codec;
        self.submit(move || match compress(codec, &tar) {
            Ok(packed) => {
                let frame = Frame { digest: Digest::of(&packed), packed: packed.len(), tar: tar.len() };
                Outcome::Packed(Piece { tar, packed, frame })
            }
            Err(error) => Outcome::Codec(error),
        })
    }

    /// Waits for a place in the queue, then gives the work to the pool.
    fn submit(&self, work: impl FnOnce() -> Outcome + Send + 'static) -> Result<(), Stopped> {
        if self.pipeline.stop.load(Ordering::Relaxed) {
            return Err(Stopped);
        }
        let (done, outcome) = sync_channel(1);
        self.queue.send(Pending { segment: self.segment, outcome }).map_err(|_| Stopped)?;
        self.pipeline.pool.spawn(move || {
            // Nobody waits for it any more when the pipeline has failed.
            drop(done.send(work()));
        });
        Ok(())
    }
}

impl ChunkSink for Producer<'_> {
    fn chunk(&mut self, tar: Vec<u8>) -> Result<(), Stopped> {
        self.compress(tar)
    }

    fn progress(&mut self, bytes: u64) {
        (self.pipeline.progress)(bytes);
    }
}

/// A compressed chunk on its way into the blob.
type Packed = (usize, Frame, Vec<u8>);

/// Hashes the tar in order: gives the diff ID.
fn hash_tar(pending: &Receiver<Pending>, packed: &SyncSender<Packed>) -> Result<Digest, PipelineError> {
    let mut diff_id = Hasher::new();
    for Pending { segment, outcome } in pending {
        match outcome.recv().map_err(|_| PipelineError::Stopped)? {
            Outcome::Packed(piece) => {
                diff_id.update(&piece.tar);
                packed.send((segment, piece.frame, piece.packed)).map_err(|_| PipelineError::Stopped)?;
            }
            Outcome::Codec(error) => return Err(error.into()),
            Outcome::Damaged => return Err(PipelineError::Damaged),
        }
    }
    Ok(diff_id.finish())
}

/// Hashes and writes the blob in order, and remembers where each segment's frames are.
fn write_blob(
    packed: &Receiver<Packed>,
    mut writer: BlobWriter,
    segments: usize,
) -> Result<(BlobWriter, Vec<Placed>), StoreError> {
    let mut placed: Vec<Placed> = Vec::new();
    placed.resize_with(segments, Placed::default);
    let mut offset = 0;
    for (segment, frame, bytes) in packed {
        let place = &mut placed[segment];
        if place.frames.is_empty() {
            place.offset = offset;
        }
        place.frames.push(frame);
        writer.write_all(&bytes).map_err(StoreError::io("write", writer.path()))?;
        offset = offset.saturating_add(bytes.len() as u64);
    }
    Ok((writer, placed))
}
