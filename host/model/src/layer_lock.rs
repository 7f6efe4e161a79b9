//! Layer locks: which paths were in which layer, and how often each package has changed since.

use std::collections::{BTreeMap, BTreeSet};

use seed_store_path::{name, package};
use serde::{Deserialize, Serialize};

use crate::closure::Closure;
use crate::plan::ImagePlan;

/// The history is halved when it has seen this many updates: what changed lately counts more, and numbers stay small.
const LONG_HISTORY: u32 = 128;

/// One layer of an earlier plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LockedLayer {
    /// The layer's name.
    pub name: String,
    /// The store paths that it held.
    pub paths: Vec<String>,
}

/// An earlier plan, to be kept as far as the closure allows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LayerLock {
    /// The layers, bottom first.
    pub layers: Vec<LockedLayer>,
    /// How many changes of the closure were seen.
    pub updates: u32,
    /// How often each package changed then, by its name without hash and version.
    pub changes: BTreeMap<String, u32>,
    /// Whether the layer lock will be rewritten from the plan.
    pub rebalance: bool,
}

impl LayerLock {
    /// The layer lock of a plan, with the history of the one that it was made with.
    pub fn of(plan: &ImagePlan, closure: &Closure, previous: Option<&Self>) -> Self {
        let path = |index: &u32| closure.paths[*index as usize].store_path.clone();
        let filled = plan.layers.iter().filter(|layer| !layer.paths.is_empty());
        let layers = filled.map(|layer| LockedLayer {
            name: layer.name.clone(),
            paths: layer.paths.iter().map(path).collect(),
        });
        let mut layer_lock = Self { layers: layers.collect(), ..Self::default() };
        if let Some(previous) = previous {
            layer_lock.continue_history(previous, closure);
        }
        layer_lock
    }

    fn continue_history(&mut self, previous: &Self, closure: &Closure) {
        (self.updates, self.changes) = (previous.updates, previous.changes.clone());
        let old: BTreeSet<&str> =
            previous.layers.iter().flat_map(|layer| &layer.paths).map(String::as_str).collect();
        let is_new = |index: usize| !old.contains(closure.paths[index].store_path.as_str());
        if old.len() == closure.paths.len() && !(0..closure.paths.len()).any(is_new) {
            return;
        }
        let old_names: BTreeSet<&str> = old.iter().map(|path| name(path)).collect();
        let old_packages: BTreeSet<&str> = old_names.iter().map(|name| package(name)).collect();
        let mut changed = BTreeSet::new();
        let mut present = BTreeSet::new();
        for (index, path) in closure.paths.iter().enumerate() {
            let name = name(&path.store_path);
            present.insert(package(name));
            if !is_new(index) || !old_packages.contains(package(name)) {
                continue;
            }
            // A new hash alone may come from something below; a new version does not.
            let mut below = path.references.iter().map(|reference| *reference as usize);
            if !old_names.contains(name) || !below.any(|reference| reference != index && is_new(reference)) {
                changed.insert(package(name));
            }
        }
        self.updates = self.updates.saturating_add(1);
        for package in changed {
            let count = self.changes.entry(package.to_owned()).or_default();
            *count = count.saturating_add(1);
        }
        let halve = self.updates >= LONG_HISTORY;
        self.updates >>= u32::from(halve);
        self.changes.retain(|package, changes| {
            *changes >>= u32::from(halve);
            *changes > 0 && present.contains(package.as_str())
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::StorePath;
    use crate::digest::Digest;
    use crate::plan::Layer;

    /// Paths as (hash letter, name, references), all in one layer.
    fn layer_lock(paths: &[(char, &str, &[u32])], previous: Option<&LayerLock>) -> LayerLock {
        let path = |(hash, name, references): &(char, &str, &[u32])| StorePath {
            store_path: format!("/nix/store/{}-{name}", String::from(*hash).repeat(32)),
            nar_hash: Digest::of(name.as_bytes()),
            nar_size: 1,
            references: references.to_vec(),
        };
        let closure = Closure { paths: paths.iter().map(path).collect(), outputs: Vec::new() };
        let layer =
            Layer { name: "apps".to_owned(), paths: (0..).take(paths.len()).collect(), entries: Vec::new() };
        LayerLock::of(&ImagePlan { layers: vec![layer], ..ImagePlan::default() }, &closure, previous)
    }

    #[test]
    fn the_history_counts_what_changed_by_itself() {
        let first = layer_lock(
            &[('a', "glibc-2.40", &[]), ('b', "openssl-3.0.1", &[0]), ('c', "app", &[0, 1])],
            None,
        );
        assert_eq!((first.updates, first.changes.len()), (0, 0));
        // Openssl is new, and so is what refers to it.
        let second = layer_lock(
            &[('a', "glibc-2.40", &[]), ('d', "openssl-3.0.2", &[0]), ('e', "app", &[0, 1])],
            Some(&first),
        );
        assert_eq!((second.updates, &second.changes), (1, &BTreeMap::from([("openssl".to_owned(), 1)])));
        // The same closure again is no update.
        let same = layer_lock(
            &[('a', "glibc-2.40", &[]), ('d', "openssl-3.0.2", &[0]), ('e', "app", &[0, 1])],
            Some(&second),
        );
        assert_eq!((same.updates, &same.changes), (1, &second.changes));
        // A new hash without anything new below; and a package that was not there.
        let third = layer_lock(
            &[
                ('a', "glibc-2.40", &[]),
                ('d', "openssl-3.0.2", &[0]),
                ('f', "app", &[0, 1]),
                ('g', "zlib-1.3", &[0]),
            ],
            Some(&same),
        );
        let expected = BTreeMap::from([("app".to_owned(), 1), ("openssl".to_owned(), 1)]);
        assert_eq!((third.updates, &third.changes), (2, &expected));
    }

    #[test]
    fn a_long_history_is_halved() {
        let previous = LayerLock {
            updates: LONG_HISTORY - 1,
            changes: BTreeMap::from([("app".to_owned(), 9), ("gone".to_owned(), 9), ("zlib".to_owned(), 1)]),
            ..LayerLock::default()
        };
        let layer_lock = layer_lock(&[('a', "app", &[]), ('b', "zlib-1", &[])], Some(&previous));
        assert_eq!(
            (layer_lock.updates, layer_lock.changes),
            (LONG_HISTORY / 2, BTreeMap::from([("app".to_owned(), 4)]))
        );
    }
}
