//! Whether an image is whole and says the truth about itself, for `seed verify`: each document has its form, each blob
//! its digest and size, each layer its diff id. Who vouches for it is not decided here.

mod root;

use std::collections::{BTreeMap, BTreeSet};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use seed_model::{Descriptor, Digest, Platform};
use serde::Serialize;

use crate::ImageError;
use crate::document::media_type::MANIFEST;
use crate::document::{Configuration, DocumentError, MAX_IMAGES, ManifestOrIndex, STRICT};
use crate::inspect::MAX_REFERRERS;
use crate::location::{
    ContentBudget, ContentLimits, Document, Entries, LANES, Location, LocationError, UnpackError, Unpacked,
    is_tar, read_layer,
};
use root::{Budget, LayerPaths, Root};

/// An image all of which was read and found right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VerifiedImage {
    /// The place: repository, directory, file.
    pub place: String,
    /// Media type of its manifest or index.
    pub media_type: String,
    /// Digest of its manifest or index.
    pub digest: Digest,
    /// Size of its manifest or index in bytes.
    pub size: u64,
    /// The images, in the order of the index.
    pub images: Vec<ImageContent>,
}

/// One image of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ImageContent {
    /// Digest of its manifest.
    pub digest: Digest,
    /// What it runs on.
    pub platform: Platform,
    /// The layers, bottom first.
    pub layers: Vec<LayerContent>,
}

/// One layer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LayerContent {
    pub media_type: String,
    /// Digest of the blob.
    pub digest: Digest,
    /// Size of the blob in bytes.
    pub size: u64,
    /// Digest of the uncompressed tar.
    pub diff_id: Digest,
}

/// Reads all of the image that `location` resolves to: index, manifests, configurations, and the layers to their ends.
pub fn verify_image(location: &dyn Location, limits: &ContentLimits) -> Result<VerifiedImage, ImageError> {
    let root = location.resolve()?;
    let images = match STRICT.document(&root.descriptor, &root.bytes)? {
        ManifestOrIndex::Manifest(_) => vec![root.clone()],
        ManifestOrIndex::Index(index) => children_of(location, &root.descriptor, &index.manifests)?,
    };
    let images = images.iter().map(|one| image(location, one)).collect::<Result<Vec<_>, _>>()?;
    // Platforms may share layers: each is read once.
    let layers: BTreeSet<&LayerContent> = images.iter().flat_map(|image| &image.layers).collect();
    let (budget, content) = (Budget::new(), ContentBudget::new(limits));
    let read = |layer: &&'_ LayerContent| {
        let blob = Descriptor::new(&layer.media_type, layer.digest, layer.size);
        let paths = |entries: &mut Entries<Unpacked>| LayerPaths::read(entries, &budget);
        read_layer(location, &blob, Some(layer.diff_id), &content, paths)
    };
    let layers: Vec<&LayerContent> = layers.into_iter().collect();
    let mut contents: BTreeMap<&LayerContent, LayerPaths> = BTreeMap::new();
    for layers in layers.chunks(LANES) {
        let read = layers.par_iter().map(|layer| Ok((*layer, read(layer)?)));
        contents.extend(read.collect::<Result<Vec<_>, UnpackError>>()?);
    }
    for image in &images {
        let mut paths = Root::default();
        for layer in &image.layers {
            paths.add(&contents[layer], &budget).map_err(|source| UnpackError::Tar {
                digest: layer.digest,
                place: location.place(),
                source,
            })?;
        }
    }
    let Descriptor { media_type, digest, size, .. } = root.descriptor;
    Ok(VerifiedImage { place: location.place(), media_type, digest, size, images })
}

/// The manifests that an index names, each for a platform of its own.
fn children_of(
    location: &dyn Location,
    index: &Descriptor,
    children: &[Descriptor],
) -> Result<Vec<Document>, ImageError> {
    let wrong = |reason| ImageError::from(DocumentError::wrong("image index", index.digest, reason));
    if !(1..=MAX_IMAGES).contains(&children.len()) {
        return Err(wrong(format!("it has {} images, expected 1 to {MAX_IMAGES}", children.len())));
    }
    let mut platforms = BTreeSet::new();
    for child in children {
        let Some(platform) = &child.platform else {
            return Err(wrong(format!("it has no platform for {}", child.digest)));
        };
        if child.media_type != MANIFEST {
            let media_type = child.media_type.escape_debug();
            return Err(wrong(format!(
                "the media type of {} is `{media_type}`, expected `{MANIFEST}`",
                child.digest
            )));
        }
        if !platforms.insert(platform) {
            return Err(wrong(format!("two of its images are for {platform}")));
        }
    }
    children
        .iter()
        .map(|child| Ok(Document { descriptor: child.clone(), bytes: location.manifest(child)? }))
        .collect()
}

/// One image without the content of its layers. `document.descriptor` has a platform where an index names one.
fn image(location: &dyn Location, document: &Document) -> Result<ImageContent, ImageError> {
    let Document { descriptor, bytes } = document;
    let manifest = STRICT.manifest(descriptor, bytes)?;
    let config = &manifest.config;
    let configuration = Configuration::read(config, &location.read(config)?, manifest.layers.len())?;
    if let Some(platform) = &descriptor.platform
        && *platform != configuration.platform
    {
        let found = configuration.platform.to_string();
        let reason = format!("its platform is `{}`, but the index says {platform}", found.escape_debug());
        return Err(DocumentError::wrong("image configuration", config.digest, reason).into());
    }
    let layer = |(layer, diff_id): (&Descriptor, Digest)| {
        let Descriptor { media_type, digest, size, .. } = layer;
        if is_tar(media_type) {
            return Ok(LayerContent {
                media_type: media_type.clone(),
                digest: *digest,
                size: *size,
                diff_id,
            });
        }
        let reason = format!("its layer {digest} is of the unknown type `{}`", media_type.escape_debug());
        Err(DocumentError::wrong("image manifest", descriptor.digest, reason))
    };
    let layers = manifest.layers.iter().zip(configuration.diff_ids).map(layer).collect::<Result<_, _>>()?;
    Ok(ImageContent { digest: descriptor.digest, platform: configuration.platform, layers })
}

/// The manifests that may carry signatures of `subject`: the one at cosign's tag, and every referrer. One at a time,
/// since each may be as large as a manifest can be.
pub fn signature_documents(
    location: &dyn Location,
    subject: Digest,
) -> Result<impl Iterator<Item = Result<Document, LocationError>>, LocationError> {
    let tagged = location.tagged(&format!("{}.sig", subject.tag()))?;
    let referrers = location.referrers(subject)?;
    if referrers.len() > MAX_REFERRERS {
        return Err(LocationError::Document {
            what: format!("the list of referrers of {subject}"),
            place: location.place(),
            reason: format!("it has more than {MAX_REFERRERS} entries"),
        });
    }
    let referrer =
        |descriptor: Descriptor| location.manifest(&descriptor).map(|bytes| Document { descriptor, bytes });
    Ok(tagged.into_iter().map(Ok).chain(referrers.into_iter().map(referrer)))
}

#[cfg(test)]
mod tests;
