//! Whether a layer that somebody else packed has what was planned, entry by entry.
//!
//! Two tars may say the same in different words: another compression, other kinds of headers. What they say is
//! compared, in its order. A header that says more than an entry of a plan can, or that readers could understand in
//! different ways, makes the layer another one.

use std::io::{self, Read};

use seed_model::{Digest, PackedLayer, total};

use crate::document::media_type::compression;
use crate::layer::LayerSpec;
use crate::location::{ContentBudget, ContentLimits, Entries, Entry, EntryType, Skip, TarError, Unpacked};
use crate::pack_error::PackError;
use crate::reader::LayerReader;
use crate::store::{BlobStore, StoreError};

/// Contents are compared in pieces of this many bytes.
const PIECE: usize = 256 << 10;

/// How many times as large as its NARs the tar of a layer may be. A header of ours takes less than eight times what a
/// NAR takes for the same node.
const MAX_OVERHEAD: u64 = 16;

/// What a tar may have besides, in bytes: an archive of nothing has blocks too. As many zeros may follow its end.
const MAX_FILLER: u64 = 1 << 20;

/// Why a layer is not the planned one.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Tar(#[from] TarError),
    /// An entry differs.
    #[error("`/{path}` {reason}")]
    Entry {
        /// The path in the image, escaped.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Bytes after the end of the archive, or more than a mebibyte of zeros.
    #[error("more than zeros follow the end of its archive")]
    Trailing,
    /// It unpacks to something else than its diff ID says.
    #[error("its diff ID is {found}, not {stated}")]
    DiffId {
        /// What the packer says.
        stated: Digest,
        /// The digest of the tar.
        found: Digest,
    },
    /// The blob has another size.
    #[error("its blob has {found} bytes, not {stated}")]
    Size {
        /// What the packer says.
        stated: u64,
        /// What it has.
        found: u64,
    },
    /// The blob cannot be had.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was planned cannot be read.
    #[error(transparent)]
    Planned(PackError),
}

impl From<io::Error> for CompareError {
    fn from(error: io::Error) -> Self {
        Self::Tar(error.into())
    }
}

/// Whether layers of this media type can be compared.
pub fn can_read(media_type: &str) -> bool {
    compression(media_type).is_some()
}

/// Compares a layer in the store with the plan of it, whose codec does not matter.
pub fn compare_layer(store: &BlobStore, layer: &PackedLayer, spec: LayerSpec) -> Result<(), CompareError> {
    let PackedLayer { descriptor, diff_id } = layer;
    let found = store.size(descriptor.digest)?.unwrap_or_default();
    if found != descriptor.size {
        return Err(CompareError::Size { stated: descriptor.size, found });
    }
    let entries = spec.entries.len() as u64;
    let content = spec.nar_size().saturating_add(total(spec.entries.iter().map(entry_size)));
    let limit = content.saturating_add(entries << 12).saturating_mul(MAX_OVERHEAD).saturating_add(MAX_FILLER);
    let blob = store.file(descriptor.digest)?;
    let limits = ContentLimits { unpacked: limit, ..ContentLimits::default() };
    let unpacked = Unpacked::new(blob, compression(&descriptor.media_type), &ContentBudget::new(&limits))?;
    let mut found = Entries::new(unpacked, limits.entries);
    let mut planned = Planned(Entries::new(LayerReader::new(spec), limits.entries));
    let mut pieces = Pieces::default();
    loop {
        match (planned.next()?, found.next()?) {
            (Some(planned_entry), Some(found_entry)) => {
                same_entry(&planned_entry, &found_entry)?;
                same_content(&mut planned, &planned_entry, &mut found, &found_entry, &mut pieces)?;
            }
            (Some(entry), None) => return Err(differs(&entry, "is planned and missing")),
            (None, Some(entry)) => return Err(differs(&entry, "is not planned")),
            (None, None) => break,
        }
    }
    // Some readers go on behind the blocks that end an archive.
    let mut rest = found.into_inner();
    let mut filler = 0_u64;
    loop {
        let read = rest.read(&mut pieces.found)?;
        if read == 0 {
            break;
        }
        filler = filler.saturating_add(read as u64);
        if filler > MAX_FILLER || pieces.found[..read].iter().any(|byte| *byte != 0) {
            return Err(CompareError::Trailing);
        }
    }
    let found = rest.digest();
    if found == *diff_id { Ok(()) } else { Err(CompareError::DiffId { stated: *diff_id, found }) }
}

