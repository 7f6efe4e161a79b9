//! Layers, read as streams: decompressed, and checked against what the image says of them.

use std::io::{self, PipeReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use flate2::read::MultiGzDecoder;
use seed_model::{Descriptor, Digest, Hasher};

use crate::document::media_type::{Compression, compression};
use crate::location::access::Location;
use crate::location::entries::{Entries, Skip};
use crate::location::entry::TarError;
use crate::location::error::LocationError;

/// Layers that are read at once at most. Each may take 128 MiB for the window of zstd, and a registry gives a few
/// connections more than one, and not more for many.
pub(crate) const LANES: usize = 4;

/// Bounds on what is read of layers.
#[derive(Clone, Copy, Debug)]
pub struct ContentLimits {
    /// Entries of one layer.
    pub entries: u64,
    /// Bytes of the uncompressed tars, of all layers together.
    pub unpacked: u64,
}

impl Default for ContentLimits {
    /// Two million entries, 256 GiB.
    fn default() -> Self {
        Self { entries: 2_000_000, unpacked: 256 << 30 }
    }
}

/// What is left of the limits, for all layers that one command reads.
#[derive(Debug)]
pub(crate) struct ContentBudget {
    entries: u64,
    unpacked: Arc<AtomicU64>,
}

impl ContentBudget {
    pub(crate) fn new(limits: &ContentLimits) -> Self {
        Self { entries: limits.entries, unpacked: Arc::new(AtomicU64::new(limits.unpacked)) }
    }
}

/// A layer that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// Its blob cannot be had.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// It is not what it should be.
    #[error("cannot read layer {digest} of {place}: {source}")]
    Tar {
        digest: Digest,
        /// Where it is.
        place: String,
        source: TarError,
    },
    /// It unpacks to something else than the configuration says.
    #[error("layer {digest} of {place} has the diff ID {actual}, but the config says {expected}")]
    DiffId {
        digest: Digest,
        /// Where it is.
        place: String,
        /// The diff id of the configuration.
        expected: Digest,
        /// The digest of the tar.
        actual: Digest,
    },
}

/// The largest window of zstd that is decoded, as a power of two: 128 MiB, what level 22 needs.
const MAX_WINDOW_LOG: u32 = 27;

/// Whether a blob of this type is a layer that can be read.
pub(crate) fn is_tar(media_type: &str) -> bool {
    compression(media_type).is_some()
}

/// Gives the entries of a layer to `read`, and reads the layer to its end; checks its digest, its size, and its diff id
/// where that is known. What `read` gives may be used only when all of that is right.
pub(crate) fn read_layer<T>(
    location: &dyn Location,
    layer: &Descriptor,
    diff_id: Option<Digest>,
    budget: &ContentBudget,
    read: impl FnOnce(&mut Entries<Unpacked>) -> Result<T, TarError>,
) -> Result<T, UnpackError> {
    let error =
        |tar: TarError| UnpackError::Tar { digest: layer.digest, place: location.place(), source: tar };
    let (reader, mut writer) = io::pipe().map_err(|e| error(e.into()))?;
    let (copied, read) = thread::scope(|scope| {
        let copying = scope.spawn(move || location.copy(layer, &mut writer));
        let read = read_tar(reader, &layer.media_type, budget, read);
        (copying.join().expect("copying does not panic"), read)
    });
    let (value, actual) = match (copied, read) {
        // When reading stops early, the copy only notices that nobody listens.
        (Err(LocationError::Copy { source, .. }), Err(e)) if source.kind() == io::ErrorKind::BrokenPipe => {
            return Err(error(e));
        }
        (Err(e), _) => return Err(e.into()),
        (Ok(()), Err(e)) => return Err(error(e)),
        (Ok(()), Ok(read)) => read,
    };
    match diff_id {
        Some(expected) if expected != actual => {
            Err(UnpackError::DiffId { digest: layer.digest, place: location.place(), expected, actual })
        }
        _ => Ok(value),
    }
}

fn read_tar<T>(
    reader: PipeReader,
    media_type: &str,
    budget: &ContentBudget,
    read: impl FnOnce(&mut Entries<Unpacked>) -> Result<T, TarError>,
) -> Result<(T, Digest), TarError> {
    let unpacked = Unpacked::new(reader, compression(media_type), budget)?;
    let mut entries = Entries::new(unpacked, budget.entries);
    let value = read(&mut entries)?;
    while entries.next()?.is_some() {}
    // The end-of-archive blocks, and whatever a writer put behind them, belong to the diff id too.
    let mut rest = entries.into_inner();
    io::copy(&mut rest, &mut io::sink())?;
    Ok((value, rest.digest()))
}

/// The uncompressed tar: hashed, and at most as many bytes as are left for all layers.
pub(crate) struct Unpacked {
    reader: Box<dyn Read>,
    hasher: Hasher,
    left: Arc<AtomicU64>,
}

impl Unpacked {
    /// Decompresses `reader`; more bytes than are left of `budget` are an error.
    pub(crate) fn new(
        reader: impl Read + 'static,
        compression: Option<Compression>,
        budget: &ContentBudget,
    ) -> io::Result<Self> {
        let reader: Box<dyn Read> = match compression {
            None | Some(Compression::None) => Box::new(reader),
            Some(Compression::Gzip) => Box::new(MultiGzDecoder::new(reader)),
            Some(Compression::Zstd) => {
                let mut decoder = zstd::Decoder::new(reader)?;
                decoder.window_log_max(MAX_WINDOW_LOG)?;
                Box::new(decoder)
            }
        };
        Ok(Self { reader, hasher: Hasher::new(), left: Arc::clone(&budget.unpacked) })
    }

    /// The digest of what has been read.
    pub(crate) fn digest(self) -> Digest {
        self.hasher.finish()
    }
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        let less = |left: u64| left.checked_sub(read as u64);
        let too_large =
            |_| io::Error::new(io::ErrorKind::InvalidData, "its uncompressed size exceeds the limit");
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).map_err(too_large)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

impl Skip for Unpacked {}
