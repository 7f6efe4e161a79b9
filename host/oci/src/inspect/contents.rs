//! What takes space in a layer: its tar, read as a stream.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use seed_model::Descriptor;

use crate::inspect::summary::{Contents, InspectOptions, InspectedLayer, SizedPath};
use crate::location::{EntryType, Location, UnpackError, read_layer};

/// What is in one layer.
#[derive(Debug, Default)]
pub(super) struct LayerContents {
    entries: u64,
    file_bytes: u64,
    files: Vec<SizedPath>,
    store_paths: BTreeMap<String, u64>,
}

/// Reads one layer to its end; checks its digest, its size and its diff id.
pub(super) fn scan(
    location: &dyn Location,
    layer: &InspectedLayer,
    options: &InspectOptions,
) -> Result<LayerContents, UnpackError> {
    let blob = Descriptor::new(&layer.media_type, layer.digest, layer.size);
    read_layer(location, &blob, layer.diff_id, &options.limits, |entries| {
        let mut contents = LayerContents::default();
        let mut files = Largest::new(options.largest);
        while let Some(entry) = entries.next()? {
            contents.entries = contents.entries.saturating_add(1);
            if entry.kind != EntryType::File {
                continue;
            }
            contents.file_bytes = contents.file_bytes.saturating_add(entry.size);
            if let Some(store_path) = store_path(&entry.path) {
                add(&mut contents.store_paths, store_path, entry.size);
            }
            files.add(SizedPath { size: entry.size, path: format!("/{}", entry.path) });
        }
        contents.files = files.into_sorted();
        Ok(contents)
    })
}

/// The first three parts of a path in the store.
fn store_path(path: &str) -> Option<String> {
    let name = path.strip_prefix("nix/store/")?.split('/').next()?;
    (!name.is_empty()).then(|| format!("/nix/store/{name}"))
}

/// Adds to the size of a store path.
fn add(store_paths: &mut BTreeMap<String, u64>, path: String, size: u64) {
    let sum = store_paths.entry(path).or_default();
    *sum = sum.saturating_add(size);
}

/// What all layers hold together.
pub(super) fn merge(layers: Vec<LayerContents>, largest: usize) -> Contents {
    let mut contents = Contents::default();
    let (mut files, mut store_paths) = (Largest::new(largest), BTreeMap::<String, u64>::new());
    for layer in layers {
        contents.entries = contents.entries.saturating_add(layer.entries);
        contents.file_bytes = contents.file_bytes.saturating_add(layer.file_bytes);
        layer.files.into_iter().for_each(|file| files.add(file));
        for (path, size) in layer.store_paths {
            add(&mut store_paths, path, size);
        }
    }
    let mut paths = Largest::new(largest);
    for (path, size) in store_paths {
        paths.add(SizedPath { size, path });
    }
    contents.files = files.into_sorted();
    contents.store_paths = paths.into_sorted();
    contents
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
