//! Why a path is in a closure: the shortest chain of references that leads to it.

use std::collections::VecDeque;
use std::fmt;

use serde::Serialize;

use crate::{Closure, StorePath};

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
        f.write_str(&self.layer)?;
        self.paths.iter().try_for_each(|path| write!(f, " → {}", StorePath::name_of(path)))
    }
}

/// The shortest chains to all paths of a closure.
#[derive(Clone, Debug)]
pub struct Chains<'a> {
    closure: &'a Closure,
    /// How each path was first reached; none for a path that no root reaches.
    steps: Vec<Option<Step>>,
}

/// How a path was reached.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// It is a root of the output with this index.
    Root(usize),
    /// The path with this index refers to it.
    Reference(u32),
}

impl<'a> Chains<'a> {
    /// Searches `closure` breadth first from the roots of all layers. Of equally short chains, the one from the first
    /// layer wins, then the one over paths that sort first: equal closures have equal chains. Indices that name no
    /// path are passed over.
    pub fn new(closure: &'a Closure) -> Self {
        let mut steps: Vec<Option<Step>> = vec![None; closure.paths.len()];
        let mut pending = VecDeque::new();
        let mut reach = |index: u32, step: Step, pending: &mut VecDeque<u32>| {
            if let Some(place @ None) = steps.get_mut(index as usize) {
                *place = Some(step);
                pending.push_back(index);
            }
        };
        for (output, roots) in closure.outputs.iter().enumerate() {
            roots.roots.iter().for_each(|root| reach(*root, Step::Root(output), &mut pending));
        }
        while let Some(index) = pending.pop_front() {
            for reference in &closure.paths[index as usize].references {
                reach(*reference, Step::Reference(index), &mut pending);
            }
        }
        Self { closure, steps }
    }

    /// The chain to the path with this index; none where no root reaches it, or there is no such path.
    pub fn to(&self, index: u32) -> Option<Chain> {
        let mut paths = Vec::new();
        let mut current = index;
        let output = loop {
            let step = *self.steps.get(current as usize)?;
            paths.push(self.closure.paths[current as usize].store_path.clone());
            match step? {
                Step::Root(output) => break output,
                Step::Reference(from) => current = from,
            }
        };
        paths.reverse();
        Some(Chain { layer: self.closure.outputs[output].layer.clone(), paths })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Digest, LayerRoots};

    /// A closure of paths with these references, and layers with these roots.
    fn closure(references: &[&[u32]], layers: &[(&str, &[u32])]) -> Closure {
        let path = |(index, references): (usize, &&[u32])| StorePath {
            store_path: format!("/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-p{index}"),
            nar_hash: Digest::of(b""),
            nar_size: 1,
            references: references.to_vec(),
        };
        let roots = |(layer, roots): &(&str, &[u32])| LayerRoots {
            layer: (*layer).to_owned(),
            roots: roots.to_vec(),
        };
        Closure {
            paths: references.iter().enumerate().map(path).collect(),
            outputs: layers.iter().map(roots).collect(),
        }
    }

    fn shown(closure: &Closure, index: u32) -> Option<String> {
        Chains::new(closure).to(index).map(|chain| chain.to_string())
    }

    #[test]
    fn the_shortest_chain_is_found() {
        // 0 → 1 → 2 → 4, and 0 → 3 → 4.
        let closure = closure(&[&[1, 3], &[2], &[4], &[4], &[]], &[("apps", &[0])]);
        assert_eq!(shown(&closure, 4).unwrap(), "apps → p0 → p3 → p4");
        assert_eq!(shown(&closure, 0).unwrap(), "apps → p0");
        let chain = Chains::new(&closure).to(3).unwrap();
        assert_eq!(chain.paths.last().unwrap(), &closure.paths[3].store_path);
    }

    #[test]
    fn the_first_layer_and_the_first_path_win() {
        let closure = closure(&[&[2], &[2], &[]], &[("library", &[1]), ("apps", &[0])]);
        assert_eq!(shown(&closure, 2).unwrap(), "library → p1 → p2");
        let closure = self::closure(&[&[1, 2], &[3], &[3], &[]], &[("apps", &[0])]);
        assert_eq!(shown(&closure, 3).unwrap(), "apps → p0 → p1 → p3");
    }

    #[test]
    fn circles_end_and_the_unreached_has_no_chain() {
        let closure = closure(&[&[0, 1], &[0], &[2], &[9]], &[("apps", &[0, 7])]);
        assert_eq!(shown(&closure, 1).unwrap(), "apps → p0 → p1");
        assert_eq!(shown(&closure, 2), None);
        assert_eq!(shown(&closure, 99), None);
    }
}
