//! Image documents: reading back what a packer made, and composing indices. Everything written here is canonical
//! JSON (RFC 8785), so that equal content has equal bytes.

use std::collections::BTreeMap;

use oci_spec::image::{self as oci, ImageConfiguration, ImageManifest};
use seed_model::{Descriptor, Digest, Image, PackedLayer, Platform};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::store::{BlobStore, StoreError};

/// Media type of an image manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of an image configuration.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Media type of an image index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Largest manifest, configuration or index: what registries commonly take (distribution specification, "at least
/// 4 megabytes").
pub const MAX_DOCUMENT: u64 = 4 << 20;

/// Why documents are not a proper image.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The store failed, or does not have the document.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is not JSON of the right form.
    #[error("the {document} {digest} cannot be read")]
    Json {
        /// What it should be.
        document: &'static str,
        /// Its digest.
        digest: Digest,
        /// Where and why not.
        source: serde_json::Error,
    },
    /// It says something wrong.
    #[error("the {document} {digest} is wrong: {reason}")]
    Wrong {
        /// What it should be.
        document: &'static str,
        /// Its digest.
        digest: Digest,
        /// What is wrong.
        reason: String,
    },
    /// An index would name two images for one platform.
    #[error("two images are for {platform}, so an index of them would be ambiguous")]
    SamePlatform {
        /// The platform.
        platform: Platform,
    },
}

/// What an image manifest names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ManifestParts {
    /// The configuration.
    pub config: Descriptor,
    /// The layers, bottom first.
    pub layers: Vec<Descriptor>,
    /// The annotations of the manifest itself.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    schema_version: u32,
    media_type: &'static str,
    manifests: Vec<Descriptor>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
}

/// Checks an image that a packer returned: its manifest, its configuration, its list of layers and the blobs in the
/// store agree with each other, with `platform` and with `packed`.
///
/// `packed` are the layers that the host itself made for it, in the plan's order: each must be there, in that order,
/// with its own digest and diff id. Any other layer is one that the packer wrote itself; its blob must exist.
pub fn check_image(
    store: &BlobStore,
    image: &Image,
    packed: &[PackedLayer],
    platform: &Platform,
) -> Result<(), DocumentError> {
    check_manifest(store, image)?;
    check_configuration(store, image, platform)?;

    let wrong = |reason| Err(wrong("image manifest", image.manifest.digest, reason));
    let mut rest = packed.iter().peekable();
    for layer in &image.layers {
        let Descriptor { media_type, digest, size, .. } = &layer.descriptor;
        if let Some(made) = rest.next_if(|made| made.descriptor.digest == *digest) {
            if made.diff_id != layer.diff_id || made.descriptor.media_type != *media_type {
                return wrong(format!(
                    "layer {digest} was packed as {} with diff id {}, not as {media_type} with {}",
                    made.descriptor.media_type, made.diff_id, layer.diff_id
                ));
            }
        } else if let Some(made) = packed.iter().find(|made| made.descriptor.digest == *digest) {
            return wrong(format!("layer {} is not where the plan has it", made.descriptor.digest));
        }
        match store.size(*digest)? {
            Some(found) if found == *size => {}
            Some(found) => return wrong(format!("layer {digest} has {found} bytes, not {size}")),
            None => return wrong(format!("layer {digest} is not in the blob store")),
        }
    }
    match rest.next() {
        Some(made) => wrong(format!("planned layer {} is not in it", made.descriptor.digest)),
        None => Ok(()),
    }
}

fn check_manifest(store: &BlobStore, image: &Image) -> Result<(), DocumentError> {
    let wrong = |reason| Err(wrong("image manifest", image.manifest.digest, reason));
    let manifest: ImageManifest = read(store, "image manifest", &image.manifest)?;
    if manifest.schema_version() != 2 {
        return wrong(format!("its schemaVersion is {}, not 2", manifest.schema_version()));
    }
    let media_type = manifest.media_type().as_ref().map(ToString::to_string).unwrap_or_default();
    if media_type != MANIFEST || image.manifest.media_type != MANIFEST {
        return wrong(format!("its mediaType is `{media_type}`, not `{MANIFEST}`"));
    }
    if !same_blob(manifest.config(), &image.config) {
        return wrong(format!("its config is {}, not {}", found(manifest.config()), told(&image.config)));
    }
    if manifest.layers().len() != image.layers.len() {
        return wrong(format!("it has {} layers, not {}", manifest.layers().len(), image.layers.len()));
    }
    for (named, layer) in manifest.layers().iter().zip(&image.layers) {
        if !same_blob(named, &layer.descriptor) {
            return wrong(format!("it names layer {} instead of {}", found(named), told(&layer.descriptor)));
        }
    }
    Ok(())
}

