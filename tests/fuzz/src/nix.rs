//! What Nix writes, with texts of builders and evaluated code in it.

use seed_nix::{Graph, fuzzing};

/// A registration, or the attributes of a derivation with its graph.
pub(crate) fn registration(bytes: &[u8]) {
    let mut graph = Graph::default();
    if graph.read(&String::from_utf8_lossy(bytes)).is_ok() {
        let paths: Vec<String> = graph.paths().map(str::to_owned).collect();
        let _ = graph.closure(&[("layer".to_owned(), paths)]);
    }
}

/// The log that Nix writes while it works.
pub(crate) fn log(bytes: &[u8]) {
    fuzzing::log(bytes);
}
