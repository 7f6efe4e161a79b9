//! Components that were built against released versions of the contract, and that must run forever.
//!
//! `fixtures/VERSION/` holds one component for each world. It imports every function that the world has and exports
//! every function that a stage has, so a changed shape anywhere makes it fail to load. Fixtures are never edited; the
//! test makes those of a new version, to be committed with it.

use std::fs;
use std::path::PathBuf;

use seed_model::{Closure, Digest, ImagePlan, LayerRoots, StageError, StorePath};
use seed_runtime::{CONTRACT, Failure, Stage};

use crate::guest::Guest;
use crate::support::{load, nothing, pack_request, publication, selection, sign_request};

/// A selector that Rust 1.85 and `seed-plugin` 0.1.0 made; its source is beside it.
const FROM_RUST: &str = "../../tests/fixtures/compat/0.1.0/compat-selector.wasm";

/// The versions that were released.
const RELEASED: [&str; 1] = ["0.1.0"];

/// World, interface, function, and core type of every import.
#[rustfmt::skip]
const IMPORTS: [(&[&str], &str, &str, &str); 19] = [
    (&["layer-selector", "packer", "signer", "publisher"], "log", "log", "(param i32 i32 i32)"),
    (&["packer", "signer", "publisher"], "progress", "[constructor]task", "(param i32 i32 i32 i64) (result i32)"),
    (&["packer", "signer", "publisher"], "progress", "[method]task.advance", "(param i32 i64)"),
    (&["packer"], "archive", "pack-layers", "(param i32 i32 i32)"),
    (&["packer"], "archive", "[constructor]layer-reader", "(param i32) (result i32)"),
    (&["packer"], "archive", "[method]layer-reader.read", "(param i32 i32 i32)"),
    (&["packer", "signer", "publisher"], "blobs", "put", "(param i32 i32 i32)"),
    (&["packer", "signer", "publisher"], "blobs", "size", "(param i32 i32 i32)"),
    (&["packer", "signer", "publisher"], "blobs", "read", "(param i32 i32 i64 i32 i32)"),
    (&["packer", "signer", "publisher"], "blobs", "[constructor]writer", "(result i32)"),
    (&["packer", "signer", "publisher"], "blobs", "[method]writer.write", "(param i32 i32 i32 i32)"),
    (&["packer", "signer", "publisher"], "blobs", "[method]writer.finish", "(param i32 i32)"),
    (&["packer", "signer", "publisher"], "blobs", "[resource-drop]writer", "(param i32)"),
    (&["signer"], "keyring", "get", "(param i32 i32 i32)"),
    (&["signer"], "keyring", "sign", "(param i32 i32 i32 i32 i32)"),
    (&["signer", "publisher"], "http", "send", "(param i32 i32)"),
    (&["signer", "publisher"], "http", "send-all", "(param i32 i32 i32)"),
    (&["publisher"], "files", "write-directory", "(param i32 i32 i32 i32 i32 i32 i32)"),
    (&["publisher"], "files", "write-tar", "(param i32 i32 i32 i32 i32)"),
];

/// A component that imports all that its world has. Its functions give empty results; `pack`, which has none, gives
/// an error.
fn complete(stage: Stage) -> Vec<u8> {
    let imports = IMPORTS.iter().enumerate().filter(|(_, import)| import.0.contains(&stage.world()));
    let guest = imports.fold(Guest::new(stage.world()), |guest, (number, (_, interface, function, kind))| {
        let interface = format!("seed:pipeline/{interface}@{CONTRACT}");
        guest.import(&interface, function, &format!("import{number}"), kind)
    });
    let functions = ["outputs", "plan", "describe-key", "sign", "targets", "publish"];
    let guest = functions.into_iter().fold(guest, |guest, function| guest.body(function, "(i32.const 8192)"));
    guest
        .body(
            "pack",
            "(i32.store8 (i32.const 8192) (i32.const 1)) (i32.store8 (i32.const 8200) (i32.const 5)) (i32.const 8192)",
        )
        .build()
}

fn fixture(version: &str, stage: Stage) -> Vec<u8> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/runtime/fixtures").join(version);
    let path = directory.join(format!("{}.wasm", stage.world()));
    if !path.exists() && version == CONTRACT.to_string() {
        fs::create_dir_all(directory).unwrap();
        fs::write(&path, complete(stage)).unwrap();
    }
    fs::read(path).unwrap()
}

fn runs(component: &[u8], stage: Stage) {
    let plugin = load(component, stage);
    assert_eq!(plugin.description().name, "hostile");
    let nothing = nothing();
    match stage {
        Stage::Select => {
            assert_eq!(plugin.select_outputs(&nothing, &selection()).unwrap(), []);
            let plan = plugin.plan(&nothing, &selection(), &seed_model::Closure::default()).unwrap();
            assert_eq!(plan, ImagePlan::default());
        }
        Stage::Pack => {
            let error = plugin.pack(&nothing, &pack_request(ImagePlan::default())).unwrap_err();
            assert_eq!(error.failure, Failure::Stage(StageError::Failed(String::new())));
        }
        Stage::Sign => {
            assert_eq!(plugin.describe_key(&nothing, "{}", "release").unwrap().name, "");
            assert_eq!(plugin.sign(&nothing, &sign_request()).unwrap().signatures, []);
        }
        Stage::Publish => {
            assert_eq!(plugin.targets(&nothing, "{}", "test").unwrap(), Vec::<String>::new());
            assert_eq!(plugin.publish(&nothing, &publication()).unwrap(), []);
        }
    }
}

#[test]
fn components_of_released_versions_run() {
    assert!(RELEASED.contains(&CONTRACT.to_string().as_str()), "{CONTRACT} has fixtures");
    for version in RELEASED {
        for stage in Stage::ALL {
            runs(&fixture(version, stage), stage);
        }
    }
}

#[test]
fn components_of_this_version_run() {
    for stage in Stage::ALL {
        runs(&complete(stage), stage);
    }
}

#[test]
fn a_component_of_the_first_sdk_runs() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(FROM_RUST);
    let plugin = load(&fs::read(path).unwrap(), Stage::Select);
    assert_eq!(plugin.description().name, "compat-selector");

    let error = plugin.select_outputs(&nothing(), &selection()).unwrap_err();
    let Failure::Stage(StageError::Config(diagnostics)) = error.failure else { panic!("{error}") };
    assert_eq!(diagnostics[0].code, "compat::nothing");

    let path = |name: &str, references: &[u32]| StorePath {
        store_path: format!("/nix/store/{name}"),
        nar_hash: Digest::of(name.as_bytes()),
        nar_size: 1,
        references: references.to_vec(),
    };
    let root = LayerRoots { layer: "apps".to_owned(), roots: vec![1] };
    let closure = Closure { paths: vec![path("a", &[]), path("b", &[0, 1])], outputs: vec![root] };
    let plan = plugin.plan(&nothing(), &selection(), &closure).unwrap();
    assert_eq!((plan.layers[0].name.as_str(), &plan.layers[0].paths), ("all", &vec![0, 1]));
    assert_eq!(plan.notes[0].code, "compat::one-layer");
}
