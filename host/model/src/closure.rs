//! Closures: what Nix built, with indices for references (`selection.wit`, interface `graph`).

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::size::total;

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

impl StorePath {
    /// The name without directory and hash: `hello-2.12` of `/nix/store/…-hello-2.12`.
    pub fn name(&self) -> &str {
        seed_store_path::name(&self.store_path)
    }
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

    /// What `nix-store --load-db` reads, in the form of `nix-store --dump-db`: for each path a line each with the path,
    /// the base-16 SHA-256 of its NAR, its NAR size, its deriver (empty), the number of its references, and one with
    /// each of them. Derivers are left out since they depend on how a path came into the store.
    pub fn registration(&self) -> String {
        let mut text = String::new();
        for path in &self.paths {
            let StorePath { store_path, nar_hash, nar_size, references } = path;
            let count = references.len();
            // Writing to a string cannot fail.
            let _ = write!(text, "{store_path}\n{}\n{nar_size}\n\n{count}\n", nar_hash.hex());
            for reference in references {
                let _ = writeln!(text, "{}", self.paths[*reference as usize].store_path);
            }
        }
        text
    }

    /// The sum of the NAR sizes in bytes.
    pub fn nar_size(&self) -> u64 {
        total(self.paths.iter().map(|p| p.nar_size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_is_what_nix_loads() {
        let path = |name: &str, references: &[u32]| StorePath {
            store_path: format!("/nix/store/{name}"),
            nar_hash: Digest::from_bytes([0xab; 32]),
            nar_size: 120,
            references: references.to_vec(),
        };
        let closure = Closure { paths: vec![path("a", &[]), path("b", &[0, 1])], outputs: Vec::new() };
        let hash = "ab".repeat(32);
        let expected = format!(
            "/nix/store/a\n{hash}\n120\n\n0\n/nix/store/b\n{hash}\n120\n\n2\n/nix/store/a\n/nix/store/b\n"
        );
        assert_eq!(closure.registration(), expected);
    }
}
