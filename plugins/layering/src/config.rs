//! The `config` table; what each key means is in the `config.schema.json` of the plugin.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a user may set; each key as the schema describes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Config {
    pub layers: Option<Vec<String>>,
    pub max_layers: MaxLayers,
    pub entrypoint: Vec<String>,
    pub cmd: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub user: Option<String>,
    pub working_dir: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub exposed_ports: Vec<String>,
    pub volumes: Vec<String>,
    pub stop_signal: Option<String>,
    pub links: BTreeMap<String, String>,
    pub users: Option<bool>,
    pub tmp: Option<bool>,
    pub substitute: bool,
}

/// The layer budget, 64 by default.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub struct MaxLayers(pub usize);

impl Default for MaxLayers {
    fn default() -> Self {
        Self(64)
    }
}
