//! Why a path is in a closure.

use std::collections::VecDeque;

use seed_plugin::selector::Closure;

use crate::packages::name;

/// The shortest way from what a layer asked for to a path, by names: `apps → hello-2.12 → glibc-2.40`. Of equally short
/// ones, that of the first layer, then over the paths that sort first; none where no layer reaches it.
pub fn chain(closure: &Closure, path: u32) -> Option<String> {
    let mut from: Vec<Option<u32>> = vec![None; closure.len() as usize];
    let mut layers: Vec<Option<&str>> = vec![None; closure.len() as usize];
    let mut pending = VecDeque::new();
    for output in closure.outputs() {
        for root in &output.roots {
            if layers[*root as usize].is_none() {
                layers[*root as usize] = Some(&output.layer);
                pending.push_back(*root);
            }
        }
    }
    while let Some(index) = pending.pop_front() {
        for reference in closure.references(index) {
            if layers[*reference as usize].is_none() {
                layers[*reference as usize] = layers[index as usize];
                from[*reference as usize] = Some(index);
                pending.push_back(*reference);
            }
        }
    }
    let layer = layers[path as usize]?;
    let mut names: Vec<_> = std::iter::successors(Some(path), |path| from[*path as usize])
        .map(|path| name(closure.store_path(path)))
        .collect();
    names.push(layer);
    names.reverse();
    Some(names.join(" → "))
}
