//! Why a path is in a closure: the shortest chain of references that leads to it.

use std::fmt;

use serde::Serialize;

use crate::closure::Closure;

/// The way from what a layer asked for to one path.
///
/// Its text has the names without directory and hash: `apps → hello-2.12 → glibc-2.40`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Chain {
    /// The layer whose root it begins at.
    pub layer: String,
    /// Store paths, each of which refers to the next; the first is a root of the layer, the last is the path.
    pub paths: Vec<String>,
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = seed_store_path::chain_text(&self.layer, self.paths.iter().map(String::as_str));
        f.write_str(&text)
    }
}

/// The shortest chains to all paths of a closure.
#[derive(Clone, Debug)]
pub struct Chains<'a> {
    closure: &'a Closure,
    chains: seed_store_path::Chains,
}

impl<'a> Chains<'a> {
    /// Of equally short chains, the one from the first layer wins, then the one over paths that sort first: equal closures
    /// have equal chains. Indices that name no path are passed over.
    pub fn new(closure: &'a Closure) -> Self {
        let roots = closure.outputs.iter().map(|output| output.roots.as_slice());
        let references = |path: u32| closure.paths[path as usize].references.as_slice();
        Self { closure, chains: seed_store_path::Chains::new(closure.paths.len(), roots, references) }
    }

    /// The chain to the path with this index; none if no root reaches it, or there is no such path.
    pub fn to(&self, index: u32) -> Option<Chain> {
        let chain = self.chains.to(index)?;
        let path = |path: &u32| self.closure.paths[*path as usize].store_path.clone();
        Some(Chain {
            layer: self.closure.outputs[chain.layer].layer.clone(),
            paths: chain.paths.iter().map(path).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::{LayerRoots, StorePath};
    use crate::digest::Digest;

    #[test]
    fn a_chain_has_the_names_of_layer_and_paths() {
        let path = |name: &str, references: &[u32]| StorePath {
            store_path: format!("/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-{name}"),
            nar_hash: Digest::of(b""),
            nar_size: 1,
            references: references.to_vec(),
        };
        let roots =
            |layer: &str, roots: &[u32]| LayerRoots { layer: layer.to_owned(), roots: roots.to_vec() };
        let closure = Closure {
            paths: vec![path("hello-2.12", &[1]), path("glibc-2.40", &[]), path("lost", &[])],
            outputs: vec![roots("library", &[]), roots("apps", &[0])],
        };
        let chains = Chains::new(&closure);
        let chain = chains.to(1).unwrap();
        assert_eq!(chain.to_string(), "apps → hello-2.12 → glibc-2.40");
        assert_eq!(chain.paths, [closure.paths[0].store_path.clone(), closure.paths[1].store_path.clone()]);
        assert_eq!((chains.to(2), chains.to(99)), (None, None));
    }
}
