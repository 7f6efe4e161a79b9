//! What `seed run` and `seed index` give back.

use seed_model::{Diagnostic, Digest, Platform, Published};
use serde::{Deserialize, Serialize};

use crate::events::StepTime;
use crate::summary::legal::LegalSummary;
use crate::summary::plugin::PluginIdentity;

/// What `seed run` did.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunSummary {
    /// Counts incompatible changes of this form.
    pub schema: u32,
    /// The image's name.
    pub name: String,
    /// The digest of the index, or of the only image's manifest.
    pub digest: Digest,
    /// One image per system, sorted by system.
    pub images: Vec<ImageSummary>,
    /// Signatures that were made and checked.
    pub signatures: Vec<SignatureSummary>,
    /// Where the image was published, in the order of the pipeline file.
    pub published: Vec<PublishedSummary>,
    /// Commands that let anybody verify the image.
    pub verify_with: Vec<String>,
    /// What the plugins want the user to know.
    pub notes: Vec<Diagnostic>,
    /// What `[legal]` grants, once per system.
    pub legal: Vec<LegalSummary>,
    /// The plugins that took the decisions, in the order of the stages.
    pub plugins: Vec<PluginIdentity>,
    /// Time by step, in the order of the steps, summed over systems.
    pub steps: Vec<StepTime>,
    /// Whether `seed.lock` was written.
    pub lock: LockState,
}

/// One image of a run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ImageSummary {
    pub system: String,
    /// The same as an OCI platform.
    pub platform: Platform,
    /// The digest of the image manifest.
    pub digest: Digest,
    /// The digest of the closure manifest: what independent builders must agree on.
    pub closure: Digest,
    /// The layers, bottom first.
    pub layers: Vec<LayerSummary>,
}

/// One layer of the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RecordedLayer {
    /// The standard or declared layer that it belongs to.
    pub name: String,
    /// The digest of the blob.
    pub digest: Digest,
    /// The digest of the uncompressed tar.
    pub diff_id: Digest,
    /// The size of the blob in bytes.
    pub size: u64,
    /// The sum of its paths' NAR sizes in bytes.
    pub nar_size: u64,
    /// How many store paths it holds.
    pub paths: usize,
    /// The media type of a layer that the packing plugin made in a format that the host cannot read: what is in it, only
    /// the plugin knows. None for every other layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unverified: Option<String>,
}

/// One layer of an image, and how it came about.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LayerSummary {
    #[serde(flatten)]
    pub layer: RecordedLayer,
    /// Whether it was found by its key and not read again.
    pub cached: bool,
}

/// A signature that the host has checked.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SignatureSummary {
    /// The plugin that made it.
    pub plugin: String,
    /// The key's name in the pipeline file.
    pub key: String,
    /// What it covers: the digest of an image manifest or index.
    pub subject: Digest,
}

/// A place where the image is now.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PublishedSummary {
    /// The plugin that published it.
    pub plugin: String,
    #[serde(flatten)]
    pub published: Published,
}

/// What happened to `seed.lock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockState {
    /// It said what the run used.
    Unchanged,
    /// It was made.
    Created,
    /// It was rewritten.
    Updated,
}
