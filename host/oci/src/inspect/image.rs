//! Looks at images and indexes.

use seed_model::{Descriptor, Manifest, total};

use crate::ImageError;
use crate::document::{Details, DocumentError, LENIENT, MAX_IMAGES, ManifestOrIndex};
use crate::inspect::contents;
use crate::inspect::signatures;
use crate::inspect::summary::{InspectOptions, InspectedImage, InspectedLayer, Inspection};
use crate::location::{ContentBudget, Location};

/// Looks at the image that `location` resolves to.
pub fn inspect(location: &dyn Location, options: &InspectOptions) -> Result<Inspection, ImageError> {
    let root = location.resolve()?;
    let manifests: Vec<(Descriptor, Manifest)> = match LENIENT.document(&root.descriptor, &root.bytes)? {
        ManifestOrIndex::Manifest(manifest) => vec![(root.descriptor.clone(), *manifest)],
        ManifestOrIndex::Index(index) => images_of(location, &root.descriptor, index.manifests)?,
    };
    let budget = ContentBudget::new(&options.limits);
    let images = manifests
        .iter()
        .map(|(descriptor, manifest)| image(location, descriptor, manifest, options, &budget))
        .collect::<Result<Vec<_>, _>>()?;
    let mut subjects = vec![root.descriptor.digest];
    subjects
        .extend(images.iter().map(|image| image.digest).filter(|digest| *digest != root.descriptor.digest));
    let signatures = subjects
        .iter()
        .map(|subject| signatures::attached_to(location, *subject))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .filter(|found| !found.is_empty())
        .collect();
    Ok(Inspection {
        place: location.place(),
        digest: root.descriptor.digest,
        media_type: root.descriptor.media_type,
        images,
        signatures,
    })
}

fn images_of(
    location: &dyn Location,
    index: &Descriptor,
    descriptors: Vec<Descriptor>,
) -> Result<Vec<(Descriptor, Manifest)>, ImageError> {
    let wrong = |reason: String| Err(DocumentError::wrong("image index", index.digest, reason).into());
    if descriptors.len() > MAX_IMAGES {
        return wrong(format!("it has more than {MAX_IMAGES} images"));
    }
    let mut manifests = Vec::with_capacity(descriptors.len());
    for descriptor in descriptors {
        let bytes = location.manifest(&descriptor)?;
        match LENIENT.document(&descriptor, &bytes)? {
            ManifestOrIndex::Manifest(manifest) => manifests.push((descriptor, *manifest)),
            ManifestOrIndex::Index(_) => return wrong("it contains another index".to_owned()),
        }
    }
    Ok(manifests)
}

/// What the configuration of an image says; nothing for an artifact.
fn details(location: &dyn Location, manifest: &Manifest) -> Result<Details, ImageError> {
    let config = &manifest.config;
    if !Details::are_in(&config.media_type) {
        return Ok(Details::default());
    }
    Ok(Details::read(config, &location.read(config)?, manifest.layers.len())?)
}

fn image(
    location: &dyn Location,
    descriptor: &Descriptor,
    manifest: &Manifest,
    options: &InspectOptions,
    budget: &ContentBudget,
) -> Result<InspectedImage, ImageError> {
    let config = details(location, manifest)?;
    let layers: Vec<InspectedLayer> = manifest
        .layers
        .iter()
        .enumerate()
        .map(|(index, layer)| InspectedLayer {
            media_type: layer.media_type.clone(),
            digest: layer.digest,
            size: layer.size,
            diff_id: config.diff_ids.get(index).copied(),
            created_by: config.created_by.get(index).cloned().flatten(),
            annotations: layer.annotations.clone(),
        })
        .collect();
    let contents = match options.largest {
        0 => None,
        largest => Some(contents::contents(location, &layers, largest, budget)?),
    };
    Ok(InspectedImage {
        digest: descriptor.digest,
        platform: descriptor.platform.clone().or(config.platform),
        created: config.created,
        entrypoint: config.entrypoint,
        cmd: config.cmd,
        annotations: manifest.annotations.clone(),
        size: total(layers.iter().map(|layer| layer.size)),
        layers,
        contents,
    })
}
