//! A layer lock, and which paths of a new closure stand in the places of its paths.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use seed_plugin::Diagnostic;
use seed_plugin::selector::{Closure, LayerLock};

use crate::assign::Role;

/// What is left of a locked layer.
#[derive(Debug)]
pub(crate) struct LockedLayer {
    /// Index of its standard layer.
    pub(crate) role: usize,
    /// Its place in the layer lock.
    pub(crate) place: usize,
    /// The paths in the places of its own.
    pub(crate) paths: Vec<u32>,
    /// Whether these are exactly the paths that it held.
    pub(crate) same: bool,
}

/// A closure as a layer lock sees it.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The layers of which something is left.
    pub(crate) layers: Vec<LockedLayer>,
    /// Role and index of every other path.
    pub(crate) free: Vec<(usize, u32)>,
    /// How many locked paths are in the closure in whatever version.
    found: usize,
}

impl Kept {
    /// Gives each path the place of the locked path that it is: by its whole name; else by its name without hash; else by
    /// that without version too. Where the layer lock is written anew, layers that changed are given up: they are sent again
    /// anyway, so they may as well be split better.
    pub(crate) fn new(layer_lock: Option<&LayerLock>, roles: &[Role], closure: &Closure) -> Self {
        let role_of = |name: &str| roles.iter().position(|role| role.name == name);
        let mut old: Vec<(usize, usize, &str)> = Vec::new();
        for (place, layer) in layer_lock.iter().flat_map(|layer_lock| &layer_lock.layers).enumerate() {
            let Some(role) = role_of(&layer.name) else { continue };
            old.extend(layer.paths.iter().map(|path| (role, place, path.as_str())));
        }
        let mut free: Vec<(usize, u32)> = Vec::new();
        for (role, content) in roles.iter().enumerate() {
            free.extend(content.paths.iter().map(|path| (role, *path)));
        }
        let mut places: BTreeMap<usize, LockedLayer> = BTreeMap::new();
        let all = old.len();
        take(&mut old, &mut free, closure, &mut places, |path| (path, ""));
        let changed: BTreeSet<usize> = old.iter().map(|(_, place, _)| *place).collect();
        take(&mut old, &mut free, closure, &mut places, |path| (seed_store_path::name(path), ""));
        take(&mut old, &mut free, closure, &mut places, |path| {
            seed_store_path::output(seed_store_path::name(path))
        });
        let found = all - old.len();
        let mut layers = Vec::new();
        for (place, mut layer) in places {
            layer.same = !changed.contains(&place);
            if layer.same || layer_lock.is_some_and(|layer_lock| !layer_lock.rebalance) {
                layers.push(layer);
            } else {
                free.extend(layer.paths.iter().map(|path| (layer.role, *path)));
            }
        }
        Self { layers, free, found }
    }

    /// What the user should know of a layer lock that fits badly.
    pub(crate) fn notes(
        &self,
        layer_lock: Option<&LayerLock>,
        roles: &[Role],
        closure: &Closure,
    ) -> Vec<Diagnostic> {
        let Some(layer_lock) = layer_lock.filter(|layer_lock| !layer_lock.rebalance) else {
            return Vec::new();
        };
        let names: BTreeSet<&str> = layer_lock.layers.iter().map(|layer| layer.name.as_str()).collect();
        let unknown: Vec<String> = names
            .iter()
            .filter(|name| roles.iter().all(|role| role.name != **name))
            .map(|name| format!("`{name}`"))
            .collect();
        let mut notes = Vec::new();
        let mut warn = |code, message: String| {
            let help = "run `seed plan --lock-layers` to rewrite the layer lock, and commit it";
            notes.push(Diagnostic::warning(code, &message).with_help(help));
        };
        if !unknown.is_empty() {
            let has = roles.iter().map(|role| format!("`{}`", role.name)).collect::<Vec<_>>().join(", ");
            warn(
                "layering::layer-lock-unknown",
                format!("the layer lock names {}, but this image has only {has}", unknown.join(", ")),
            );
        }
        let paths = closure.len() as usize;
        if self.found * 2 < paths {
            warn(
                "layering::layer-lock-old",
                format!("the layer lock covers only {} of {paths} paths", self.found),
            );
        }
        notes
    }
}

/// Lets free paths take the places of old ones that have the same role and key, each place once.
fn take<'a>(
    old: &mut Vec<(usize, usize, &'a str)>,
    free: &mut Vec<(usize, u32)>,
    closure: &'a Closure,
    layers: &mut BTreeMap<usize, LockedLayer>,
    key: impl Fn(&'a str) -> (&'a str, &'a str),
) {
    if old.is_empty() {
        return;
    }
    let mut places: BTreeMap<_, VecDeque<_>> = BTreeMap::new();
    for (role, place, path) in old.drain(..) {
        places.entry((role, key(path))).or_default().push_back((role, place, path));
    }
    free.retain(|(role, path)| {
        let found = places.get_mut(&(*role, key(closure.store_path(*path)))).and_then(VecDeque::pop_front);
        if let Some((_, place, _)) = found {
            let new = || LockedLayer { role: *role, place, paths: Vec::new(), same: false };
            layers.entry(place).or_insert_with(new).paths.push(*path);
        }
        found.is_none()
    });
    old.extend(places.into_values().flatten());
}
