//! How standard layers become image layers.
//!
//! A layer is sent again when any of its paths changes. So paths that change together belong together: [`rates`] says
//! what is known of that, and [`merge`] forms the groups. The result depends on names, sizes and references, not on hashes,
//! so that the same closure in new versions is split in the same way.
//!
//! [`rates`]: crate::rates
//! [`merge`]: crate::merge

use seed_plugin::Diagnostic;
use seed_plugin::selector::{Closure, Layer, LayerLock};

use crate::assign::Role;
use crate::layer_lock::Kept;
use crate::merge::{Group, LAYER_COST, merge};
use crate::rates::{Rates, Requested, join};

/// Of more paths than this, those that are smaller than this part of all bytes are put together with their neighbours before
/// anything is weighed.
const MANY: usize = 512;

/// Splits the roles into at most `budget` layers; `budget` is at least the number of roles. `requested` are the paths that
/// the user asked for.
pub(crate) fn split(
    roles: &[Role],
    closure: &Closure,
    requested: &[(u32, Requested)],
    layer_lock: Option<&LayerLock>,
    budget: usize,
) -> (Vec<Layer>, Vec<Diagnostic>) {
    let names: Vec<&str> = closure.store_paths().map(seed_store_path::name).collect();
    let rates = Rates::new(closure, &names, requested, layer_lock);
    let locked = Kept::new(layer_lock, roles, closure);
    let mut groups = small_together(&locked.free, &names, closure, &rates);
    let mut notes = locked.notes(layer_lock, roles, closure);
    let kept = locked.layers.len();
    for layer in locked.layers {
        let mut group = group(layer.role, &layer.paths, closure, &rates);
        let sent_again =
            if layer.same { layer.paths.iter().map(|path| closure.nar_size(*path)).sum() } else { 0 };
        group.keep = bytes(sent_again) + LAYER_COST;
        group.place = Some(layer.place);
        groups.push(group);
    }
    let by_chance = |a: &Group, b: &Group| {
        let name = |group: &Group| names[group.paths[0] as usize];
        a.chance.total_cmp(&b.chance).then_with(|| name(a).cmp(name(b)))
    };
    groups.sort_by(|a, b| a.role.cmp(&b.role).then_with(|| by_chance(a, b)));
    let mut groups = merge(groups, &rates, budget);
    let left = groups.iter().filter(|group| group.place.is_some()).count();
    if left < kept && layer_lock.is_some_and(|layer_lock| !layer_lock.rebalance) {
        notes.push(crowded(kept, left, budget));
    }
    // What changes least at the bottom; a layer lock keeps its order.
    groups.sort_by(|a, b| {
        let place = |group: &Group| (group.role, group.place.unwrap_or(usize::MAX));
        place(a).cmp(&place(b)).then_with(|| by_chance(a, b))
    });
    let layer = |mut group: Group| {
        group.paths.sort_unstable();
        Layer { name: roles[group.role].name.clone(), paths: group.paths, entries: Vec::new() }
    };
    (groups.into_iter().map(layer).collect(), notes)
}

/// Groups of one path each, but small paths share one with those that come next to them in the order of their chance to change.
fn small_together(free: &[(usize, u32)], names: &[&str], closure: &Closure, rates: &Rates) -> Vec<Group> {
    let name = |path: u32| names[path as usize];
    let mut order: Vec<_> =
        free.iter().map(|(role, path)| (*role, rates.chance(rates.row(*path)), *path)).collect();
    order.sort_unstable_by(|a, b| {
        a.0.cmp(&b.0).then_with(|| a.1.total_cmp(&b.1)).then_with(|| name(a.2).cmp(name(b.2)))
    });
    let all: u64 = free.iter().map(|(_, path)| closure.nar_size(*path)).sum();
    let small = if free.len() > MANY { all / MANY as u64 } else { 0 };
    let (mut groups, mut open) = (Vec::new(), None::<(usize, Vec<u32>, u64)>);
    for (role, _, path) in order {
        let size = closure.nar_size(path);
        if size >= small {
            groups.push(group(role, &[path], closure, rates));
            continue;
        }
        match &mut open {
            Some((of, paths, total)) if *of == role && *total + size <= small => {
                paths.push(path);
                *total += size;
            }
            _ => {
                let full = open.replace((role, vec![path], size));
                groups.extend(full.map(|(role, paths, _)| group(role, &paths, closure, rates)));
            }
        }
    }
    groups.extend(open.map(|(role, paths, _)| group(role, &paths, closure, rates)));
    groups
}

fn group(role: usize, paths: &[u32], closure: &Closure, rates: &Rates) -> Group {
    let mut row = rates.nothing();
    for path in paths {
        join(&mut row, rates.row(*path));
    }
    let size = paths.iter().map(|path| rounded(closure.nar_size(*path))).sum();
    let chance = rates.chance(&row);
    Group { role, place: None, paths: paths.to_vec(), row, size, keep: 0.0, chance }
}

/// A size with its two highest bits only: a new version that is a little larger shall not be split in another way.
fn rounded(size: u64) -> u64 {
    let shift = size.max(1).ilog2().saturating_sub(1);
    size >> shift << shift
}

#[allow(clippy::cast_precision_loss, reason = "sizes are estimates")]
fn bytes(size: u64) -> f64 {
    size as f64
}

fn crowded(kept: usize, left: usize, budget: usize) -> Diagnostic {
    Diagnostic::warning(
        "layering::layer-lock-crowded",
        &format!(
            "only {left} of {kept} locked layers fit into the budget of {budget} layers, which new paths share"
        ),
    )
    .with_help("raise `max-layers`, or run `seed plan --lock-layers` to rewrite the layer lock; merged layers are sent again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_to_two_bits() {
        assert_eq!(
            [0, 1, 2, 3, 4, 5, 7, 1000, 1535, 1536].map(rounded),
            [0, 1, 2, 3, 4, 4, 6, 768, 1024, 1536]
        );
    }
}
