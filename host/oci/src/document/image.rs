//! The documents of an image in the store, and whether they agree with each other.

use seed_model::{Descriptor, Image, Manifest, PackedLayer, Platform};

use crate::document::config::Configuration;
use crate::document::descriptor::{same_blob, shown};
use crate::document::error::DocumentError;
use crate::document::reader::{MAX_DOCUMENT, STRICT};
use crate::store::BlobStore;

/// Checks that an image's manifest, its configuration and its list of layers agree with each other and with
/// `platform`.
pub(super) fn check_agreement(
    store: &BlobStore,
    image: &Image,
    platform: &Platform,
) -> Result<(), DocumentError> {
    check_manifest(store, image)?;
    check_configuration(store, image, platform)
}

fn check_manifest(store: &BlobStore, image: &Image) -> Result<(), DocumentError> {
    let wrong = |reason| Err(DocumentError::wrong("image manifest", image.manifest.digest, reason));
    let manifest = stored_manifest(store, &image.manifest)?;
    if !same_blob(&manifest.config, &image.config) {
        return wrong(format!(
            "its config is {}, expected {}",
            shown(&manifest.config),
            shown(&image.config)
        ));
    }
    if manifest.layers.len() != image.layers.len() {
        return wrong(format!("it has {} layers, expected {}", manifest.layers.len(), image.layers.len()));
    }
    for (named, layer) in manifest.layers.iter().zip(&image.layers) {
        if !same_blob(named, &layer.descriptor) {
            return wrong(format!("it names layer {}, expected {}", shown(named), shown(&layer.descriptor)));
        }
    }
    Ok(())
}

fn check_configuration(store: &BlobStore, image: &Image, platform: &Platform) -> Result<(), DocumentError> {
    let wrong = |reason| Err(DocumentError::wrong("image configuration", image.config.digest, reason));
    let configuration = stored_configuration(store, &image.config, image.layers.len())?;
    if configuration.platform != *platform {
        let described = configuration.platform.to_string();
        return wrong(format!("its platform is `{}`, expected {platform}", described.escape_debug()));
    }
    if !configuration.diff_ids.iter().eq(image.layers.iter().map(|layer| &layer.diff_id)) {
        return wrong("its rootfs.diff_ids do not match the layers".to_owned());
    }
    Ok(())
}

/// Reads an image manifest in the store. Nothing that it names need be there.
pub fn stored_manifest(store: &BlobStore, manifest: &Descriptor) -> Result<Manifest, DocumentError> {
    STRICT.manifest(manifest, &document(store, manifest)?)
}

/// The bytes of a document in the store.
pub(super) fn document(store: &BlobStore, document: &Descriptor) -> Result<Vec<u8>, DocumentError> {
    Ok(store.document(document.digest, MAX_DOCUMENT)?)
}

fn stored_configuration(
    store: &BlobStore,
    config: &Descriptor,
    layers: usize,
) -> Result<Configuration, DocumentError> {
    Configuration::read(config, &document(store, config)?, layers)
}

/// Reads an image of another run, whose manifest and configuration are in the store; its layers need not be. Checks
/// that the documents agree with each other and with `platform`.
pub fn read_image(
    store: &BlobStore,
    manifest: &Descriptor,
    platform: &Platform,
) -> Result<Image, DocumentError> {
    let Manifest { config, layers, .. } = stored_manifest(store, manifest)?;
    let configuration = stored_configuration(store, &config, layers.len())?;
    let layers = layers.into_iter().zip(configuration.diff_ids);
    let packed = layers.map(|(descriptor, diff_id)| PackedLayer { descriptor, diff_id }).collect();
    let image = Image { manifest: manifest.clone(), config, layers: packed };
    check_agreement(store, &image, platform)?;
    Ok(image)
}
