//! What `seed plugin inspect` gives back, and how a plugin is named everywhere.

use seed_model::Digest;
use serde::Serialize;

/// A plugin, as errors and summaries name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PluginIdentity {
    /// Where the pipeline file takes it from: `builtin:NAME`, `./file.wasm`, `oci://…`.
    pub reference: String,
    /// Its own name.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// The digest of the component's bytes.
    pub digest: Digest,
}

/// What `seed plugin inspect` found, without running a stage.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PluginSummary {
    /// Counts incompatible changes of this form.
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
