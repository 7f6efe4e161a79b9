//! Why a path is in a closure: the shortest chain of references that leads to it.

use std::collections::VecDeque;

/// The shortest chains to all paths of a closure, whose paths have indices.
#[derive(Clone, Debug)]
pub struct Chains {
    /// How each path was first reached; none for a path that no root reaches.
    steps: Vec<Option<Step>>,
}

/// How a path was reached.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// It is a root of the layer with this index.
    Root(usize),
    /// The path with this index refers to it.
    Reference(u32),
}

/// The way from a root of a layer to a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The index of the layer.
    pub layer: usize,
    /// The indices of paths, each of which refers to the next; the first is a root of the layer.
    pub paths: Vec<u32>,
}

impl Chains {
    /// Searches a closure of `count` paths breadth first from the roots of all layers; `references` gives the paths that
    /// a path refers to. Of equally short chains, the one from the first layer wins, then the one over the paths that
    /// come first: equal closures have equal chains. Indices that name no path are passed over.
    pub fn new<'a>(
        count: usize,
        layers: impl IntoIterator<Item = &'a [u32]>,
        references: impl Fn(u32) -> &'a [u32],
    ) -> Self {
        let mut steps: Vec<Option<Step>> = vec![None; count];
        let mut pending = VecDeque::new();
        let mut reach = |path: u32, step: Step, pending: &mut VecDeque<u32>| {
            if let Some(place @ None) = steps.get_mut(path as usize) {
                *place = Some(step);
                pending.push_back(path);
            }
        };
        for (layer, roots) in layers.into_iter().enumerate() {
            for root in roots {
                reach(*root, Step::Root(layer), &mut pending);
            }
        }
        while let Some(path) = pending.pop_front() {
            for reference in references(path) {
                reach(*reference, Step::Reference(path), &mut pending);
            }
        }
        Self { steps }
    }

    /// The chain to a path; none where no root reaches it, or there is no such path.
    pub fn to(&self, path: u32) -> Option<Chain> {
        let mut paths = vec![path];
        let mut step = *self.steps.get(path as usize)?;
        loop {
            match step? {
                Step::Root(layer) => {
                    paths.reverse();
                    return Some(Chain { layer, paths });
                }
                Step::Reference(from) => {
                    paths.push(from);
                    step = self.steps[from as usize];
                }
            }
        }
    }
}

/// A chain as people read it, by the names of its store paths: `apps → hello-2.12 → glibc-2.40`.
pub fn chain_text<'a>(layer: &'a str, store_paths: impl IntoIterator<Item = &'a str>) -> String {
    let names = store_paths.into_iter().map(crate::path::name);
    std::iter::once(layer).chain(names).collect::<Vec<_>>().join(" → ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The layer and the paths of the chain to `path`, in a closure of paths with these references, and layers with
    /// these roots.
    fn chain(references: &[&[u32]], layers: &[&[u32]], path: u32) -> Option<(usize, Vec<u32>)> {
        let chains = Chains::new(references.len(), layers.iter().copied(), |path| references[path as usize]);
        chains.to(path).map(|chain| (chain.layer, chain.paths))
    }

    #[test]
    fn the_shortest_chain_is_found() {
        // 0 → 1 → 2 → 4, and 0 → 3 → 4.
        let references: [&[u32]; 5] = [&[1, 3], &[2], &[4], &[4], &[]];
        assert_eq!(chain(&references, &[&[0]], 4), Some((0, vec![0, 3, 4])));
        assert_eq!(chain(&references, &[&[0]], 0), Some((0, vec![0])));
    }

    #[test]
    fn the_first_layer_and_the_first_path_win() {
        assert_eq!(chain(&[&[2], &[2], &[]], &[&[1], &[0]], 2), Some((0, vec![1, 2])));
        assert_eq!(chain(&[&[1, 2], &[3], &[3], &[]], &[&[0]], 3), Some((0, vec![0, 1, 3])));
    }

    #[test]
    fn circles_end_and_the_unreached_has_no_chain() {
        let references: [&[u32]; 4] = [&[0, 1], &[0], &[2], &[9]];
        assert_eq!(chain(&references, &[&[0, 7]], 1), Some((0, vec![0, 1])));
        assert_eq!(chain(&references, &[&[0, 7]], 2), None);
        assert_eq!(chain(&references, &[&[0, 7]], 99), None);
    }

    #[test]
    fn people_read_names() {
        let path = |name| format!("/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-{name}");
        let paths = [path("hello-2.12"), path("glibc-2.40")];
        assert_eq!(chain_text("apps", paths.iter().map(String::as_str)), "apps → hello-2.12 → glibc-2.40");
    }
}
