//! From an image back to store paths: what a build seed holds, and its paths as NARs.
//!
//! Two files in a build seed say what is in it: the registration that Nix loads, and which path is in which layer, so
//! that only the layers that are needed are read. Both are claims; each NAR is compared with the hash that the
//! registration gives.

mod nar;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use seed_model::{Descriptor, Digest, Manifest, Platform, StorePath};

use crate::ImageError;
use crate::document::{Configuration, ManifestOrIndex, STRICT};
use crate::location::{
    ContentBudget, ContentLimits, Entries, Entry, EntryType, Location, TarError, Unpacked, read_layer,
};
use nar::{NarWriter, Node};

/// The annotation of a manifest that says what the image is for.
const VARIANT: &str = "io.github.seed-oci.variant";
/// The text that `nix-store --load-db` reads.
const REGISTRATION: &str = "nix/seed/registration";
/// Per layer of the image, bottom first, a line with the numbers of its paths in the registration.
const LAYERS: &str = "nix/seed/layers";
/// The largest of these two files in bytes: some hundred thousand paths.
const MAX_LISTING: u64 = 64 << 20;
const STORE: &[u8] = b"nix/store/";
/// File contents are copied in pieces of this size.
const PIECE: usize = 256 << 10;

/// Why an image gives no store paths.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// It cannot be read, or is not what it says.
    #[error(transparent)]
    Image(ImageError),
    /// It has no image for this platform.
    #[error("{place} has no image for {platform}; available: {}", known.join(", "))]
    Platform {
        /// Where it is.
        place: String,
        /// What was looked for.
        platform: Platform,
        /// What there is.
        known: Vec<String>,
    },
    /// It was not made to build in.
    #[error("{digest} in {place} is not a build seed")]
    NotABuildSeed {
        digest: Digest,
        /// Where it is.
        place: String,
    },
    /// What it says about its contents cannot be used.
    #[error("invalid `/{file}` in {place}: {reason}")]
    Listing {
        file: &'static str,
        /// Where the image is.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl<E: Into<ImageError>> From<E> for RestoreError {
    fn from(error: E) -> Self {
        Self::Image(error.into())
    }
}

/// A build seed for one platform.
#[derive(Debug)]
pub struct BuildSeed {
    /// Digest of its manifest.
    pub digest: Digest,
    /// The registration of its store paths, as `nix-store --load-db` reads it.
    pub registration: String,
    /// Which paths each of its layers has, as numbers of paths in the registration.
    pub paths: Vec<Vec<u32>>,
    layers: Vec<(Descriptor, Digest)>,
    /// For all layers that are read.
    budget: ContentBudget,
}

impl BuildSeed {
    /// Opens the build seed for `platform` at what `location` resolves to. Of its layers only those are read, from the
    /// top, that say what is in it.
    pub fn open(
        location: &dyn Location,
        root: &Descriptor,
        platform: &Platform,
    ) -> Result<Self, RestoreError> {
        let (digest, manifest) = choose(location, root, platform)?;
        if manifest.annotations.get(VARIANT).map(String::as_str) != Some("build") {
            return Err(RestoreError::NotABuildSeed { digest, place: location.place() });
        }
        let config = location.read(&manifest.config)?;
        let configuration = Configuration::read(&manifest.config, &config, manifest.layers.len())?;
        if configuration.platform != *platform {
            let known = vec![configuration.platform.to_string()];
            return Err(RestoreError::Platform {
                place: location.place(),
                platform: platform.clone(),
                known,
            });
        }
        let layers: Vec<_> = manifest.layers.into_iter().zip(configuration.diff_ids).collect();
        let budget = ContentBudget::new(&ContentLimits::default());
        for (layer, diff_id) in layers.iter().rev() {
            let listing = read_layer(location, layer, Some(*diff_id), &budget, listing)?;
            let [Some(registration), Some(paths)] = listing else { continue };
            let unusable =
                |file, reason: String| RestoreError::Listing { file, place: location.place(), reason };
            let registration =
                String::from_utf8(registration).map_err(|e| unusable(REGISTRATION, e.to_string()))?;
            let paths = parse(&paths, layers.len()).map_err(|reason| unusable(LAYERS, reason))?;
            return Ok(Self { digest, registration, paths, layers, budget });
        }
        Err(RestoreError::NotABuildSeed { digest, place: location.place() })
    }

    /// The size of a layer as it is stored, in bytes.
    pub fn layer_size(&self, layer: usize) -> u64 {
        self.layers[layer].0.size
    }

    /// Writes the NARs of `wanted`, which must be in this layer, into `directory`, each to a file that is named like
    /// its store path. None of them is larger than its `nar_size`, and each has its `nar_hash`, or this is an error.
    pub fn restore(
        &self,
        location: &dyn Location,
        layer: usize,
        wanted: &[&StorePath],
        directory: &Path,
    ) -> Result<(), RestoreError> {
        let (descriptor, diff_id) = &self.layers[layer];
        Ok(read_layer(location, descriptor, Some(*diff_id), &self.budget, |entries| {
            restore(entries, wanted, directory)
        })?)
    }
}

