//! Packs layers, several at once, and remembers what was packed.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use seed_disk::Records;
use seed_model::{Digest, PackedLayer};
use serde::{Deserialize, Serialize};

use crate::contents::segments;
use crate::frames::FrameCache;
use crate::layer::LayerSpec;
use crate::pack_error::PackError;
use crate::pack_pipeline::{PackPipeline, PipelineError};
use crate::reader::LayerReader;
use crate::store::{BlobStore, Fingerprint, StoreError};
use crate::tree::TreeError;

/// Layers that are packed at once at most. Each reads, hashes and writes in threads of its own; more than this only
/// costs memory, since the compression of all of them shares one pool.
const MAX_PIPELINES: usize = 8;

/// Chunks of one layer that may be on their way at once at most: 4 MiB of tar and less of output each.
const MAX_IN_FLIGHT: usize = 64;

/// How a layer came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// It was in the cache; nothing was read.
    Cached,
    /// It was packed.
    Packed {
        /// Its paths whose compressed bytes came from the cache.
        reused_paths: usize,
    },
}

/// Is told how packing goes on, from several threads. Layers are named by their index in the call of
/// [`Packer::pack`].
pub trait PackObserver: Sync {
    /// So many more bytes of NAR of this layer have been read; their sum is [`LayerSpec::nar_size`] in the end.
    fn read(&self, layer: usize, bytes: u64);

    /// The layer is done.
    fn finished(&self, layer: usize, packed: &PackedLayer, origin: Origin);
}

/// What the layer cache remembers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct LayerRecord {
    packed: PackedLayer,
    fingerprint: Fingerprint,
}

/// Packs layers into a blob store.
#[derive(Debug)]
pub struct Packer {
    store: BlobStore,
    frames: FrameCache,
    layers: Records,
    pool: rayon::ThreadPool,
}

