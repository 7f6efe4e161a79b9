//! Closures: what Nix built, with indices for references (`selection.wit`, interface `graph`).

use serde::{Deserialize, Serialize};

use crate::Digest;

/// One store path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StorePath {
    /// Absolute path, such as `/nix/store/…-hello`.
    pub store_path: String,
    /// Digest of its NAR serialisation.
    pub nar_hash: Digest,
    /// Size of the NAR in bytes.
    pub nar_size: u64,
    /// Indices of the paths it refers to, ascending; may hold itself.
    pub references: Vec<u32>,
}

/// What was built for one layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LayerRoots {
    /// The layer's name.
    pub layer: String,
    /// Indices of the paths that were asked for.
    pub roots: Vec<u32>,
}

/// A complete closure, sorted by store path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Closure {
    /// All paths, sorted by `store_path`.
    pub paths: Vec<StorePath>,
    /// The layers in the order of the request.
    pub outputs: Vec<LayerRoots>,
}

impl Closure {
    /// The closure manifest: one `narHash path` line per path, in order. Its digest is what independent builders
    /// must agree on.
    pub fn manifest(&self) -> String {
        let lines = self.paths.iter().map(|path| format!("{} {}\n", path.nar_hash, path.store_path));
        lines.collect::<Vec<_>>().concat()
    }

    /// The sum of the NAR sizes in bytes.
    pub fn nar_size(&self) -> u64 {
        self.paths.iter().map(|p| p.nar_size).sum()
    }
}
