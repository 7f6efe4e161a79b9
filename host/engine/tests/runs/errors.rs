//! Errors of whole runs, as the user sees them.

use std::fs;
use std::sync::Arc;

use insta::assert_snapshot;
use seed_engine::events::Silent;
use seed_engine::{Pipeline, RunOptions};
use seed_report::Kind;

use crate::support::Project;

const HEAD: &str = "schema = 1\n[source.directories]\napps = \"site\"\n[seed]\nname = \"site\"\n";
const PUBLISH: &str = "[[publish]]\nplugin = \"builtin:oci-layout\"\nconfig = { path = \"result\" }\n";

/// The error of a run of a pipeline with these tables.
fn error(tables: &str, prepare: impl FnOnce(&Project), expected: Kind) -> String {
    let project = Project::new(&format!("{HEAD}{tables}"));
    prepare(&project);
    let (kind, text) = project.rendered(&project.run(&RunOptions::default()).unwrap_err());
    assert_eq!(kind, expected, "{text}");
    assert!(!project.path("result").exists(), "nothing is published by a run that fails");
    text
}

#[test]
fn plugins_that_cannot_be_had() {
    let pack = |plugin: &str| format!("[pack]\nplugin = \"{plugin}\"\n{PUBLISH}");
    let nothing = |_: &Project| {};
    assert_snapshot!("unknown_builtin", error(&pack("builtin:oci-paker"), nothing, Kind::Plugin));
    assert_snapshot!("missing_file", error(&pack("./packer.wasm"), nothing, Kind::Plugin));
    assert_snapshot!(
        "no_component",
        error(&pack("./packer.wasm"), |project| project.write("packer.wasm", "#!/bin/sh\n"), Kind::Plugin)
    );
    assert_snapshot!("wrong_stage", error(&pack("builtin:oci-layout"), nothing, Kind::Plugin));
    assert_snapshot!("bad_reference", error(&pack("oci://not a reference"), nothing, Kind::Plugin));
}

#[test]
fn pins_hold() {
    let pinned = format!("[pack]\nplugin = \"./p.wasm\"\nsha256 = \"{}\"\n{PUBLISH}", "0".repeat(64));
    let text = error(&pinned, |project| project.write("p.wasm", "not even a component"), Kind::Pin);
    assert_snapshot!(text);
}

#[test]
fn configurations_of_builtins_are_checked() {
    let config = "[pack]\nconfig = { compression = \"lzma\", levl = 3 }\n";
    let error = error(&format!("{config}{PUBLISH}"), |_| {}, Kind::Usage);
    assert_snapshot!(error);
}

#[test]
fn unknown_limits_are_named() {
    let error = error(&format!("{PUBLISH}[limits]\nmemry = 1\n"), |_| {}, Kind::Usage);
    assert_snapshot!(error);
}

#[test]
fn limits_are_limits() {
    let error = error(&format!("{PUBLISH}[limits]\nfuel = 1000\n"), |_| {}, Kind::Plugin);
    // How far the component gets is the compiler's business; that it stops and says how to go on is ours.
    assert!(error.contains("1000 units of fuel") && error.contains("`fuel = N` in `[limits]`"), "{error}");
}

#[test]
fn directories_must_be_there() {
    let gone = |project: &Project| fs::remove_dir_all(project.path("site")).unwrap();
    assert_snapshot!("no_directory", error(PUBLISH, gone, Kind::Source));
    let pipe = |project: &Project| {
        let status = std::process::Command::new("mkfifo").arg(project.path("site/pipe")).status();
        assert!(status.unwrap().success());
    };
    assert_snapshot!("special_file", error(PUBLISH, pipe, Kind::Source));
}

#[test]
fn keys_must_open() {
    let sign = "[[sign]]\nplugin = \"builtin:cosign-signer\"\ngrants = { keys = [\"release\"] }\n";
    let key = |password: &str| {
        format!("{sign}{PUBLISH}[keys.release]\ncosign = {{ file = \"cosign.key\"{password} }}\n")
    };
    assert_snapshot!("key_missing", error(&key(""), |_| {}, Kind::Signature));
    let garbage = |project: &Project| project.write("cosign.key", "garbage");
    assert_snapshot!("key_garbage", error(&key(""), garbage, Kind::Signature));
    let encrypted = |project: &Project| {
        let key = seed_trust::PrivateKey::generate().unwrap().to_encrypted_pem(b"right").unwrap();
        project.write("cosign.key", key);
        project.write("password", "wrong\n");
    };
    assert_snapshot!("key_without_password", error(&key(""), encrypted, Kind::Signature));
    let wrong = key(", password = { file = \"password\" }");
    assert_snapshot!("key_wrong_password", error(&wrong, encrypted, Kind::Signature));
    let unset = key(", password = { env = \"SEED_TEST_UNSET_VARIABLE\" }");
    assert_snapshot!("key_unset_variable", error(&unset, encrypted, Kind::Signature));
}

#[test]
fn what_is_there_already_is_not_replaced() {
    let project = Project::new(&format!("{HEAD}{PUBLISH}"));
    project.write("result/precious", "data");
    let (kind, text) = project.rendered(&project.run(&RunOptions::default()).unwrap_err());
    assert_eq!(kind, Kind::Publish);
    assert_eq!(fs::read_to_string(project.path("result/precious")).unwrap(), "data");
    insta::with_settings!({filters => vec![(r"\([0-9a-f]{12}\)", "(DIGEST)")]}, {
        assert_snapshot!(text);
    });
}

#[test]
fn a_changed_component_stops_a_locked_run() {
    let component = include_bytes!("../../../../plugins/prebuilt/oci-layout.wasm");
    let project = Project::new(&format!(
        "{HEAD}[[publish]]\nplugin = \"./own.wasm\"\nconfig = {{ path = \"result\" }}\n"
    ));
    project.write("own.wasm", component);
    project.run(&RunOptions::default()).unwrap();
    let mut changed = component.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    project.write("own.wasm", changed);
    let locked = RunOptions { locked: true, ..RunOptions::default() };
    let (kind, text) = project.rendered(&project.run(&locked).unwrap_err());
    assert_eq!(kind, Kind::Pin);
    assert!(text.contains("seed::lock::mismatch") && text.matches("sha256:").count() >= 2, "{text}");

    let pipeline = Pipeline::load(&project.path("pipeline.toml")).unwrap();
    let in_ci = project.engine(true).run(&pipeline, &RunOptions::default(), Arc::new(Silent)).unwrap_err();
    let (kind, text) = project.rendered(&in_ci);
    assert_eq!(kind, Kind::Pin);
    assert!(text.contains("seed::lock::unlocked") && text.contains("sha256 = \""), "{text}");
}
