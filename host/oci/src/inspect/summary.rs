//! What is found in an image.

use std::collections::BTreeMap;

use seed_model::{Digest, Platform};
use serde::Serialize;

use crate::location::ContentLimits;

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
    pub media_type: String,
    /// The images, in the order of the index.
    pub images: Vec<InspectedImage>,
    /// What is attached to the index and to each image: only those with something.
    pub signatures: Vec<Signatures>,
}

/// An image of the index, or the only one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct InspectedImage {
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
    pub layers: Vec<InspectedLayer>,
    /// What takes the most space, where the layers were read.
    pub contents: Option<Contents>,
}

/// A layer, as manifest and configuration describe it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct InspectedLayer {
    pub media_type: String,
    /// Digest of the blob.
    pub digest: Digest,
    /// Size of the blob in bytes.
    pub size: u64,
    /// Digest of the uncompressed tar, from the configuration.
    pub diff_id: Option<Digest>,
    /// Who made it, from the history of the configuration.
    pub created_by: Option<String>,
    pub annotations: BTreeMap<String, String>,
}

/// What is in the layers of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Contents {
    /// Number of entries in all layers.
    pub entries: u64,
    /// Sizes of all files together, in bytes.
    pub file_bytes: u64,
    /// The largest files, largest first.
    pub files: Vec<SizedPath>,
    /// The largest store paths, largest first.
    pub store_paths: Vec<SizedPath>,
}

/// A path and its size.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SizedPath {
    /// Size in bytes.
    pub size: u64,
    /// Absolute path.
    pub path: String,
}

/// What was found for one manifest or index. None of it has been verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Signatures {
    /// The manifest or index that they are about.
    pub subject: Digest,
    /// Signatures at cosign's tag `sha256-….sig`.
    pub cosign_signatures: usize,
    /// Attestations at cosign's tag `sha256-….att`.
    pub cosign_attestations: usize,
    /// Sigstore bundles among the referrers.
    pub bundles: usize,
    /// Other referrers.
    pub others: Vec<Artifact>,
}

/// Another referrer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Artifact {
    /// Digest of its manifest.
    pub digest: Digest,
    /// Its artifact type: its own, or else the media type of its configuration.
    pub artifact_type: String,
}

impl Signatures {
    /// Whether there is nothing.
    pub const fn is_empty(&self) -> bool {
        self.cosign_signatures == 0
            && self.cosign_attestations == 0
            && self.bundles == 0
            && self.others.is_empty()
    }
}
