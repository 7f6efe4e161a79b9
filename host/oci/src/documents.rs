//! Image documents: reading back what a packer made, and composing indices. Everything written here is canonical
//! JSON (RFC 8785), so that equal content has equal bytes.

use std::collections::BTreeMap;

use oci_spec::image::{self as oci, ImageConfiguration, ImageIndex, ImageManifest};
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
    let manifest = parse_manifest(&image.manifest, &read(store, "image manifest", &image.manifest)?)?;
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
    let bytes = read(store, "image configuration", &image.config)?;
    let configuration = parse_configuration(&image.config, &bytes, image.layers.len())?;
    if configuration.platform != *platform {
        let described = configuration.platform.to_string();
        return wrong(format!("it is for `{}`, not for {platform}", described.escape_debug()));
    }
    if !configuration.diff_ids.iter().eq(image.layers.iter().map(|layer| &layer.diff_id)) {
        return wrong("its rootfs.diff_ids are not those of the layers, in their order".to_owned());
    }
    Ok(())
}

/// Reads an image manifest from its bytes, and checks what the specification says of its form.
pub(crate) fn parse_manifest(descriptor: &Descriptor, bytes: &[u8]) -> Result<ImageManifest, DocumentError> {
    let (document, digest) = ("image manifest", descriptor.digest);
    let manifest: ImageManifest = json(document, digest, bytes)?;
    if manifest.schema_version() != 2 {
        let reason = format!("its schemaVersion is {}, not 2", manifest.schema_version());
        return Err(wrong(document, digest, reason));
    }
    let media_type = manifest.media_type().as_ref().map(ToString::to_string).unwrap_or_default();
    if media_type != MANIFEST || descriptor.media_type != MANIFEST {
        let reason = format!("its mediaType is `{}`, not `{MANIFEST}`", media_type.escape_debug());
        return Err(wrong(document, digest, reason));
    }
    Ok(manifest)
}

/// Checks what the specification says of an index's form, but not what it names.
pub(crate) fn check_index(descriptor: &Descriptor, bytes: &[u8]) -> Result<(), DocumentError> {
    let (document, digest) = ("image index", descriptor.digest);
    let index: ImageIndex = json(document, digest, bytes)?;
    if index.schema_version() != 2 {
        let reason = format!("its schemaVersion is {}, not 2", index.schema_version());
        return Err(wrong(document, digest, reason));
    }
    let media_type = index.media_type().as_ref().map(ToString::to_string).unwrap_or_default();
    if media_type != INDEX || descriptor.media_type != INDEX {
        let reason = format!("its mediaType is `{}`, not `{INDEX}`", media_type.escape_debug());
        return Err(wrong(document, digest, reason));
    }
    Ok(())
}

/// What an image configuration says that must agree with other documents.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) platform: Platform,
    /// One for each layer.
    pub(crate) diff_ids: Vec<Digest>,
}

/// Reads the configuration of an image of so many layers from its bytes, and checks what the specification says of
/// its form.
pub(crate) fn parse_configuration(
    descriptor: &Descriptor,
    bytes: &[u8],
    layers: usize,
) -> Result<Configuration, DocumentError> {
    let (document, digest) = ("image configuration", descriptor.digest);
    let wrong = |reason| Err(wrong(document, digest, reason));
    let configuration: ImageConfiguration = json(document, digest, bytes)?;
    if descriptor.media_type != CONFIG {
        let media_type = descriptor.media_type.escape_debug();
        return wrong(format!("its media type is `{media_type}`, not `{CONFIG}`"));
    }
    // The specification lets it be missing; Kubernetes refuses an image without it.
    if configuration.config().is_none() {
        return wrong("it has no `config` object".to_owned());
    }
    let rootfs = configuration.rootfs();
    if rootfs.typ() != "layers" {
        return wrong(format!("its rootfs.type is `{}`, not `layers`", rootfs.typ().escape_debug()));
    }
    let diff_ids: Result<Vec<Digest>, _> = rootfs.diff_ids().iter().map(|id| id.parse()).collect();
    let diff_ids = match diff_ids {
        Ok(diff_ids) => diff_ids,
        Err(error) => return wrong(format!("a diff id is none: {error}")),
    };
    if diff_ids.len() != layers {
        return wrong(format!("it has {} diff ids for {layers} layers", diff_ids.len()));
    }
    let history = configuration.history().as_deref().unwrap_or_default();
    let steps = history.iter().filter(|step| step.empty_layer() != Some(true)).count();
    if !history.is_empty() && steps != layers {
        return wrong(format!("its history has {steps} steps with a layer for {layers} layers"));
    }
    let platform = Platform {
        os: configuration.os().to_string(),
        architecture: configuration.architecture().to_string(),
        variant: configuration.variant().clone(),
    };
    Ok(Configuration { platform, diff_ids })
}

/// What an image manifest in the store names. Nothing of that need be in the store.
pub fn manifest_parts(store: &BlobStore, manifest: &Descriptor) -> Result<ManifestParts, DocumentError> {
    json("image manifest", manifest.digest, &read(store, "image manifest", manifest)?)
}

/// Reads an image of another run, whose manifest and configuration are in the store; its layers need not be. Checks
/// that the documents agree with each other and with `platform`.
pub fn read_image(
    store: &BlobStore,
    manifest: &Descriptor,
    platform: &Platform,
) -> Result<Image, DocumentError> {
    let ManifestParts { config, layers, .. } = manifest_parts(store, manifest)?;
    let bytes = read(store, "image configuration", &config)?;
    let configuration = parse_configuration(&config, &bytes, layers.len())?;
    let layers = layers.into_iter().zip(configuration.diff_ids);
    let packed = layers.map(|(descriptor, diff_id)| PackedLayer { descriptor, diff_id }).collect();
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

fn json<T: DeserializeOwned>(
    document: &'static str,
    digest: Digest,
    bytes: &[u8],
) -> Result<T, DocumentError> {
    serde_json::from_slice(bytes).map_err(|source| DocumentError::Json { document, digest, source })
}

fn read(
    store: &BlobStore,
    document: &'static str,
    descriptor: &Descriptor,
) -> Result<Vec<u8>, DocumentError> {
    let bytes = store.document(descriptor.digest, MAX_DOCUMENT)?;
    if bytes.len() as u64 == descriptor.size {
        return Ok(bytes);
    }
    let reason = format!("it has {} bytes, not {}", bytes.len(), descriptor.size);
    Err(wrong(document, descriptor.digest, reason))
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