/// The manifest of an image, or the one for `platform` of an index.
fn choose(
    location: &dyn Location,
    root: &Descriptor,
    platform: &Platform,
) -> Result<(Digest, Manifest), RestoreError> {
    let index = match STRICT.document(root, &location.manifest(root)?)? {
        ManifestOrIndex::Manifest(manifest) => return Ok((root.digest, *manifest)),
        ManifestOrIndex::Index(index) => index,
    };
    let descriptor = index.manifests.iter().find(|manifest| manifest.platform.as_ref() == Some(platform));
    let descriptor = descriptor.ok_or_else(|| RestoreError::Platform {
        place: location.place(),
        platform: platform.clone(),
        known: index.manifests.iter().filter_map(|d| Some(d.platform.as_ref()?.to_string())).collect(),
    })?;
    Ok((descriptor.digest, STRICT.manifest(descriptor, &location.manifest(descriptor)?)?))
}

/// The two files that list an image's contents, as far as a layer has them.
fn listing(entries: &mut Entries<Unpacked>) -> Result<[Option<Vec<u8>>; 2], TarError> {
    let mut found = [None, None];
    while let Some(entry) = entries.next()? {
        let Some(index) = [REGISTRATION, LAYERS].iter().position(|file| entry.path == *file) else {
            continue;
        };
        if entry.kind != EntryType::File || entry.size > MAX_LISTING {
            return Err(refused(&entry, "is not a file or is larger than 64 MiB"));
        }
        let mut bytes = Vec::new();
        copy(entries, &entry, &mut |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        found[index] = Some(bytes);
    }
    Ok(found)
}

/// Reads the lines of [`LAYERS`], of which there is one for each of the layers.
fn parse(text: &[u8], layers: usize) -> Result<Vec<Vec<u32>>, String> {
    let text = std::str::from_utf8(text).map_err(|e| e.to_string())?;
    let lines = text.lines().count();
    if lines != layers {
        return Err(format!("it lists {lines} layers of {layers}"));
    }
    let number = |word: &str| word.parse().map_err(|_| "it contains values that are not numbers".to_owned());
    text.lines().map(|line| line.split_ascii_whitespace().map(number).collect()).collect()
}

/// A store path that is being written.
struct Current<'a> {
    name: Vec<u8>,
    path: &'a StorePath,
    nar: NarWriter<BufWriter<File>>,
}

impl Current<'_> {
    fn finish(self) -> Result<(), TarError> {
        let (hash, size) = self.nar.finish()?;
        if (hash, size) == (self.path.nar_hash, self.path.nar_size) {
            return Ok(());
        }
        let reason = format!(
            "has the NAR hash {hash} ({size} bytes), but its registration says {} ({} bytes)",
            self.path.nar_hash, self.path.nar_size
        );
        Err(TarError::Entry { path: self.path.store_path.clone(), reason })
    }
}

fn restore(entries: &mut Entries<Unpacked>, wanted: &[&StorePath], directory: &Path) -> Result<(), TarError> {
    let name = |path: &StorePath| path.store_path.rsplit('/').next().unwrap_or_default().to_owned();
    let mut wanted: BTreeMap<Vec<u8>, &StorePath> =
        wanted.iter().map(|path| (name(path).into_bytes(), *path)).collect();
    let mut current: Option<Current<'_>> = None;
    while let Some(entry) = entries.next()? {
        let Some(rest) = entry.raw_path.strip_prefix(STORE) else { continue };
        let mut parts = rest.split(|byte| *byte == b'/');
        let name = parts.next().unwrap_or_default();
        if current.as_ref().is_none_or(|current| current.name != name) {
            current.take().map_or(Ok(()), Current::finish)?;
            let Some(path) = wanted.remove(name) else { continue };
            let file = directory.join(path.store_path.rsplit('/').next().unwrap_or_default());
            #[expect(
                clippy::disallowed_methods,
                reason = "a NAR for Nix in a scratch directory: gone when the process is"
            )]
            let out = BufWriter::new(File::create_new(file)?);
            current = Some(Current { name: name.to_owned(), path, nar: NarWriter::new(out, path.nar_size)? });
        }
        let Some(Current { nar, .. }) = &mut current else { continue };
        let node = match entry.kind {
            EntryType::File => Node::File { executable: entry.executable, size: entry.size },
            EntryType::Directory => Node::Directory,
            EntryType::Symlink => Node::Symlink(&entry.target),
            EntryType::HardLink | EntryType::Other => {
                return Err(refused(&entry, "has a file type that store paths cannot contain"));
            }
        };
        nar.node(&parts.collect::<Vec<_>>(), node)?;
        if entry.kind == EntryType::File {
            copy(entries, &entry, &mut |piece| nar.contents(piece))?;
            nar.file_end(entry.size)?;
        }
    }
    current.map_or(Ok(()), Current::finish)?;
    match wanted.into_values().next() {
        None => Ok(()),
        Some(path) => Err(TarError::Entry {
            path: path.store_path.clone(),
            reason: "is missing from the layer".to_owned(),
        }),
    }
}

/// Gives the content of an entry to `out`, piece by piece.
fn copy(
    entries: &mut Entries<Unpacked>,
    entry: &Entry,
    out: &mut dyn FnMut(&[u8]) -> Result<(), TarError>,
) -> Result<(), TarError> {
    let mut piece = vec![0; PIECE];
    loop {
        match entries.read_content(entry, &mut piece)? {
            0 => return Ok(()),
            read => out(&piece[..read])?,
        }
    }
}

fn refused(entry: &Entry, reason: &str) -> TarError {
    TarError::Entry { path: format!("/{}", entry.path), reason: reason.to_owned() }
}
