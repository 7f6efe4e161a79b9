//! What `seed cache pull` gives back.

use seed_model::Digest;
use serde::Serialize;

/// What `seed cache pull` did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PullSummary {
    /// Counts incompatible changes of this form.
    pub schema: u32,
    /// The reference, as it was given.
    pub reference: String,
    pub system: String,
    /// Digest of the image's manifest.
    pub digest: Digest,
    /// How many store paths the image has.
    pub paths: usize,
    /// How many of them the store had already.
    pub skipped: usize,
    /// How many were added.
    pub added: usize,
    /// The sum of the NAR sizes of those in bytes.
    pub nar_size: u64,
    /// How many layers were read for them.
    pub layers: usize,
    /// The sum of the sizes of those layers, as they are stored, in bytes.
    pub size: u64,
}
