//! Replaying an image's history: what is sent with each update.

use std::collections::{BTreeMap, BTreeSet};

use miette::Result;
use seed_model::{Closure, ImagePlan, LayerLock};

use crate::peers;
use crate::selector::Selector;

/// A way to choose layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    OneLayer,
    Popularity,
    SizeFirst,
    /// The component, without a layer lock.
    Seed,
    /// The component; the layer lock is written once, from the first plan.
    LockedOnce,
    /// The component; the layer lock is written anew with each update.
    Locked,
    EachPath,
}

impl Way {
    pub(crate) const ALL: [Self; 7] = [
        Self::OneLayer,
        Self::Popularity,
        Self::SizeFirst,
        Self::Seed,
        Self::LockedOnce,
        Self::Locked,
        Self::EachPath,
    ];
}

/// What one way sends over all updates.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    /// Uncompressed bytes of the layers that the image before did not have.
    pub(crate) bytes: u64,
    /// How many such layers there were.
    pub(crate) layers: u64,
}

/// Replays a history with one way. The first closure is what everybody has already.
pub(crate) fn replay(way: Way, closures: &[Closure], selector: &Selector, budget: usize) -> Result<Sent> {
    let mut sent = Sent::default();
    let mut before: Option<BTreeSet<Vec<&str>>> = None;
    let mut layer_lock: Option<LayerLock> = None;
    for closure in closures {
        let chosen = |previous: Option<LayerLock>| -> Result<ImagePlan> { selector.plan(closure, previous) };
        let layers = match way {
            Way::OneLayer => peers::one_layer(closure),
            Way::Popularity => peers::popularity(closure, budget),
            Way::SizeFirst => peers::size_first(closure, budget),
            Way::EachPath => peers::each_path(closure),
            Way::Seed => indices(chosen(None)?),
            Way::LockedOnce => {
                let plan = chosen(layer_lock.clone())?;
                layer_lock.get_or_insert_with(|| LayerLock::of(&plan, closure, None));
                indices(plan)
            }
            Way::Locked => {
                let plan =
                    chosen(layer_lock.clone().map(|layer_lock| LayerLock { rebalance: true, ..layer_lock }))?;
                layer_lock = Some(LayerLock::of(&plan, closure, layer_lock.as_ref()));
                indices(plan)
            }
        };
        let sizes: BTreeMap<&str, u64> =
            closure.paths.iter().map(|path| (path.store_path.as_str(), path.nar_size)).collect();
        let names = |layer: &Vec<u32>| {
            let mut names: Vec<&str> =
                layer.iter().map(|index| closure.paths[*index as usize].store_path.as_str()).collect();
            names.sort_unstable();
            names
        };
        let now: BTreeSet<Vec<&str>> = layers.iter().map(names).collect();
        for layer in before.iter().flat_map(|before| now.difference(before)) {
            sent.bytes += layer.iter().map(|path| sizes[path]).sum::<u64>();
            sent.layers += 1;
        }
        before = Some(now);
    }
    Ok(sent)
}

fn indices(plan: ImagePlan) -> Vec<Vec<u32>> {
    plan.layers.into_iter().map(|layer| layer.paths).collect()
}
