//! The `config` table of this plugin; what each key means is in `config.schema.json`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// See `config.schema.json`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) layers: Option<Vec<String>>,
    pub(crate) max_layers: MaxLayers,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) cmd: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) user: Option<String>,
    pub(crate) working_dir: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) exposed_ports: Vec<String>,
    pub(crate) volumes: Vec<String>,
    pub(crate) stop_signal: Option<String>,
    pub(crate) links: BTreeMap<String, String>,
    pub(crate) users: Option<bool>,
    pub(crate) tmp: Option<bool>,
}

/// The layer budget, 64 by default.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct MaxLayers(pub(crate) usize);

impl Default for MaxLayers {
    fn default() -> Self {
        Self(64)
    }
}
