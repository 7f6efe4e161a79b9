//! What an image consists of, for `seed inspect`: layers, the largest things in them, signatures that are attached.
//!
//! Nothing here says that an image is good: signatures are counted, not verified.

mod contents;
pub(crate) mod manifest;
mod signatures;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use seed_model::{Descriptor, Digest, Platform};
use serde::Serialize;

pub use contents::SizedPath;
pub(crate) use signatures::MAX_REFERRERS;
pub use signatures::{Artifact, Signatures};

pub use crate::source::ContentLimits;
use crate::source::{Source, SourceError, UnpackError, is_tar};

/// The most images of one index.
pub(crate) const MAX_IMAGES: usize = 256;

/// How closely to look.
#[derive(Clone, Debug, Default)]
pub struct InspectOptions {
    /// How many of the largest files and store paths to name; 0 leaves the layers unread.
    pub largest: usize,
    /// Bounds on what is read.
    pub limits: ContentLimits,
}

/// An image, or all images of an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Inspection {
    /// The place: repository, directory, file.
    pub place: String,
    /// Digest of the manifest or index.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// The images, in the order of the index.
    pub images: Vec<ImageSummary>,
    /// What is attached to the index and to each image: only those with something.
    pub signatures: Vec<Signatures>,
}

/// One image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ImageSummary {
    /// Digest of its manifest.
    pub digest: Digest,
    /// What it runs on.
    pub platform: Option<Platform>,
    /// `created` of the configuration.
    pub created: Option<String>,
    /// Fixed part of the command.
    pub entrypoint: Vec<String>,
    /// Default arguments.
    pub cmd: Vec<String>,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// Sum of the sizes of the layers, as stored, in bytes.
    pub size: u64,
    /// The layers, bottom first.
    pub layers: Vec<LayerSummary>,
    /// What takes the most space, where the layers were read.
    pub contents: Option<Contents>,
}

/// One layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LayerSummary {
    /// Media type.
    pub media_type: String,
    /// Digest of the blob.
    pub digest: Digest,
    /// Size of the blob in bytes.
    pub size: u64,
    /// Digest of the uncompressed tar, from the configuration.
    pub diff_id: Option<Digest>,
    /// Who made it, from the history of the configuration.
    pub created_by: Option<String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
}

/// What is in the layers of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Contents {
    /// Entries of all layers.
    pub entries: u64,
    /// Bytes of all files.
    pub file_bytes: u64,
    /// The largest files, largest first.
    pub files: Vec<SizedPath>,
    /// The largest store paths, largest first.
    pub store_paths: Vec<SizedPath>,
}

/// An image that cannot be inspected.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// Something cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A document does not follow its format.
    #[error("{what} {digest} of {place} cannot be used: {reason}")]
    Document {
        /// Which document.
        what: &'static str,
        /// Its digest.
        digest: Digest,
        /// Where it is.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A layer cannot be read, or is not what it should be.
    #[error(transparent)]
    Layer(#[from] UnpackError),
}

/// Looks at the image that `source` resolves to.
pub fn inspect(source: &dyn Source, options: &InspectOptions) -> Result<Inspection, InspectError> {
    let root = source.resolve()?;
    let document = manifest::parse(source, &root.descriptor, &root.bytes)?;
    let manifests: Vec<(Descriptor, manifest::Manifest)> = match document {
        manifest::Document::Manifest(manifest) => vec![(root.descriptor.clone(), *manifest)],
        manifest::Document::Index(descriptors) => images_of(source, &root.descriptor, descriptors)?,
    };
    let images = manifests
        .iter()
        .map(|(descriptor, manifest)| image(source, descriptor, manifest, options))
        .collect::<Result<Vec<_>, _>>()?;
    let mut subjects = vec![root.descriptor.digest];
    subjects
        .extend(images.iter().map(|image| image.digest).filter(|digest| *digest != root.descriptor.digest));
    let signatures = subjects
        .iter()
        .map(|subject| signatures::attached_to(source, *subject))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .filter(|found| !found.is_empty())
        .collect();
    Ok(Inspection {
        place: source.place(),
        digest: root.descriptor.digest,
        media_type: root.descriptor.media_type,
        images,
        signatures,
    })
}

fn images_of(
    source: &dyn Source,
    index: &Descriptor,
    descriptors: Vec<Descriptor>,
) -> Result<Vec<(Descriptor, manifest::Manifest)>, InspectError> {
    let error = |reason: String| InspectError::Document {
        what: "index",
        digest: index.digest,
        place: source.place(),
        reason,
    };
    if descriptors.len() > MAX_IMAGES {
        return Err(error(format!("it has more than {MAX_IMAGES} images")));
    }
    let mut manifests = Vec::with_capacity(descriptors.len());
    for descriptor in descriptors {
        let bytes = source.manifest(&descriptor)?;
        match manifest::parse(source, &descriptor, &bytes)? {
            manifest::Document::Manifest(manifest) => manifests.push((descriptor, *manifest)),
            manifest::Document::Index(_) => return Err(error("it holds another index".to_owned())),
        }
    }
    Ok(manifests)
}

fn image(
    source: &dyn Source,
    descriptor: &Descriptor,
    manifest: &manifest::Manifest,
    options: &InspectOptions,
) -> Result<ImageSummary, InspectError> {
    let config = manifest::config(source, manifest)?;
    let layers: Vec<LayerSummary> = manifest
        .layers
        .iter()
        .enumerate()
        .map(|(index, layer)| LayerSummary {
            media_type: layer.media_type.clone(),
            digest: layer.digest,
            size: layer.size,
            diff_id: config.diff_ids.get(index).copied(),
            created_by: config.created_by.get(index).cloned().flatten(),
            annotations: layer.annotations.clone(),
        })
        .collect();
    let contents = if options.largest == 0 { None } else { Some(contents_of(source, &layers, options)?) };
    Ok(ImageSummary {
        digest: descriptor.digest,
        platform: descriptor.platform.clone().or(config.platform),
        created: config.created,
        entrypoint: config.entrypoint,
        cmd: config.cmd,
        annotations: manifest.annotations.clone(),
        size: layers.iter().map(|layer| layer.size).fold(0, u64::saturating_add),
        layers,
        contents,
    })
}

/// Reads all layers, several at once.
fn contents_of(
    source: &dyn Source,
    layers: &[LayerSummary],
    options: &InspectOptions,
) -> Result<Contents, InspectError> {
    let scanned: Vec<contents::LayerContents> = layers
        .par_iter()
        .filter(|layer| is_tar(&layer.media_type))
        .map(|layer| contents::scan(source, layer, options))
        .collect::<Result<_, UnpackError>>()?;
    Ok(contents::merge(scanned, options.largest))
}
