//! What commands give back, as data. `schema` counts incompatible changes of the JSON form.

use std::collections::BTreeMap;

use seed_model::{Chain, Diagnostic, Digest, ImageConfig, Platform};
use serde::Serialize;

use crate::events::Step;

/// The version of every summary's JSON form.
pub const SCHEMA: u32 = 1;

/// What `seed run` did.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunSummary {
    /// [`SCHEMA`].
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
    /// The Nix system.
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

/// One layer of an image.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LayerSummary {
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
    /// The place: `ghcr.io/org/app:v1`, or a path.
    pub reference: String,
    /// What is there.
    pub digest: Digest,
    /// Blobs and manifests that were sent.
    pub uploaded: u32,
    /// Blobs and manifests that were there already.
    pub skipped: u32,
    /// Bytes that were sent.
    pub bytes: u64,
    /// A command that uses the result.
    pub try_with: Option<String>,
}

/// A plugin, as errors and summaries name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PluginIdentity {
    /// Where the pipeline file takes it from: `builtin:NAME`, `./file.wasm`, `oci://…`.
    pub source: String,
    /// Its own name.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// The digest of the component's bytes.
    pub digest: Digest,
}

/// How long a step took.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StepTime {
    /// The step.
    pub step: Step,
    /// Wall-clock milliseconds.
    pub milliseconds: u64,
    /// Whether the results of an earlier run were used for all of it.
    pub cached: bool,
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

/// What `seed plan` found.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlanSummary {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The image's name.
    pub name: String,
    /// One plan per system, sorted by system.
    pub images: Vec<PlannedImage>,
    /// Repositories and paths to which `seed run` would publish.
    pub targets: Vec<String>,
    /// The plugins that took the decisions, in the order of the stages.
    pub plugins: Vec<PluginIdentity>,
    /// What the plugins want the user to know.
    pub notes: Vec<Diagnostic>,
    /// What `[legal]` grants, once per system.
    pub legal: Vec<LegalSummary>,
}

/// A grant of `[legal]`, and what is in an image by it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LegalSummary {
    /// The Nix system.
    pub system: String,
    /// The grant's key.
    pub rule: &'static str,
    /// Why it was given.
    pub reason: String,
    /// What is in the image by it, sorted by store path; nothing where the grant is not needed.
    pub paths: Vec<LegalPath>,
}

/// A path that is in an image by a grant.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LegalPath {
    /// The path.
    pub store_path: String,
    /// How it was known: by its name, or by a file in it.
    pub found: String,
    /// By which references it is in the image.
    pub chain: Option<Chain>,
}

/// What `seed plan --why` found.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct WhySummary {
    /// [`SCHEMA`].
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
    /// The Nix system.
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
    /// The path.
    pub store_path: String,
    /// The size of its NAR in bytes.
    pub nar_size: u64,
    /// By which references it is in the image: the shortest chain.
    pub chain: Chain,
    /// All paths of the image that refer to it directly, sorted, without itself: while one of them is there, so is it.
    pub referrers: Vec<String>,
}

/// The plan of one image.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlannedImage {
    /// The Nix system.
    pub system: String,
    /// The same as an OCI platform.
    pub platform: Platform,
    /// The digest of the closure manifest.
    pub closure: Digest,
    /// What a container will run.
    pub config: ImageConfig,
    /// Annotations of the image manifest.
    pub annotations: BTreeMap<String, String>,
    /// The layers, bottom first.
    pub layers: Vec<PlannedLayer>,
}

/// The plan of one layer.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlannedLayer {
    /// The standard or declared layer that it belongs to.
    pub name: String,
    /// The layer key; none where the packer does not ask for this layer.
    pub key: Option<Digest>,
    /// Whether a run would take it from the cache.
    pub cached: bool,
    /// Why it would be, or would not be.
    pub reason: String,
    /// The sum of its paths' NAR sizes in bytes.
    pub nar_size: u64,
    /// The store paths, in packing order.
    pub paths: Vec<PlannedPath>,
    /// Paths of the entries that are in no store path.
    pub entries: Vec<String>,
}

/// A store path in a plan.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlannedPath {
    /// The path.
    pub store_path: String,
    /// The digest of its NAR.
    pub nar_hash: Digest,
    /// The size of its NAR in bytes.
    pub nar_size: u64,
}

/// What `seed plugin inspect` found, without running a stage.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PluginSummary {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The plugin, as it names itself.
    pub plugin: PluginIdentity,
    /// One line on what it does.
    pub summary: String,
    /// The world that it was made for, such as `signer`.
    pub world: String,
    /// The version of the contract that it was made for.
    pub contract: String,
    /// Interfaces that it imports, sorted.
    pub imports: Vec<String>,
    /// Interfaces that it exports, sorted.
    pub exports: Vec<String>,
    /// Size of the component in bytes.
    pub size: u64,
    /// The JSON Schema of its configuration.
    pub config_schema: serde_json::Value,
}
