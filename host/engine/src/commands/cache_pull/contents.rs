//! What a build seed says about its store paths.

use std::collections::{BTreeMap, BTreeSet};

use seed_model::Closure;
use seed_nix::Graph;

/// The store paths of an image, and the layer that each is in, from its registration and the list of its layers.
pub(super) fn contents(registration: &str, paths: &[Vec<u32>]) -> Result<(Closure, Vec<usize>), String> {
    let mut graph = Graph::default();
    graph.read_registration(registration).map_err(|error| error.to_string())?;
    let all: Vec<String> = graph.paths().map(str::to_owned).collect();
    let closure = graph.closure(&[(String::new(), all)]).map_err(|error| error.to_string())?;
    let mut layer_of = vec![None; closure.paths.len()];
    for (layer, paths) in paths.iter().enumerate() {
        for path in paths {
            let place = layer_of.get_mut(*path as usize);
            *place.ok_or_else(|| format!("a layer refers to path {path} of {}", closure.paths.len()))? =
                Some(layer);
        }
    }
    let found = layer_of.into_iter().zip(&closure.paths);
    let layers = found
        .map(|(layer, path)| layer.ok_or_else(|| format!("no layer contains `{}`", path.store_path)))
        .collect::<Result<_, _>>()?;
    Ok((closure, layers))
}

/// `missing` so that each stands after those that it refers to; none where that cannot be.
pub(super) fn order(closure: &Closure, missing: &[usize]) -> Option<Vec<usize>> {
    let wanted: BTreeSet<usize> = missing.iter().copied().collect();
    let needs = |index: usize| {
        let references = closure.paths[index].references.iter().map(|reference| *reference as usize);
        references.filter(move |reference| *reference != index)
    };
    let mut waits: BTreeMap<usize, usize> = BTreeMap::new();
    let mut referrers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for index in missing {
        for reference in needs(*index).filter(|reference| wanted.contains(reference)) {
            let waiting = waits.entry(*index).or_default();
            *waiting = waiting.saturating_add(1);
            referrers.entry(reference).or_default().push(*index);
        }
    }
    let mut ready: Vec<usize> = missing.iter().copied().filter(|index| !waits.contains_key(index)).collect();
    let mut order = Vec::with_capacity(missing.len());
    while let Some(index) = ready.pop() {
        order.push(index);
        for referrer in referrers.remove(&index).unwrap_or_default() {
            let left = waits.entry(referrer).or_default();
            *left = left.saturating_sub(1);
            if *left == 0 {
                ready.push(referrer);
            }
        }
    }
    (order.len() == missing.len()).then_some(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use seed_model::{Digest, StorePath};

    const A: &str = "/nix/store/00000000000000000000000000000000-a";
    const B: &str = "/nix/store/11111111111111111111111111111111-b";

    fn record(path: &str, references: &[&str]) -> String {
        let references =
            references.iter().map(|reference| format!("{reference}\n")).collect::<Vec<_>>().concat();
        format!("{path}\n{}\n120\n\n{}\n{references}", "ab".repeat(32), references.lines().count())
    }

    fn read(registration: &str, paths: &[&[u32]]) -> Result<Vec<usize>, String> {
        let paths: Vec<_> = paths.iter().map(|paths| paths.to_vec()).collect();
        contents(registration, &paths).map(|(_, layers)| layers)
    }

    #[test]
    fn each_path_is_in_a_layer() {
        let both = || record(A, &[B]) + &record(B, &[]);
        assert_eq!(read(&both(), &[&[1], &[0], &[]]).unwrap(), [1, 0]);
        insta::assert_snapshot!(read(&both(), &[&[1]]).unwrap_err(), @"no layer contains `/nix/store/00000000000000000000000000000000-a`");
        insta::assert_snapshot!(read(&both(), &[&[0, 1, 2]]).unwrap_err(), @"a layer refers to path 2 of 2");
        insta::assert_snapshot!(read(&record(A, &[B]), &[&[0]]).unwrap_err(), @"the closure lacks `/nix/store/11111111111111111111111111111111-b`, which `/nix/store/00000000000000000000000000000000-a` references");
        insta::assert_snapshot!(read(&record("/etc/passwd", &[]), &[&[0]]).unwrap_err(), @"`/etc/passwd` is not a store path in /nix/store");
        insta::assert_snapshot!(read(&record("/nix/store/../../etc/cron.d/x", &[]), &[&[0]]).unwrap_err(), @"`/nix/store/../../etc/cron.d/x` is not a store path in /nix/store");
    }

    #[test]
    fn paths_come_after_those_that_they_refer_to() {
        let path = |references: &[u32]| StorePath {
            store_path: String::new(),
            nar_hash: Digest::of(b""),
            nar_size: 0,
            references: references.to_vec(),
        };
        let closure = |paths: &[&[u32]]| Closure {
            paths: paths.iter().map(|references| path(references)).collect(),
            outputs: Vec::new(),
        };
        // 0 → 1 → 2, 1 → 3; each may refer to itself, and what is there already need not come.
        let chain = closure(&[&[0, 1], &[2, 3], &[2], &[]]);
        let position = |order: &[usize], index| order.iter().position(|at| *at == index).unwrap();
        let all = order(&chain, &[0, 1, 2, 3]).unwrap();
        assert!(position(&all, 3) < position(&all, 1) && position(&all, 2) < position(&all, 1));
        assert!(position(&all, 1) < position(&all, 0));
        assert_eq!(order(&chain, &[0, 1]).unwrap(), [1, 0]);
        assert_eq!(order(&closure(&[&[1], &[0]]), &[0, 1]), None);
    }
}
