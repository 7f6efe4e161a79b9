//! The typed form of `[select]`, `[pack]`, `[[sign]]` and `[[publish]]`: a plugin, its configuration and its grants.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use seed_http::OriginPattern;
use seed_model::{Digest, Stage};
use toml::Spanned;

/// One use of a plugin.
#[derive(Clone, Debug)]
pub struct PluginUse {
    /// The stage it serves.
    pub stage: Stage,
    /// Where the component comes from.
    pub reference: Spanned<PluginReference>,
    /// The pin in this file.
    pub pin: Option<Spanned<Digest>>,
    /// Its configuration.
    pub config: Config,
    /// What it may reach.
    pub grants: Grants,
}

/// Where a component comes from. Its text is the form of the pipeline file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PluginReference {
    /// `builtin:NAME`: embedded in this program.
    Builtin(String),
    /// `./file.wasm`: a file, relative to the pipeline file or absolute.
    File(String),
    /// `oci://host/repository:tag` or `…@sha256:…`: an artifact in a registry.
    Oci(String),
}

impl PluginReference {
    /// Reads the form of the pipeline file; none where it is none of the three.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(name) = text.strip_prefix("builtin:") {
            Some(Self::Builtin(name.to_owned()))
        } else if let Some(reference) = text.strip_prefix("oci://") {
            Some(Self::Oci(reference.to_owned()))
        } else if ["./", "../", "/"].iter().any(|start| text.starts_with(start)) {
            Some(Self::File(text.to_owned()))
        } else {
            None
        }
    }
}

impl fmt::Display for PluginReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(name) => write!(f, "builtin:{name}"),
            Self::File(path) => f.write_str(path),
            Self::Oci(reference) => write!(f, "oci://{reference}"),
        }
    }
}

/// A plugin's `config` and the place of each value.
#[derive(Clone, Debug)]
pub struct Config {
    /// The values, as JSON with sorted keys.
    pub value: serde_json::Value,
    /// Places by JSON pointer (RFC 6901). The empty pointer is the whole table, or the plugin's line where
    /// there is no `config`.
    pub spans: BTreeMap<String, Range<usize>>,
}

impl Default for Config {
    /// An empty table without a place.
    fn default() -> Self {
        Self { value: serde_json::Value::Object(serde_json::Map::new()), spans: BTreeMap::new() }
    }
}

impl Config {
    /// The place of the value at `pointer`, or of the nearest value around it.
    pub fn span(&self, pointer: &str) -> Option<Range<usize>> {
        let mut pointer = pointer;
        loop {
            if let Some(span) = self.spans.get(pointer) {
                return Some(span.clone());
            }
            pointer = &pointer[..pointer.rfind('/')?];
        }
    }
}

/// What one plugin may reach. Everything is empty where nothing is granted.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    /// HTTP origins, `scheme://host[:port]`.
    pub http: Vec<Spanned<OriginPattern>>,
    /// Registries whose credentials the host attaches, `host[:port]`.
    pub credentials: Vec<Spanned<String>>,
    /// Names of `[keys]`.
    pub keys: Vec<Spanned<String>>,
    /// Names of `[secrets]`.
    pub secrets: Vec<Spanned<String>>,
    /// Paths that it may write, relative to the pipeline file or absolute.
    pub write: Vec<Spanned<String>>,
    /// Media types of layers that it may make although the host cannot read them.
    pub unverified_layers: Vec<Spanned<String>>,
}
