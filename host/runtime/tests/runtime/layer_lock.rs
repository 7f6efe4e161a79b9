//! Layer locks, with the selector as it is shipped.

use std::collections::{BTreeMap, BTreeSet};

use insta::assert_snapshot;
use seed_model::{Closure, Digest, ImagePlan, LayerLock, LayerRoots, SelectionRequest, Stage, StorePath};

use crate::plugins::component;
use crate::support::{load, nothing, selection};

const PACKAGES: usize = 120;

/// Glibc in `base`, and in `library` packages in these versions that need nothing else.
fn closure(versions: &[u32]) -> Closure {
    let path = |name: &str, nar_size: usize, references: &[u32]| StorePath {
        store_path: format!("/nix/store/{}-{name}", &Digest::of(name.as_bytes()).hex()[..32]),
        nar_hash: Digest::of(name.as_bytes()),
        nar_size: nar_size as u64,
        references: references.to_vec(),
    };
    let mut paths = vec![path("glibc-2.40", 30_000_000, &[])];
    for (number, version) in versions.iter().enumerate() {
        paths.push(path(
            &format!("package{number}x-1.{version}-lib"),
            100_000 + number * number * 1000,
            &[0],
        ));
    }
    // The closure is sorted; the references follow.
    paths.sort_by(|a, b| a.store_path.cmp(&b.store_path));
    let glibc = paths.iter().position(|path| path.references.is_empty()).unwrap();
    let glibc = u32::try_from(glibc).unwrap();
    for path in paths.iter_mut().filter(|path| !path.references.is_empty()) {
        path.references = vec![glibc];
    }
    let library = (0..).take(paths.len()).filter(|index| *index != glibc).collect();
    let outputs = vec![
        LayerRoots { layer: "base".to_owned(), roots: vec![glibc] },
        LayerRoots { layer: "library".to_owned(), roots: library },
    ];
    Closure { paths, outputs }
}

fn plan(closure: &Closure, layer_lock: Option<&LayerLock>, max_layers: u32) -> ImagePlan {
    let config = format!(r#"{{"users":false,"tmp":false,"max-layers":{max_layers}}}"#);
    let request = SelectionRequest { config, layer_lock: layer_lock.cloned(), ..selection() };
    let plan =
        load(&component("standard-layers"), Stage::Select).plan(&nothing(), &request, closure).unwrap();
    let mut paths: Vec<u32> = plan.layers.iter().flat_map(|layer| layer.paths.clone()).collect();
    paths.sort_unstable();
    assert!(paths.into_iter().eq((0..).take(closure.paths.len())), "each path stands once");
    assert!(plan.layers.len() <= max_layers as usize);
    plan
}

/// The store paths of each layer.
fn layers(plan: &ImagePlan, closure: &Closure) -> BTreeSet<Vec<String>> {
    let path = |index: &u32| closure.paths[*index as usize].store_path.clone();
    plan.layers.iter().map(|layer| layer.paths.iter().map(path).collect()).collect()
}

fn notes(plan: &ImagePlan) -> String {
    let note = |note: &seed_model::Diagnostic| {
        format!("{}: {}\nhelp: {}", note.code, note.message, note.help.as_deref().unwrap_or_default())
    };
    plan.notes.iter().map(note).collect::<Vec<_>>().join("\n")
}

#[test]
fn one_updated_package_moves_one_layer() {
    let mut versions = vec![0; PACKAGES];
    let first = closure(&versions);
    let first_plan = plan(&first, None, 20);
    assert_eq!(first_plan.layers.len(), 20);
    let layer_lock = LayerLock::of(&first_plan, &first, None);
    let mut before = layers(&first_plan, &first);
    for package in [40, 3, 119, 77, 40] {
        versions[package] += 1;
        let closure = closure(&versions);
        let plan = plan(&closure, Some(&layer_lock), 20);
        let now = layers(&plan, &closure);
        let new: Vec<_> = now.difference(&before).collect();
        let name = format!("-package{package}x-1.{}-lib", versions[package]);
        assert!(new.len() == 1 && new[0].iter().any(|path| path.ends_with(&name)), "{package}: {new:?}");
        before = now;
    }
    // One more package, of the smallest size there is: it goes where it disturbs least.
    versions.push(0);
    let more = closure(&versions);
    let more_plan = plan(&more, Some(&layer_lock), 20);
    assert_eq!(layers(&more_plan, &more).difference(&before).count(), 1);
    assert_eq!(notes(&more_plan), "");
}

#[test]
fn a_layer_lock_that_is_written_anew_keeps_what_did_not_change_and_learns() {
    let mut versions = vec![0; PACKAGES];
    let first = closure(&versions);
    let first_plan = plan(&first, None, 20);
    let mut layer_lock = LayerLock::of(&first_plan, &first, None);
    let mut before = layers(&first_plan, &first);
    for update in 1..=8 {
        versions[110] = update;
        let closure = closure(&versions);
        let plan = plan(&closure, Some(&LayerLock { rebalance: true, ..layer_lock.clone() }), 20);
        let now = layers(&plan, &closure);
        assert_eq!(now.difference(&before).count(), 1, "update {update}");
        layer_lock = LayerLock::of(&plan, &closure, Some(&layer_lock));
        before = now;
    }
    assert_eq!(
        (layer_lock.updates, &layer_lock.changes),
        (8, &BTreeMap::from([("package110x".to_owned(), 8)]))
    );
    // When everything is sent again anyway, the package that changes so often is put apart from all that is large.
    for version in &mut versions {
        *version += 1;
    }
    let all = closure(&versions);
    let plan = plan(&all, Some(&LayerLock { rebalance: true, ..layer_lock }), 20);
    let often = (0..).zip(&all.paths).find(|(_, path)| path.store_path.contains("-package110x-")).unwrap();
    let with_it = plan.layers.iter().find(|layer| layer.paths.contains(&often.0)).unwrap();
    let size: u64 = with_it.paths.iter().map(|path| all.paths[*path as usize].nar_size).sum();
    assert!(size < often.1.nar_size * 11 / 10, "{size}");
}

#[test]
fn a_layer_lock_that_does_not_fit_is_told() {
    let first = closure(&[0; PACKAGES]);
    let layer_lock = LayerLock::of(&plan(&first, None, 20), &first, None);
    assert_snapshot!(notes(&plan(&first, Some(&layer_lock), 10)), @"
    layering::layer-lock-crowded: only 10 of 20 locked layers fit into the budget of 10 layers, which new paths share
    help: raise `max-layers`, or run `seed plan --lock-layers` to rewrite the layer lock; merged layers are sent again
    ");
    assert_snapshot!(notes(&plan(&closure(&[0; 3 * PACKAGES]), Some(&layer_lock), 20)), @"
    layering::layer-lock-old: the layer lock covers only 121 of 361 paths
    help: run `seed plan --lock-layers` to rewrite the layer lock, and commit it
    layering::layer-lock-crowded: only 3 of 20 locked layers fit into the budget of 20 layers, which new paths share
    help: raise `max-layers`, or run `seed plan --lock-layers` to rewrite the layer lock; merged layers are sent again
    ");
    let mut renamed = layer_lock;
    renamed.layers[0].name = "bottom".to_owned();
    assert_snapshot!(notes(&plan(&first, Some(&renamed), 20)), @"
    layering::layer-lock-unknown: the layer lock names `bottom`, but this image has only `base`, `library`
    help: run `seed plan --lock-layers` to rewrite the layer lock, and commit it
    ");
}