impl Packer {
    /// A packer that compresses on `threads` threads: on all processors where that is `None`. The bytes it makes do
    /// not depend on the number.
    pub fn new(store: BlobStore, threads: Option<NonZero<usize>>) -> Result<Self, PackError> {
        let threads =
            threads.map_or_else(|| thread::available_parallelism().map_or(1, NonZero::get), NonZero::get);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("compress-{index}"))
            .build()
            .map_err(|error| PackError::Threads(io::Error::other(error)))?;
        let (frames, layers) = (FrameCache::open(&store)?, store.records("layers")?);
        Ok(Self { store, frames, layers, pool })
    }

    /// The layer, if it has been packed before and its blob is still intact.
    pub fn lookup(&self, spec: &LayerSpec) -> Result<Option<PackedLayer>, PackError> {
        Ok(self.cached(spec.key()?))
    }

    /// Packs layers, or takes them from the cache; the answers are in their order. If one fails, none is returned, but
    /// those that were finished stay in the cache.
    pub fn pack(
        &self,
        specs: &[LayerSpec],
        observer: &dyn PackObserver,
    ) -> Result<Vec<PackedLayer>, PackError> {
        let keys = specs.iter().map(LayerSpec::key).collect::<Result<Vec<_>, _>>()?;
        let mut done: BTreeMap<Digest, PackedLayer> = BTreeMap::new();
        let mut jobs: BTreeMap<Digest, usize> = BTreeMap::new();
        for (index, key) in keys.iter().enumerate() {
            match self.cached(*key) {
                Some(packed) => {
                    let digest = packed.descriptor.digest.short();
                    tracing::debug!(key = %key.short(), %digest, "layer taken from the cache");
                    observer.read(index, specs[index].nar_size());
                    observer.finished(index, &packed, Origin::Cached);
                    done.insert(*key, packed);
                }
                None => drop(jobs.entry(*key).or_insert(index)),
            }
        }
        let mut jobs: Vec<(Digest, usize)> = jobs.into_iter().collect();
        // The largest first, so that none of them is left for the end, when the other processors are idle.
        jobs.sort_by_key(|(_, index)| (std::cmp::Reverse(specs[*index].nar_size()), *index));
        let packed = self.pack_all(&jobs, specs, observer)?;
        let packed: BTreeMap<Digest, (usize, PackedLayer)> =
            jobs.iter().zip(packed).map(|((key, index), packed)| (*key, (*index, packed))).collect();
        let answer = |(index, key): (usize, &Digest)| match packed.get(key) {
            None => done[key].clone(),
            Some((first, packed)) => {
                // An equal layer of the same call was packed in place of this one.
                if *first != index {
                    observer.read(index, specs[index].nar_size());
                    observer.finished(index, packed, Origin::Cached);
                }
                packed.clone()
            }
        };
        Ok(keys.iter().enumerate().map(answer).collect())
    }

    /// The uncompressed tar of a layer, read from its paths while it is being read.
    pub fn open_tar(&self, spec: LayerSpec) -> impl Read + Send + 'static {
        LayerReader::new(spec)
    }

    /// Packs the layers at these indices, each under its key, on as many pipelines as are worth it.
    fn pack_all(
        &self,
        jobs: &[(Digest, usize)],
        specs: &[LayerSpec],
        observer: &dyn PackObserver,
    ) -> Result<Vec<PackedLayer>, PackError> {
        let threads = self.pool.current_num_threads();
        let pipelines = jobs.len().min(threads).min(MAX_PIPELINES);
        let in_flight = threads.saturating_mul(2).div_ceil(pipelines.max(1)).clamp(2, MAX_IN_FLIGHT);
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let results = Mutex::new(BTreeMap::new());
        thread::scope(|scope| {
            for _ in 0..pipelines {
                scope.spawn(|| {
                    while let Some((key, index)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let progress = |bytes| observer.read(*index, bytes);
                        let pipeline = PackPipeline {
                            store: &self.store,
                            frames: &self.frames,
                            pool: &self.pool,
                            in_flight,
                            stop: &stop,
                            progress: &progress,
                        };
                        let result = self.pack_one(&pipeline, *key, &specs[*index]);
                        match &result {
                            Ok((packed, reused_paths)) => {
                                observer.finished(
                                    *index,
                                    packed,
                                    Origin::Packed { reused_paths: *reused_paths },
                                );
                            }
                            Err(_) => stop.store(true, Ordering::Relaxed),
                        }
                        results.lock().expect("no pipeline panics").insert(*index, result);
                    }
                });
            }
        });
        let mut results = results.into_inner().expect("no pipeline panics");
        // The lowest layer's reason is told, so that the message is the same each time.
        let failed = results.values_mut().find_map(|result| match result {
            Err(PipelineError::Failed(_)) => Some(std::mem::replace(result, Err(PipelineError::Stopped))),
            _ => None,
        });
        if let Some(Err(PipelineError::Failed(error))) = failed {
            return Err(error);
        }
        jobs.iter()
            .map(|(_, index)| match results.remove(index) {
                Some(Ok((packed, _))) => Ok(packed),
                _ => Err(PackError::Tree(TreeError::Stopped)),
            })
            .collect()
    }

    fn pack_one(
        &self,
        pipeline: &PackPipeline<'_>,
        key: Digest,
        spec: &LayerSpec,
    ) -> Result<(PackedLayer, usize), PipelineError> {
        let segments = segments(spec)?;
        let result = match pipeline.pack(&segments, spec.codec, true) {
            // The records that point at damaged frames are replaced when the layer is there.
            Err(PipelineError::Damaged) => pipeline.pack(&segments, spec.codec, false),
            result => result,
        };
        let (packed, reused) = result?;
        let (digest, size) = (packed.descriptor.digest.short(), packed.descriptor.size);
        tracing::debug!(key = %key.short(), %digest, size, reused_paths = reused, "layer packed");
        self.remember(key, &packed)?;
        Ok((packed, reused))
    }

    fn remember(&self, key: Digest, packed: &PackedLayer) -> Result<(), StoreError> {
        match self.store.fingerprint(packed.descriptor.digest) {
            Some(fingerprint) => {
                let record = LayerRecord { packed: packed.clone(), fingerprint };
                Ok(self.layers.put(key.as_bytes(), &record)?)
            }
            // Somebody has removed the blob: then there is nothing to remember.
            None => Ok(()),
        }
    }

    /// A layer from the cache. A blob whose file was touched since it was packed is read and checked; a damaged one is
    /// removed, so that whoever needs it builds it anew.
    fn cached(&self, key: Digest) -> Option<PackedLayer> {
        let LayerRecord { packed, fingerprint } = self.layers.get(key.as_bytes())?;
        let digest = packed.descriptor.digest;
        if self.store.fingerprint(digest)? == fingerprint {
            return Some(packed);
        }
        if self.store.verify(digest).is_ok() {
            // Without the new record the next run checks again, no more.
            drop(self.remember(key, &packed));
            return Some(packed);
        }
        drop(self.store.remove(digest));
        self.layers.remove(key.as_bytes());
        None
    }
}