/// Bytes that an entry of a plan has besides its header.
fn entry_size(entry: &seed_model::Entry) -> u64 {
    match &entry.kind {
        seed_model::EntryKind::File(content) => content.len() as u64,
        _ => 0,
    }
}

fn differs(entry: &Entry, reason: impl Into<String>) -> CompareError {
    let path = entry.path.chars().take(200).collect::<String>().escape_debug().to_string();
    CompareError::Entry { path, reason: reason.into() }
}

fn same_entry(planned: &Entry, found: &Entry) -> Result<(), CompareError> {
    if let Some(besides) = &found.besides {
        return Err(differs(found, format!("has {besides}, which no plan has")));
    }
    if planned.raw_path != found.raw_path {
        return Err(differs(found, format!("stands where `/{}` is planned", planned.path.escape_debug())));
    }
    if planned.kind != found.kind {
        let (planned, kind) = (name_of(planned.kind), name_of(found.kind));
        return Err(differs(found, format!("is {kind}, planned as {planned}")));
    }
    let octal = |mode: u64| format!("{mode:o}");
    let fields = [
        ("mode", octal(planned.mode), octal(found.mode)),
        ("owner", planned.uid.to_string(), found.uid.to_string()),
        ("group", planned.gid.to_string(), found.gid.to_string()),
        ("time", planned.modified.to_string(), found.modified.to_string()),
        ("target", target(planned), target(found)),
        ("size", planned.size.to_string(), found.size.to_string()),
    ];
    match fields.into_iter().find(|(_, planned, found)| planned != found) {
        None => Ok(()),
        Some((field, planned, is)) => {
            Err(differs(found, format!("has the {field} {is}, planned: {planned}")))
        }
    }
}

fn name_of(kind: EntryType) -> &'static str {
    match kind {
        EntryType::File => "a file",
        EntryType::Directory => "a directory",
        EntryType::Symlink => "a symbolic link",
        EntryType::HardLink => "a hard link",
        EntryType::Other => "something else",
    }
}

/// The target of a link; of anything else the field has no meaning.
fn target(entry: &Entry) -> String {
    let target = if entry.kind == EntryType::Symlink { &entry.target[..] } else { &[] };
    target.escape_ascii().to_string()
}

/// The tar of the plan. What it cannot give is no fault of whoever packed the layer.
struct Planned(Entries<LayerReader>);

impl Skip for LayerReader {}

impl Planned {
    fn next(&mut self) -> Result<Option<Entry>, CompareError> {
        self.0.next().map_err(planned_error)
    }

    fn read_content(&mut self, entry: &Entry, piece: &mut [u8]) -> Result<usize, CompareError> {
        self.0.read_content(entry, piece).map_err(planned_error)
    }
}

fn planned_error(error: TarError) -> CompareError {
    match error {
        TarError::Read(error) => match error.downcast::<PackError>() {
            Ok(error) => CompareError::Planned(error),
            Err(error) => CompareError::Tar(error.into()),
        },
        error => CompareError::Tar(error),
    }
}

/// A piece of either content.
struct Pieces {
    planned: Vec<u8>,
    found: Vec<u8>,
}

impl Default for Pieces {
    fn default() -> Self {
        Self { planned: vec![0; PIECE], found: vec![0; PIECE] }
    }
}

/// Compares contents of equal length.
fn same_content(
    planned: &mut Planned,
    planned_entry: &Entry,
    found: &mut Entries<Unpacked>,
    found_entry: &Entry,
    pieces: &mut Pieces,
) -> Result<(), CompareError> {
    loop {
        let length = planned.read_content(planned_entry, &mut pieces.planned)?;
        if length == 0 {
            return Ok(());
        }
        let mut filled = 0_usize;
        while filled < length {
            let read = found.read_content(found_entry, &mut pieces.found[filled..length])?;
            filled = filled.saturating_add(read);
        }
        if pieces.planned[..length] != pieces.found[..length] {
            return Err(differs(found_entry, "has other content than planned"));
        }
    }
}
