//! How a standard layer becomes image layers.
//!
//! Every standard layer has one shared image layer. What remains of the budget goes to the largest paths of the whole
//! image: each of them gets an image layer of its own, because a large path that shares a layer is sent again whenever
//! a small neighbour changes. Paths below [`MIN_SINGLE`] always share: a layer costs a request and a mount, which is more
//! than sending a small path again (NixOS/nix#13155).
//!
//! In a standard layer the single paths come first, largest at the bottom, then the shared layer: engines reuse
//! layers from the bottom up to the first difference, and the shared one changes most often.

use seed_plugin::selector::{Closure, Layer};

use crate::assign::Role;

/// Paths below this NAR size, in bytes, never get a layer of their own.
const MIN_SINGLE: u64 = 1 << 20;

/// Splits the roles into at most `budget` layers; `budget` is at least the number of roles.
pub(crate) fn split(roles: &[Role], closure: &Closure, budget: usize) -> Vec<Layer> {
    let size = |index: u32| closure.nar_size(index);
    let mut largest: Vec<u32> = roles
        .iter()
        .flat_map(|role| &role.paths)
        .copied()
        .filter(|index| size(*index) >= MIN_SINGLE)
        .collect();
    // Equal sizes in the order of the closure, which is sorted by path.
    largest.sort_by_key(|index| (std::cmp::Reverse(size(*index)), *index));
    largest.truncate(budget.saturating_sub(roles.len()));

    let layer = |role: &Role, paths| Layer { name: role.name.clone(), paths, entries: Vec::new() };
    let mut layers = Vec::new();
    for role in roles {
        let is_ours = |index: &&u32| role.paths.binary_search(index).is_ok();
        layers.extend(largest.iter().filter(is_ours).map(|index| layer(role, vec![*index])));
        let shared: Vec<u32> = role.paths.iter().copied().filter(|index| !largest.contains(index)).collect();
        if !shared.is_empty() {
            layers.push(layer(role, shared));
        }
    }
    layers
}
