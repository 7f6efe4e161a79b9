//! What an image holds by a grant of `[legal]`.

use seed_model::Chain;
use serde::Serialize;

/// A grant of `[legal]`, and what is in an image by it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LegalSummary {
    pub system: String,
    /// The grant's key.
    pub rule: &'static str,
    /// Why it was given.
    pub reason: String,
    /// What is in the image by it, sorted by store path; nothing if the grant is not needed.
    pub paths: Vec<LegalPath>,
}

/// A path that is in an image by a grant.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LegalPath {
    pub store_path: String,
    /// How it was known: by its name, or by a file in it.
    pub found: String,
    /// By which references it is in the image.
    pub chain: Option<Chain>,
}
