//! What the selection stage is asked (`selection.wit`, interface `layer-selection`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::layer_lock::LayerLock;
use crate::platform::Platform;

/// Where paths come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// A Nix flake.
    Flake,
    /// Plain directories.
    Directories,
    /// A closure built before.
    Closure,
}

/// What the image is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// To run programs.
    #[default]
    Runtime,
    /// To build the flake inside it.
    Build,
}

/// What of an installable is wanted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The default output of the derivation.
    DefaultOutput,
    /// This output of the derivation.
    Output(String),
    /// What building the derivation takes.
    BuildInputs,
    /// The sources of the flake and of its inputs.
    FlakeInputs,
}

/// One thing to build.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Installable {
    /// Attribute path in the flake, or the name of a directory.
    pub attribute: String,
    /// Which of its outputs or inputs.
    pub part: Part,
}

/// What one layer is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct OutputRequest {
    /// The layer's name.
    pub layer: String,
    /// What to build for it.
    pub installables: Vec<Installable>,
}

/// What the pipeline asks of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectionRequest {
    /// The plugin's configuration, as JSON.
    pub config: String,
    /// The image's name.
    pub name: String,
    /// The Nix system, such as `x86_64-linux`.
    pub system: String,
    /// The same as an OCI platform.
    pub platform: Platform,
    /// What the image is for.
    pub variant: Variant,
    /// Where the paths come from.
    pub source: SourceKind,
    /// The layers on offer, in declared order.
    pub available: Vec<OutputRequest>,
    /// Facts about the source, such as `commit`, as far as they are known.
    pub variables: BTreeMap<String, String>,
    /// The plan in the pipeline's layer lock, if there is one; none in calls of `outputs`.
    pub layer_lock: Option<LayerLock>,
}
