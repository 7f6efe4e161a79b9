//! Merging groups of paths into as many layers as there may be.
//!
//! What an update sends again is expected to be, for each layer, its size times the chance that one of its paths changes.
//! Merging two layers never lowers that, so groups are merged in the order of what each merger adds, until they are few
//! enough.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::rates::{Rates, Row, join};

/// What a layer costs besides its bytes (a request, a mount), as bytes sent with each update: below it, layers are merged
/// although there is room for them.
pub(crate) const LAYER_COST: f64 = 1024.0;

/// Every pair of groups is weighed if there are up to this many more than the budget; if there are more, only neighbours
/// in the order of their chance to change.
const PAIRS: usize = 32;

/// Paths that will be one layer, unless they are merged with others.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The standard layer, which is never merged with another.
    pub(crate) role: usize,
    /// Its place in the layer lock.
    pub(crate) place: Option<usize>,
    /// Indices into the closure.
    pub(crate) paths: Vec<u32>,
    /// The packages that can change it.
    pub(crate) row: Row,
    /// Size in bytes, rounded.
    pub(crate) size: u64,
    /// Bytes that merging it costs at once, because it would otherwise not be sent now.
    pub(crate) keep: f64,
    /// The chance that it changes.
    pub(crate) chance: f64,
}

impl Group {
    /// Takes in another group.
    pub(crate) fn absorb(&mut self, other: Self, rates: &Rates) {
        join(&mut self.row, &other.row);
        self.chance = rates.chance(&self.row);
        self.paths.extend(other.paths);
        self.size += other.size;
        self.keep = 0.0;
        self.place = match (self.place, other.place) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }

    /// What merging with another costs; nothing if that is impossible.
    fn cost(&self, other: &Self, rates: &Rates) -> Option<f64> {
        let chance = rates.chance_of_both(&self.row, &other.row);
        (self.role == other.role).then(|| self.added(chance) + other.added(chance) + self.keep + other.keep)
    }

    #[allow(clippy::cast_precision_loss, reason = "sizes are estimates")]
    fn added(&self, chance: f64) -> f64 {
        (self.size as f64 * (chance - self.chance)).max(0.0)
    }
}

/// Merges groups, which are in the order of their roles and, within those, of their chance to change. At least one is left
/// of each role.
pub(crate) fn merge(groups: Vec<Group>, rates: &Rates, budget: usize) -> Vec<Group> {
    let groups = merge_neighbours(groups, rates, budget + PAIRS);
    merge_pairs(groups, rates, budget)
}

/// Merges neighbours until `enough` groups are left.
fn merge_neighbours(groups: Vec<Group>, rates: &Rates, enough: usize) -> Vec<Group> {
    let mut left = groups.len();
    let mut groups: Vec<Option<Group>> = groups.into_iter().map(Some).collect();
    let mut next: Vec<usize> = (1..=groups.len()).collect();
    let mut previous: Vec<usize> = (0..groups.len()).map(|index| index.wrapping_sub(1)).collect();
    // How often each group was merged: a cost that was computed before that is out of date.
    let mut age = vec![0_u32; groups.len()];
    let mut mergers = BinaryHeap::new();
    let weigh = |groups: &[Option<Group>], age: &[u32], a: usize, b: usize| {
        let cost = groups.get(a)?.as_ref()?.cost(groups.get(b)?.as_ref()?, rates)?;
        // Costs are not negative, so their bits are in the order of the numbers.
        Some(Reverse((cost.to_bits(), a, b, age[a], age[b])))
    };
    if left > enough {
        mergers.extend((0..groups.len()).filter_map(|index| weigh(&groups, &age, index, index + 1)));
    }
    while left > enough {
        let Some(Reverse((_, a, b, age_a, age_b))) = mergers.pop() else { break };
        if (age[a], age[b]) != (age_a, age_b) {
            continue;
        }
        let (Some(group), Some(other)) = (groups[a].take(), groups[b].take()) else { continue };
        let mut group = group;
        group.absorb(other, rates);
        groups[a] = Some(group);
        left -= 1;
        age[a] += 1;
        age[b] += 1;
        next[a] = next[b];
        if let Some(previous) = previous.get_mut(next[a]) {
            *previous = a;
        }
        mergers.extend(weigh(&groups, &age, a, next[a]));
        mergers.extend(weigh(&groups, &age, previous[a], a));
    }
    groups.into_iter().flatten().collect()
}

/// Merges any two groups of a role until `budget` are left and no merger is worth less than a layer.
fn merge_pairs(groups: Vec<Group>, rates: &Rates, budget: usize) -> Vec<Group> {
    let count = groups.len();
    let mut groups: Vec<Option<Group>> = groups.into_iter().map(Some).collect();
    let mut costs = vec![f64::INFINITY; count * count];
    let weigh = |groups: &[Option<Group>], costs: &mut [f64], a: usize, b: usize| {
        let both = groups[a].as_ref().zip(groups[b].as_ref());
        let cost = both.and_then(|(first, second)| first.cost(second, rates)).unwrap_or(f64::INFINITY);
        costs[a * count + b] = cost;
        costs[b * count + a] = cost;
    };
    for a in 0..count {
        for b in a + 1..count {
            weigh(&groups, &mut costs, a, b);
        }
    }
    let cheapest = |costs: &[f64], a: usize| {
        let row = costs[a * count..][..count].iter().copied().enumerate();
        row.fold((f64::INFINITY, a), |best, (b, cost)| if cost < best.0 { (cost, b) } else { best })
    };
    let mut best: Vec<(f64, usize)> = (0..count).map(|a| cheapest(&costs, a)).collect();
    let mut left = count;
    loop {
        let pairs = best.iter().enumerate().map(|(a, (cost, b))| (*cost, a, *b));
        let Some((cost, a, b)) = pairs.reduce(|x, y| if y.0 < x.0 { y } else { x }) else { break };
        if cost.is_infinite() || (left <= budget && cost >= LAYER_COST) {
            break;
        }
        let (a, b) = (a.min(b), a.max(b));
        if let (Some(group), Some(other)) = (groups[a].take(), groups[b].take()) {
            let mut group = group;
            group.absorb(other, rates);
            groups[a] = Some(group);
        }
        left -= 1;
        for other in (0..count).filter(|other| *other != a) {
            weigh(&groups, &mut costs, a, other);
            weigh(&groups, &mut costs, b, other);
        }
        for other in 0..count {
            let (cost, with) = best[other];
            if other == a || other == b || with == a || with == b {
                best[other] = cheapest(&costs, other);
            } else if costs[other * count + a] < cost {
                best[other] = (costs[other * count + a], a);
            }
        }
    }
    groups.into_iter().flatten().collect()
}
