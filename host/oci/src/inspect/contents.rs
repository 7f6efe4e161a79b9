//! What takes space in the layers of an image: their tars, read as streams.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::{Mutex, PoisonError};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use seed_model::{Descriptor, Digest};

use crate::inspect::summary::{Contents, InspectedLayer, SizedPath};
use crate::location::{
    ContentBudget, Entries, EntryType, LANES, Location, TarError, UnpackError, Unpacked, is_tar, read_layer,
};

/// The memory that the names of store paths may take in one image, in bytes.
const MAX_NAMES: usize = 256 << 20;
/// What one of them takes beside its text.
const NAME: usize = 64;

/// A layer as it is read: the blob, and the diff id that it must have.
type Blob<'a> = (&'a str, Digest, u64, Option<Digest>);

/// Reads all layers of an image to their ends, several at once; checks their digests, sizes and diff ids. One that is
/// listed several times is read once.
pub(super) fn contents(
    location: &dyn Location,
    layers: &[InspectedLayer],
    largest: usize,
    budget: &ContentBudget,
) -> Result<Contents, UnpackError> {
    let mut distinct: BTreeMap<Blob<'_>, u64> = BTreeMap::new();
    for layer in layers.iter().filter(|layer| is_tar(&layer.media_type)) {
        let times = distinct.entry((&layer.media_type, layer.digest, layer.size, layer.diff_id)).or_default();
        *times = times.saturating_add(1);
    }
    let found = Mutex::new(Found::new(largest));
    for blobs in distinct.into_iter().collect::<Vec<_>>().chunks(LANES) {
        blobs.par_iter().try_for_each(|((media_type, digest, size, diff_id), times)| {
            let blob = Descriptor::new(media_type, *digest, *size);
            read_layer(location, &blob, *diff_id, budget, |entries| scan(entries, *times, &found))
        })?;
    }
    Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner).finish())
}

/// Reads one layer, which is `times` in the image.
fn scan(entries: &mut Entries<Unpacked>, times: u64, found: &Mutex<Found>) -> Result<(), TarError> {
    while let Some(entry) = entries.next()? {
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        found.entries = found.entries.saturating_add(times);
        if entry.kind != EntryType::File {
            continue;
        }
        let size = entry.size.saturating_mul(times);
        found.file_bytes = found.file_bytes.saturating_add(size);
        if let Some(store_path) = store_path(&entry.path) {
            found.add(store_path, size)?;
        }
        let path = format!("/{}", entry.path);
        let shown = times.min(found.largest as u64);
        (0..shown).for_each(|_| found.files.add(SizedPath { size: entry.size, path: path.clone() }));
    }
    Ok(())
}

/// What was found so far, in all layers.
struct Found {
    entries: u64,
    file_bytes: u64,
    files: Largest,
    store_paths: BTreeMap<String, u64>,
    /// What their names take.
    names: usize,
    largest: usize,
}

impl Found {
    fn new(largest: usize) -> Self {
        Self {
            entries: 0,
            file_bytes: 0,
            files: Largest::new(largest),
            store_paths: BTreeMap::new(),
            names: 0,
            largest,
        }
    }

    /// So many more bytes are in a store path.
    fn add(&mut self, store_path: String, size: u64) -> Result<(), TarError> {
        if let Some(sum) = self.store_paths.get_mut(&store_path) {
            *sum = sum.saturating_add(size);
            return Ok(());
        }
        self.names = self.names.saturating_add(store_path.len()).saturating_add(NAME);
        if self.names > MAX_NAMES {
            let reason = "is one store path too many: their names take more than 256 MiB".to_owned();
            return Err(TarError::Entry { path: store_path, reason });
        }
        self.store_paths.insert(store_path, size);
        Ok(())
    }

    fn finish(self) -> Contents {
        let mut paths = Largest::new(self.largest);
        for (path, size) in self.store_paths {
            paths.add(SizedPath { size, path });
        }
        Contents {
            entries: self.entries,
            file_bytes: self.file_bytes,
            files: self.files.into_sorted(),
            store_paths: paths.into_sorted(),
        }
    }
}

/// The first three parts of a path in the store.
fn store_path(path: &str) -> Option<String> {
    let name = path.strip_prefix("nix/store/")?.split('/').next()?;
    (!name.is_empty()).then(|| format!("/nix/store/{name}"))
}

/// Keeps the largest few; of equally large ones, those whose paths come first.
struct Largest {
    count: usize,
    heap: BinaryHeap<Reverse<(u64, Reverse<String>)>>,
}

impl Largest {
    fn new(count: usize) -> Self {
        Self { count, heap: BinaryHeap::new() }
    }

    fn add(&mut self, item: SizedPath) {
        self.heap.push(Reverse((item.size, Reverse(item.path))));
        if self.heap.len() > self.count {
            self.heap.pop();
        }
    }

    fn into_sorted(self) -> Vec<SizedPath> {
        let smallest_last = self.heap.into_sorted_vec();
        smallest_last.into_iter().map(|Reverse((size, Reverse(path)))| SizedPath { size, path }).collect()
    }
}
