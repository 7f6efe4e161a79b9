//! Whether `index.json` and `manifest.json` of one archive name the same images: OCI tools read the one, Docker the other.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use seed_model::{Descriptor, Digest, Hasher, Manifest};

use crate::document::media_type::is_document;
use crate::document::{LENIENT, ManifestOrIndex};
use crate::location::access::Location;
use crate::location::docker::{DockerImage, LISTING};
use crate::location::error::LocationError;
use crate::location::layout_files::{Files, REF_NAME, content, unusable};

/// What an image consists of: one digest of those of its configuration and layers.
type Identity = Digest;

/// An image of `index.json`, or an index over several.
struct Root<'a> {
    descriptor: &'a Descriptor,
    /// Its manifests, by what they consist of.
    manifests: BTreeMap<Identity, Descriptor>,
}

/// Compares the images of `manifest.json` with `roots`, those of `index.json`. Gives the manifest in the layout of each
/// name in `manifest.json`.
///
/// Each image of `manifest.json` must be one of `index.json`, with the same configuration and layers, and of each root
/// at least one must be in `manifest.json`: Docker has no multi-platform images there. A name in both means one image.
pub(super) fn check(
    files: &dyn Files,
    layout: &dyn Location,
    roots: &[Descriptor],
    images: &[DockerImage],
) -> Result<Vec<(String, Descriptor)>, LocationError> {
    let differ = |reason: String| LocationError::TwoImages { place: files.place(), reason };
    let roots = roots.iter().map(|root| open(layout, root)).collect::<Result<Vec<_>, _>>()?;
    let mut digests = Digests { files, known: BTreeMap::new() };
    let (mut names, mut seen) = (Vec::new(), BTreeSet::new());
    for image in images {
        let layers = image.layers.iter().map(|layer| digests.of(layer)).collect::<Result<Vec<_>, _>>()?;
        let identity = identity(digests.of(&image.config)?, layers);
        seen.insert(identity);
        if !roots.iter().any(|root| root.manifests.contains_key(&identity)) {
            let name = image.names().first().unwrap_or(&image.config);
            return Err(differ(format!("`{name}` of {LISTING} is not one of the images in index.json")));
        }
        for name in image.names() {
            let found = meant(&roots, name).into_iter().find_map(|root| root.manifests.get(&identity));
            let Some(manifest) = found else {
                return Err(differ(format!("`{name}` of {LISTING} is another image than in index.json")));
            };
            names.push((name.clone(), manifest.clone()));
        }
    }
    match roots.iter().find(|root| root.manifests.keys().all(|identity| !seen.contains(identity))) {
        None => Ok(names),
        Some(root) => {
            let name = root.name().map_or_else(|| root.descriptor.digest.to_string(), str::to_owned);
            Err(differ(format!("{LISTING} lacks `{name}` of index.json")))
        }
    }
}

/// The roots that a name of `manifest.json` may mean: those with that name, or else those with its tag, since many tools
/// write no more than that into `index.json`, or else any.
fn meant<'a, 'b>(roots: &'b [Root<'a>], name: &str) -> Vec<&'b Root<'a>> {
    fn tag(name: &str) -> &str {
        name.rsplit(':').next().unwrap_or(name)
    }
    let with = |is_meant: &dyn Fn(&str) -> bool| -> Vec<_> {
        roots.iter().filter(|root| root.name().is_some_and(is_meant)).collect()
    };
    let same = [with(&|own| own == name), with(&|own| tag(own) == tag(name))];
    same.into_iter().find(|found| !found.is_empty()).unwrap_or_else(|| roots.iter().collect())
}

impl Root<'_> {
    fn name(&self) -> Option<&str> {
        self.descriptor.annotations.get(REF_NAME).map(String::as_str)
    }
}

/// Reads the manifests of a root. `docker save` leaves those out that it does not have.
fn open<'a>(layout: &dyn Location, descriptor: &'a Descriptor) -> Result<Root<'a>, LocationError> {
    let wrong = |error: crate::document::DocumentError| LocationError::Document {
        what: "an image".to_owned(),
        place: layout.place(),
        reason: error.to_string(),
    };
    let read =
        |descriptor: &Descriptor| LENIENT.document(descriptor, &layout.manifest(descriptor)?).map_err(wrong);
    let mut manifests = BTreeMap::new();
    match read(descriptor)? {
        ManifestOrIndex::Manifest(manifest) => {
            manifests.insert(identity_of(&manifest), descriptor.clone());
        }
        ManifestOrIndex::Index(index) => {
            let mut seen = BTreeSet::new();
            for child in index.manifests {
                if !is_document(&child.media_type) || !seen.insert(child.digest) {
                    continue;
                }
                match read(&child) {
                    Ok(ManifestOrIndex::Manifest(manifest)) => {
                        manifests.insert(identity_of(&manifest), child);
                    }
                    Ok(ManifestOrIndex::Index(_)) | Err(LocationError::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(Root { descriptor, manifests })
}

fn identity_of(manifest: &Manifest) -> Identity {
    identity(manifest.config.digest, manifest.layers.iter().map(|layer| layer.digest))
}

fn identity(config: Digest, layers: impl IntoIterator<Item = Digest>) -> Identity {
    let mut hasher = Hasher::new();
    hasher.update(config.as_bytes());
    layers.into_iter().for_each(|layer| hasher.update(layer.as_bytes()));
    hasher.finish()
}

/// The digests of files, each read once.
struct Digests<'a> {
    files: &'a dyn Files,
    known: BTreeMap<String, Digest>,
}

impl Digests<'_> {
    fn of(&mut self, name: &str) -> Result<Digest, LocationError> {
        if let Some(digest) = self.known.get(name) {
            return Ok(*digest);
        }
        let Some((_, mut reader)) = content(self.files, name)? else {
            return Err(unusable(self.files, name, "the archive does not contain it"));
        };
        // Whoever reads the blob compares it with its name.
        let digest = if let Some(digest) = blob(name) {
            digest
        } else {
            let mut hasher = Hasher::new();
            io::copy(&mut reader, &mut hasher).map_err(|e| unusable(self.files, name, e.to_string()))?;
            hasher.finish()
        };
        self.known.insert(name.to_owned(), digest);
        Ok(digest)
    }
}

/// The digest in the name of a blob's file.
fn blob(name: &str) -> Option<Digest> {
    format!("sha256:{}", name.strip_prefix("blobs/sha256/")?).parse().ok()
}

#[cfg(test)]
mod tests;
