//! What goes into a layer, and the key of that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use seed_model::{Codec, Digest, Entry, EntryKind, total};
use serde::Serialize;

use crate::codec::{CodecError, codec_id};
use crate::tar::ENTRY_RULES;

/// A header of a tar with the padding behind it, in bytes, about.
const HEADER: u64 = 1024;

/// A path to pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathSpec {
    /// Its name, such as `/nix/store/…-hello`, for keys and messages.
    pub store_path: String,
    /// Where its root lands in the image, without a slash at either end: `nix/store/…-hello`. Empty for a directory
    /// whose *contents* go to the image's root.
    pub target: String,
    /// Where it is on this machine.
    pub source: PathBuf,
    /// Digest of its NAR, which is checked when it is read.
    pub nar_hash: Digest,
    /// Size of its NAR in bytes.
    pub nar_size: u64,
}

/// A layer to pack. In its tar stand, in this order: directories (those of `entries`, and the parents of everything,
/// sorted), the paths in the order given, the other entries sorted by path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerSpec {
    pub paths: Vec<PathSpec>,
    /// Entries that are in no path.
    pub entries: Vec<Entry>,
    /// How it is compressed.
    pub codec: Codec,
}

#[derive(Serialize)]
struct KeyDocument<'a> {
    /// Names the kind and version of key.
    kind: &'static str,
    rules: u32,
    codec: String,
    paths: Vec<KeyPath<'a>>,
    entries: &'a [Entry],
}

#[derive(Serialize)]
struct KeyPath<'a> {
    store_path: &'a str,
    target: &'a str,
    nar_hash: Digest,
}

impl LayerSpec {
    /// The layer key: the digest of everything that decides the layer's bytes, known before any is read.
    pub fn key(&self) -> Result<Digest, CodecError> {
        let paths = self.paths.iter().map(|path| KeyPath {
            store_path: &path.store_path,
            target: &path.target,
            nar_hash: path.nar_hash,
        });
        Ok(key_of(&KeyDocument {
            kind: "seed layer 1",
            rules: ENTRY_RULES,
            codec: codec_id(self.codec)?,
            paths: paths.collect(),
            entries: &self.entries,
        }))
    }

    /// The sum of the NAR sizes in bytes: what packing has to read.
    pub fn nar_size(&self) -> u64 {
        total(self.paths.iter().map(|path| path.nar_size))
    }

    /// About how many bytes the layer's tar has: known before anything is read, and the same on every machine.
    pub fn tar_size(&self) -> u64 {
        let content = |entry: &Entry| match &entry.kind {
            EntryKind::File(content) => content.len() as u64,
            EntryKind::Directory | EntryKind::Symlink(_) | EntryKind::Registration => 0,
        };
        let headers =
            (self.paths.len() as u64).saturating_add(self.entries.len() as u64).saturating_mul(HEADER);
        total(self.entries.iter().map(content).chain([self.nar_size(), headers]))
    }
}

/// The digest of a key document.
pub(crate) fn key_of(document: &impl Serialize) -> Digest {
    Digest::of(&serde_json::to_vec(document).expect("key documents have string keys only"))
}

/// Gives directories the same attributes in every layer: where a layer needs a directory only as the parent of
/// something, and another layer declares it as an entry, the layer gets that entry too (the topmost one there is).
/// Without this a later layer would turn a declared `/tmp` of mode 1777 into one of mode 0755, since attributes of the
/// upper layer win (OCI image specification, layer.md).
pub fn share_directories(layers: &mut [LayerSpec]) {
    let mut declared = BTreeMap::new();
    for entry in layers.iter().flat_map(|layer| &layer.entries) {
        if entry.kind == EntryKind::Directory {
            declared.insert(entry.path.clone(), entry.clone());
        }
    }
    for layer in layers {
        let targets = layer.paths.iter().map(|path| format!("/{}", path.target));
        let wanted: BTreeSet<String> = targets
            .chain(layer.entries.iter().map(|entry| entry.path.clone()))
            .flat_map(|path| {
                path.match_indices('/').map(|(end, _)| path[..end].to_owned()).collect::<Vec<_>>()
            })
            .collect();
        let own: BTreeSet<String> = layer.entries.iter().map(|entry| entry.path.clone()).collect();
        let missing = wanted.difference(&own).filter_map(|path| declared.get(path).cloned());
        layer.entries.extend(missing);
    }
}
