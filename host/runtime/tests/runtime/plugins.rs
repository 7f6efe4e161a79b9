//! The default plugins, as they are shipped.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use seed_model::{Closure, Digest, ImagePlan, LayerRoots, SelectionRequest, StorePath};
use seed_runtime::{Limits, Stage, inspect};

use crate::support::{load, nothing, selection};

const PLUGINS: [(&str, Stage); 5] = [
    ("standard-layers", Stage::Select),
    ("oci-packer", Stage::Pack),
    ("cosign-signer", Stage::Sign),
    ("oci-layout", Stage::Publish),
    ("registry-publisher", Stage::Publish),
];

fn component(name: &str) -> Vec<u8> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/prebuilt");
    fs::read(directory.join(format!("{name}.wasm"))).unwrap()
}

#[test]
fn they_describe_themselves_and_import_nothing_but_the_contract() {
    for (name, stage) in PLUGINS {
        let component = component(name);
        let plugin = load(&component, stage);
        assert_eq!(plugin.description().name, name);
        let inspection = inspect(&component, &Limits::default()).unwrap();
        assert!(inspection.imports.iter().all(|import| import.starts_with("seed:pipeline/")), "{name}");
        assert_snapshot!(format!("imports_of_{name}"), inspection.imports.join("\n"));
    }
}

/// A closure of `number` paths, each of which refers to the `references` before it; the last is the root.
pub(crate) fn closure(number: u32, references: u32) -> Closure {
    let path = |i: u32| StorePath {
        store_path: format!("/nix/store/{i:032}-package-{i}"),
        nar_hash: Digest::of(&i.to_le_bytes()),
        nar_size: u64::from(i) * 1000,
        references: (i.saturating_sub(references)..i).collect(),
    };
    let root = LayerRoots { layer: "apps".to_owned(), roots: vec![number - 1] };
    Closure { paths: (0..number).map(path).collect(), outputs: vec![root] }
}

fn plan(request: &SelectionRequest, closure: &Closure) -> ImagePlan {
    load(&component("standard-layers"), Stage::Select).plan(&nothing(), request, closure).unwrap()
}

#[test]
fn a_plan_has_every_path_once_and_is_the_same_each_time() {
    let request = SelectionRequest { variables: BTreeMap::new(), ..selection() };
    let closure = closure(500, 8);
    let first = plan(&request, &closure);
    let mut paths: Vec<u32> = first.layers.iter().flat_map(|layer| layer.paths.clone()).collect();
    paths.sort_unstable();
    assert_eq!(paths, (0..500).collect::<Vec<_>>());
    assert_eq!(first, plan(&request, &closure));
}
