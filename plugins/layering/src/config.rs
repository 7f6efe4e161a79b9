//! The `config` table; what each key means is in the `config.schema.json` of the plugin.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a user may set; each key as the schema describes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Config {
    /// The layers to take, bottom first.
    pub layers: Option<Vec<String>>,
    /// How many image layers there may be.
    pub max_layers: MaxLayers,
    /// The fixed part of the command.
    pub entrypoint: Vec<String>,
    /// Default arguments.
    pub cmd: Vec<String>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// User, or `user:group`.
    pub user: Option<String>,
    /// Working directory.
    pub working_dir: Option<String>,
    /// Labels of the image configuration.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// Ports, such as `8080/tcp`.
    pub exposed_ports: Vec<String>,
    /// Paths that are volumes.
    pub volumes: Vec<String>,
    /// The signal that stops the container.
    pub stop_signal: Option<String>,
    /// Symbolic links: path to target.
    pub links: BTreeMap<String, String>,
    /// Whether `/etc/passwd` and `/etc/group` are written.
    pub users: Option<bool>,
    /// Whether `/tmp` is made.
    pub tmp: Option<bool>,
    /// Whether Nix inside a build seed may download what others built.
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
