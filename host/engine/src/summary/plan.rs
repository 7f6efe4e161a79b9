//! What `seed plan` gives back.

use std::collections::BTreeMap;

use seed_model::{Diagnostic, Digest, ImageConfig, Platform};
use serde::Serialize;

use crate::summary::legal::LegalSummary;
use crate::summary::plugin::PluginIdentity;

/// What `seed plan` found.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlanSummary {
    /// Counts incompatible changes of this form.
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

/// The plan of one image.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlannedImage {
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
    /// The layer key; none if the packer does not ask for this layer.
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
    pub store_path: String,
    /// The digest of its NAR.
    pub nar_hash: Digest,
    /// The size of its NAR in bytes.
    pub nar_size: u64,
}
