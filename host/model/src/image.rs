//! Packed images (`packing.wit`).

use serde::{Deserialize, Serialize};

use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::plan::ImagePlan;
use crate::platform::Platform;

/// How a layer is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Codec {
    /// Plain tar.
    None,
    /// gzip at this level, 1 to 12.
    Gzip(u8),
    /// zstd at this level, 1 to 19.
    Zstd(u8),
}

/// One layer to pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerJob {
    /// Index into the plan's layers.
    pub layer: u32,
    /// How to compress it.
    pub codec: Codec,
}

/// A layer that is now a blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PackedLayer {
    /// The blob.
    pub descriptor: Descriptor,
    /// Digest of the uncompressed tar.
    pub diff_id: Digest,
}

/// What the packing stage is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackRequest {
    /// The plugin's configuration, JSON.
    pub config: String,
    /// The image's name.
    pub name: String,
    /// The Nix system.
    pub system: String,
    /// The same as a platform.
    pub platform: Platform,
    /// RFC 3339 time for `created` fields.
    pub created: String,
    /// The validated plan.
    pub plan: ImagePlan,
}

/// A packed image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The manifest.
    pub manifest: Descriptor,
    /// The configuration.
    pub config: Descriptor,
    /// The layers, bottom first.
    pub layers: Vec<PackedLayer>,
}