fn check_configuration(store: &BlobStore, image: &Image, platform: &Platform) -> Result<(), DocumentError> {
    let wrong = |reason| Err(wrong("image configuration", image.config.digest, reason));
    let configuration: ImageConfiguration = read(store, "image configuration", &image.config)?;
    if image.config.media_type != CONFIG {
        return wrong(format!("its media type is `{}`, not `{CONFIG}`", image.config.media_type));
    }
    let described = Platform {
        os: configuration.os().to_string(),
        architecture: configuration.architecture().to_string(),
        variant: configuration.variant().clone(),
    };
    if described != *platform {
        return wrong(format!("it is for `{}`, not for {platform}", described.to_string().escape_debug()));
    }
    // The specification lets it be missing; Kubernetes refuses an image without it.
    if configuration.config().is_none() {
        return wrong("it has no `config` object".to_owned());
    }
    let rootfs = configuration.rootfs();
    if rootfs.typ() != "layers" {
        return wrong(format!("its rootfs.type is `{}`, not `layers`", rootfs.typ()));
    }
    if !rootfs.diff_ids().iter().eq(&image
        .layers
        .iter()
        .map(|layer| layer.diff_id.to_string())
        .collect::<Vec<_>>())
    {
        return wrong("its rootfs.diff_ids are not those of the layers, in their order".to_owned());
    }
    let history = configuration.history().as_deref().unwrap_or_default();
    let steps = history.iter().filter(|step| step.empty_layer() != Some(true)).count();
    if !history.is_empty() && steps != image.layers.len() {
        return wrong(format!(
            "its history has {steps} steps with a layer for {} layers",
            image.layers.len()
        ));
    }
    Ok(())
}

/// What an image manifest in the store names. Nothing of that need be in the store.
pub fn manifest_parts(store: &BlobStore, manifest: &Descriptor) -> Result<ManifestParts, DocumentError> {
    read(store, "image manifest", manifest)
}

/// Reads an image of another run, whose manifest and configuration are in the store; its layers need not be. Checks
/// that the documents agree with each other and with `platform`.
pub fn read_image(
    store: &BlobStore,
    manifest: &Descriptor,
    platform: &Platform,
) -> Result<Image, DocumentError> {
    let ManifestParts { config, layers, .. } = manifest_parts(store, manifest)?;
    let configuration: ImageConfiguration = read(store, "image configuration", &config)?;
    let mut packed = Vec::new();
    let diff_ids = configuration.rootfs().diff_ids();
    if diff_ids.len() != layers.len() {
        let reason = format!("it has {} diff ids for {} layers", diff_ids.len(), layers.len());
        return Err(wrong("image configuration", config.digest, reason));
    }
    for (descriptor, diff_id) in layers.into_iter().zip(diff_ids) {
        let diff_id =
            diff_id.parse().map_err(|e| wrong("image configuration", config.digest, format!("{e}")))?;
        packed.push(PackedLayer { descriptor, diff_id });
    }
    let image = Image { manifest: manifest.clone(), config, layers: packed };
    check_manifest(store, &image)?;
    check_configuration(store, &image, platform)?;
    Ok(image)
}

/// Composes the index of images: sorted by platform, canonical JSON. Gives its bytes and descriptor.
pub fn make_index(
    images: &[(Platform, Descriptor)],
    annotations: &BTreeMap<String, String>,
) -> Result<(Vec<u8>, Descriptor), DocumentError> {
    let mut by_platform = BTreeMap::new();
    for (platform, manifest) in images {
        let manifest = Descriptor { platform: Some(platform.clone()), ..manifest.clone() };
        if by_platform.insert(platform, manifest).is_some() {
            return Err(DocumentError::SamePlatform { platform: platform.clone() });
        }
    }
    let manifests = by_platform.into_values().collect();
    let bytes = canonical_json(&Index { schema_version: 2, media_type: INDEX, manifests, annotations });
    let descriptor = Descriptor::of(INDEX, &bytes);
    Ok((bytes, descriptor))
}

/// Canonical JSON (RFC 8785) of a document whose keys are strings and whose numbers are exact in a double.
pub fn canonical_json(document: &impl Serialize) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(document).expect("documents have string keys and finite numbers")
}

fn read<T: DeserializeOwned>(
    store: &BlobStore,
    document: &'static str,
    descriptor: &Descriptor,
) -> Result<T, DocumentError> {
    let digest = descriptor.digest;
    let bytes = store.document(digest, MAX_DOCUMENT)?;
    if bytes.len() as u64 != descriptor.size {
        let reason = format!("it has {} bytes, not {}", bytes.len(), descriptor.size);
        return Err(wrong(document, digest, reason));
    }
    serde_json::from_slice(&bytes).map_err(|source| DocumentError::Json { document, digest, source })
}

fn same_blob(a: &oci::Descriptor, b: &Descriptor) -> bool {
    a.media_type().to_string() == b.media_type
        && a.digest().to_string() == b.digest.to_string()
        && a.size() == b.size
}

/// The blob that a document names, in a message.
fn found(descriptor: &oci::Descriptor) -> String {
    let media_type = descriptor.media_type().to_string();
    format!("{} ({} bytes, `{}`)", descriptor.digest(), descriptor.size(), media_type.escape_debug())
}

/// A descriptor's blob in a message.
fn told(descriptor: &Descriptor) -> String {
    let Descriptor { media_type, digest, size, .. } = descriptor;
    format!("{digest} ({size} bytes, `{}`)", media_type.escape_debug())
}

fn wrong(document: &'static str, digest: Digest, reason: String) -> DocumentError {
    DocumentError::Wrong { document, digest, reason }
}
