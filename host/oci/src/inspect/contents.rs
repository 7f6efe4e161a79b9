//! What takes space in a layer: its tar, read as a stream.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::io::{self, PipeReader, Read};
use std::thread;

use flate2::read::MultiGzDecoder;
use seed_model::{Descriptor, Hasher};
use serde::Serialize;

use super::{Contents, InspectError, InspectOptions, LayerSummary};
use crate::source::{Entries, EntryType, Skip, Source, SourceError, TarError};

/// Bounds on what is read of one layer.
#[derive(Clone, Copy, Debug)]
pub struct ContentLimits {
    /// Entries.
    pub entries: u64,
    /// Bytes of the uncompressed tar.
    pub unpacked: u64,
}

impl Default for ContentLimits {
    /// Two million entries, 64 GiB.
    fn default() -> Self {
        Self { entries: 2_000_000, unpacked: 64 << 30 }
    }
}

/// The largest window of zstd that is decoded, as a power of two: 128 MiB, what level 22 needs.
const MAX_WINDOW_LOG: u32 = 27;

/// A path and its size.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SizedPath {
    /// Size in bytes.
    pub size: u64,
    /// Absolute path.
    pub path: String,
}

/// What is in one layer.
#[derive(Debug, Default)]
pub(super) struct LayerContents {
    entries: u64,
    file_bytes: u64,
    files: Vec<SizedPath>,
    store_paths: BTreeMap<String, u64>,
}

#[derive(Clone, Copy)]
enum Compression {
    None,
    Gzip,
    Zstd,
}

fn compression(media_type: &str) -> Option<Compression> {
    match media_type {
        "application/vnd.oci.image.layer.v1.tar" | "application/vnd.docker.image.rootfs.diff.tar" => {
            Some(Compression::None)
        }
        "application/vnd.oci.image.layer.v1.tar+gzip"
        | "application/vnd.docker.image.rootfs.diff.tar.gzip" => Some(Compression::Gzip),
        "application/vnd.oci.image.layer.v1.tar+zstd" => Some(Compression::Zstd),
        _ => None,
    }
}

/// Whether a blob of this type is a layer that can be read.
pub(super) fn is_tar(media_type: &str) -> bool {
    compression(media_type).is_some()
}

/// Reads one layer to its end; checks its digest, its size and its diff id.
pub(super) fn scan(
    source: &dyn Source,
    layer: &LayerSummary,
    options: &InspectOptions,
) -> Result<LayerContents, InspectError> {
    let blob = Descriptor::new(&layer.media_type, layer.digest, layer.size);
    let error = |source_error: TarError| InspectError::Layer {
        digest: layer.digest,
        place: source.place(),
        source: source_error,
    };
    let (reader, mut writer) = io::pipe().map_err(|e| error(e.into()))?;
    let (copied, read) = thread::scope(|scope| {
        let copying = scope.spawn(move || source.copy(&blob, &mut writer));
        let read = read_tar(reader, &layer.media_type, options);
        (copying.join().expect("copying does not panic"), read)
    });
    let (contents, diff_id) = match (copied, read) {
        // When reading stops early, the copy only notices that nobody listens.
        (Err(SourceError::Copy { source, .. }), Err(e)) if source.kind() == io::ErrorKind::BrokenPipe => {
            return Err(error(e));
        }
        (Err(e), _) => return Err(e.into()),
        (Ok(()), Err(e)) => return Err(error(e)),
        (Ok(()), Ok(read)) => read,
    };
    match layer.diff_id {
        Some(expected) if expected != diff_id => Err(InspectError::DiffId {
            digest: layer.digest,
            place: source.place(),
            expected,
            actual: diff_id,
        }),
        _ => Ok(contents),
    }
}

fn read_tar(
    reader: PipeReader,
    media_type: &str,
    options: &InspectOptions,
) -> Result<(LayerContents, seed_model::Digest), TarError> {
    let decoder: Box<dyn Read> = match compression(media_type) {
        None | Some(Compression::None) => Box::new(reader),
        Some(Compression::Gzip) => Box::new(MultiGzDecoder::new(reader)),
        Some(Compression::Zstd) => {
            let mut decoder = zstd::Decoder::new(reader)?;
            decoder.window_log_max(MAX_WINDOW_LOG)?;
            Box::new(decoder)
        }
    };
    let unpacked = Unpacked { reader: decoder, hasher: Hasher::new(), left: options.limits.unpacked };
    let mut entries = Entries::new(unpacked, options.limits.entries);
    let mut contents = LayerContents::default();
    let mut files = Largest::new(options.largest);
    while let Some(entry) = entries.next()? {
        contents.entries += 1;
        if entry.kind != EntryType::File {
            continue;
        }
        contents.file_bytes = contents.file_bytes.saturating_add(entry.size);
        if let Some(store_path) = store_path(&entry.path) {
            *contents.store_paths.entry(store_path).or_default() += entry.size;
        }
        files.add(SizedPath { size: entry.size, path: format!("/{}", entry.path) });
    }
    contents.files = files.into_sorted();
    // The end-of-archive blocks, and whatever a writer put behind them, belong to the diff id too.
    let mut rest = entries.into_inner();
    io::copy(&mut rest, &mut io::sink())?;
    Ok((contents, rest.hasher.finish()))
}

/// The first three parts of a path in the store.
fn store_path(path: &str) -> Option<String> {
    let name = path.strip_prefix("nix/store/")?.split('/').next()?;
    (!name.is_empty()).then(|| format!("/nix/store/{name}"))
}

/// What all layers hold together.
pub(super) fn merge(layers: Vec<LayerContents>, largest: usize) -> Contents {
    let mut contents = Contents::default();
    let (mut files, mut store_paths) = (Largest::new(largest), BTreeMap::<String, u64>::new());
    for layer in layers {
        contents.entries += layer.entries;
        contents.file_bytes = contents.file_bytes.saturating_add(layer.file_bytes);
        layer.files.into_iter().for_each(|file| files.add(file));
        for (path, size) in layer.store_paths {
            *store_paths.entry(path).or_default() += size;
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

/// The uncompressed tar: hashed, and at most so many bytes.
struct Unpacked {
    reader: Box<dyn Read>,
    hasher: Hasher,
    left: u64,
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        if read as u64 > self.left {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "it unpacks to more bytes than the limit",
            ));
        }
        self.left -= read as u64;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

impl Skip for Unpacked {}
