//! What other tools do, written anew from their descriptions. Each gives the layers as indices into the closure.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use seed_model::Closure;

/// Everything in one layer: what there was before layers were chosen.
pub(crate) fn one_layer(closure: &Closure) -> Vec<Vec<u32>> {
    vec![(0..).take(closure.paths.len()).collect()]
}

/// Each path for itself, however many there are: no choice of layers can send less.
pub(crate) fn each_path(closure: &Closure) -> Vec<Vec<u32>> {
    (0..).take(closure.paths.len()).map(|index| vec![index]).collect()
}

/// Popularity, as in nix2container and formerly in dockerTools: the paths that are reached in most ways get layers of their own, all
/// others share the last one.
pub(crate) fn popularity(closure: &Closure, budget: usize) -> Vec<Vec<u32>> {
    let mut ways = vec![1.0_f64; closure.paths.len()];
    for index in bottom_up(closure).into_iter().rev() {
        let here = ways[index as usize];
        for reference in
            closure.paths[index as usize].references.iter().filter(|reference| **reference != index)
        {
            ways[*reference as usize] += here;
        }
    }
    let name = |index: u32| name(&closure.paths[index as usize].store_path);
    let mut order: Vec<u32> = (0..).take(closure.paths.len()).collect();
    order
        .sort_by(|a, b| ways[*b as usize].total_cmp(&ways[*a as usize]).then_with(|| name(*a).cmp(name(*b))));
    let rest = order.split_off(order.len().min(budget - 1));
    let mut layers: Vec<Vec<u32>> = order.into_iter().map(|index| vec![index]).collect();
    layers.extend((!rest.is_empty()).then_some(rest));
    layers
}

/// Size first, as in nixpkgs since 2024: the largest paths are taken one after the other, and paths that the same of them reach
/// share a layer, until there would be too many.
pub(crate) fn size_first(closure: &Closure, budget: usize) -> Vec<Vec<u32>> {
    let mut order: Vec<u32> = (0..).take(closure.paths.len()).collect();
    order.sort_by_key(|index| (Reverse(closure.paths[*index as usize].nar_size), *index));
    let mut reached = vec![Vec::<u32>::new(); closure.paths.len()];
    for primary in order {
        let mut next = reached.clone();
        let mut pending = vec![primary];
        let mut seen = vec![false; closure.paths.len()];
        while let Some(index) = pending.pop() {
            if !std::mem::replace(&mut seen[index as usize], true) {
                next[index as usize].push(primary);
                pending.extend_from_slice(&closure.paths[index as usize].references);
            }
        }
        if grouped(&next).len() > budget {
            break;
        }
        reached = next;
    }
    grouped(&reached).into_values().collect()
}

fn grouped(reached: &[Vec<u32>]) -> BTreeMap<&[u32], Vec<u32>> {
    let mut groups: BTreeMap<&[u32], Vec<u32>> = BTreeMap::new();
    for (index, primaries) in (0..).zip(reached) {
        groups.entry(primaries).or_default().push(index);
    }
    groups
}

/// All paths, each after what it refers to.
fn bottom_up(closure: &Closure) -> Vec<u32> {
    fn visit(index: u32, closure: &Closure, seen: &mut [bool], order: &mut Vec<u32>) {
        if !std::mem::replace(&mut seen[index as usize], true) {
            for reference in &closure.paths[index as usize].references {
                visit(*reference, closure, seen, order);
            }
            order.push(index);
        }
    }
    let (mut seen, mut order) = (vec![false; closure.paths.len()], Vec::new());
    for index in (0..).take(closure.paths.len()) {
        visit(index, closure, &mut seen, &mut order);
    }
    order
}

fn name(store_path: &str) -> &str {
    store_path.split_once('-').map_or(store_path, |(_, name)| name)
}
