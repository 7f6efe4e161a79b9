//! What `seed plan --why` gives back.

use seed_model::{Chain, Platform};
use serde::Serialize;

/// What `seed plan --why` found.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct WhySummary {
    /// Counts incompatible changes of this form.
    pub schema: u32,
    /// The image's name.
    pub name: String,
    /// One per system, sorted by system; at least one of them has paths.
    pub images: Vec<WhyImage>,
}

/// What was looked for in one image.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct WhyImage {
    pub system: String,
    /// The same as an OCI platform.
    pub platform: Platform,
    /// The paths, sorted.
    pub paths: Vec<WhyPath>,
}

/// A path, and why it is in an image.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct WhyPath {
    pub store_path: String,
    /// The size of its NAR in bytes.
    pub nar_size: u64,
    /// By which references it is in the image: the shortest chain.
    pub chain: Chain,
    /// All paths of the image that refer to it directly, sorted, without itself: while one of them is there, so is it.
    pub referrers: Vec<String>,
}
