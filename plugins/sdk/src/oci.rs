//! OCI documents: manifests, indexes and descriptors, in the form in which they are stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Descriptor, Platform, StageError, blobs, canonical_json};

/// The media types of OCI documents.
pub mod media_type {
    /// An image manifest.
    pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// An image index.
    pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// An image configuration.
    pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    /// The empty configuration of artifacts.
    pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
}

/// The content of an empty configuration.
pub const EMPTY_DOCUMENT: &[u8] = b"{}";

/// A descriptor, as documents contain it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JsonDescriptor {
    /// Media type of the blob.
    pub media_type: String,
    /// Digest of its bytes.
    pub digest: String,
    /// Length in bytes.
    pub size: u64,
    /// Type of artifact, if the blob is a manifest that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Platform, inside an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<JsonPlatform>,
    /// Annotations; left out if there are none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Members that this SDK does not name, kept as they are.
    #[serde(flatten)]
    pub other: BTreeMap<String, serde_json::Value>,
}

/// A platform, as documents contain it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JsonPlatform {
    /// Processor, by Go's name, such as `amd64`.
    pub architecture: String,
    /// Operating system, by Go's name, such as `linux`.
    pub os: String,
    /// Variant of the processor, such as `v7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Members that this SDK does not name, kept as they are.
    #[serde(flatten)]
    pub other: BTreeMap<String, serde_json::Value>,
}

impl From<&Descriptor> for JsonDescriptor {
    fn from(descriptor: &Descriptor) -> Self {
        Self {
            media_type: descriptor.media_type.clone(),
            digest: descriptor.digest.clone(),
            size: descriptor.size,
            artifact_type: descriptor.artifact_type.clone(),
            platform: descriptor.platform.as_ref().map(JsonPlatform::from),
            annotations: descriptor.annotations.iter().cloned().collect(),
            other: BTreeMap::new(),
        }
    }
}

impl From<&Platform> for JsonPlatform {
    fn from(platform: &Platform) -> Self {
        Self {
            architecture: platform.architecture.clone(),
            os: platform.os.clone(),
            variant: platform.variant.clone(),
            other: BTreeMap::new(),
        }
    }
}

/// An image or artifact manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// Always [`media_type::MANIFEST`].
    pub media_type: String,
    /// Type of artifact; none for images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The configuration.
    pub config: JsonDescriptor,
    /// The layers, bottom first. Written even when empty.
    pub layers: Vec<JsonDescriptor>,
    /// The manifest or index that this artifact is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<JsonDescriptor>,
    /// Annotations; left out if there are none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// A manifest with nothing optional.
    pub fn new(config: JsonDescriptor, layers: Vec<JsonDescriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: media_type::MANIFEST.to_owned(),
            artifact_type: None,
            config,
            layers,
            subject: None,
            annotations: BTreeMap::new(),
        }
    }
}

/// An image index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// Always [`media_type::INDEX`].
    pub media_type: String,
    /// The manifests. Written even when empty.
    pub manifests: Vec<JsonDescriptor>,
    /// Annotations; left out if there are none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Index {
    /// An index over these manifests.
    pub fn new(manifests: Vec<JsonDescriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: media_type::INDEX.to_owned(),
            manifests,
            annotations: BTreeMap::new(),
        }
    }
}

/// Puts bytes into the blob store and gives their descriptor.
pub fn put(media_type: &str, content: &[u8]) -> Result<Descriptor, StageError> {
    Ok(Descriptor {
        media_type: media_type.to_owned(),
        digest: blobs::put(content)?,
        size: content.len() as u64,
        artifact_type: None,
        platform: None,
        annotations: Vec::new(),
    })
}

/// Puts a document into the blob store as canonical JSON and gives its descriptor.
pub fn put_json<T: Serialize>(media_type: &str, document: &T) -> Result<Descriptor, StageError> {
    put(media_type, &canonical_json::to_vec(document)?)
}

/// A whole small document of the blob store.
pub fn read(descriptor: &Descriptor) -> Result<Vec<u8>, StageError> {
    /// What one call of `blobs.read` gives at most.
    const LIMIT: u32 = 4 << 20;
    match u32::try_from(descriptor.size) {
        Ok(size) if size <= LIMIT => blobs::read(&descriptor.digest, 0, size),
        _ => Err(StageError::Failed(format!(
            "document {} has {} bytes; the limit is {LIMIT}",
            descriptor.digest, descriptor.size
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_members_that_it_does_not_name() {
        let json = r#"{"digest":"sha256:00","mediaType":"m","platform":{"architecture":"a","features":["f"],"os":"o"},"size":1,"urls":["u"]}"#;
        let descriptor: JsonDescriptor = serde_json::from_str(json).unwrap();
        assert_eq!(String::from_utf8(canonical_json::to_vec(&descriptor).unwrap()).unwrap(), json);
    }

    #[test]
    fn writes_empty_lists() {
        let index = String::from_utf8(canonical_json::to_vec(&Index::new(vec![])).unwrap()).unwrap();
        assert_eq!(
            index,
            r#"{"manifests":[],"mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2}"#
        );
    }
}
