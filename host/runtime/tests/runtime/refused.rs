//! What is refused before it runs.

use std::fmt::Write as _;

use insta::assert_snapshot;
use seed_model::{Digest, Stage};
use seed_runtime::{Limits, inspect};
use semver::Version;

use crate::guest::Guest;
use crate::support::refused;

fn refused_selector(component: &[u8]) -> String {
    refused(component, Stage::Select, Limits::default())
}

#[test]
fn a_component_says_what_it_is_without_being_compiled() {
    let component = Guest::new("signer").world_import("wasi:cli/environment@0.2.3").build();
    let inspection = inspect(&component, &Limits::default()).unwrap();
    assert_eq!(inspection.digest, Digest::of(&component));
    assert_eq!(inspection.size, component.len() as u64);
    assert_eq!(inspection.stage, Stage::Sign);
    assert_eq!(inspection.contract, Version::new(0, 1, 0));
    assert_snapshot!("imports_of_a_component", inspection.imports.join("\n"));
    assert_snapshot!("exports_of_a_component", inspection.exports.join("\n"));
}

#[test]
fn the_wrong_world() {
    assert_snapshot!(refused_selector(&Guest::new("publisher").build()));
}

#[test]
fn a_newer_contract() {
    assert_snapshot!(
        "newer_minor_version",
        refused_selector(&Guest::new("layer-selector").contract("0.2.0").build())
    );
    assert_snapshot!(
        "newer_patch_version",
        refused_selector(&Guest::new("layer-selector").contract("0.1.1").build())
    );
}

#[test]
fn an_older_contract() {
    assert_snapshot!(refused_selector(&Guest::new("layer-selector").contract("0.0.9").build()));
}

#[test]
fn an_import_of_wasi_http() {
    let component = Guest::new("publisher").world_import("wasi:http/outgoing-handler@0.2.3");
    let component = component
        .import("wasi:http/outgoing-handler@0.2.3", "handle", "handle", "(result i32)")
        .body("targets", "(call $handle)")
        .build();
    assert_snapshot!(refused(&component, Stage::Publish, Limits::default()));
}

#[test]
fn a_capability_that_is_not_in_the_world() {
    let http = "seed:pipeline/http@0.1.0";
    let component = Guest::new("layer-selector")
        .world_import(http)
        .import(http, "send", "send", "(param i32 i32)")
        .body("outputs", "(call $send (i32.const 0) (i32.const 0)) unreachable")
        .build();
    assert_snapshot!(refused_selector(&component));
}

#[test]
fn a_function_with_another_shape() {
    let component = r#"(component
        (core module $m (func (export "f")))
        (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "f")))
        (instance $plugin (export "describe" (func $f)))
        (instance $selection (export "outputs" (func $f)) (export "plan" (func $f)))
        (export "seed:pipeline/plugin@0.1.0" (instance $plugin))
        (export "seed:pipeline/layer-selection@0.1.0" (instance $selection)))"#;
    assert_snapshot!(refused_selector(&wat::parse_str(component).unwrap()));
}

#[test]
fn a_component_of_another_kind() {
    assert_snapshot!("no_stage", refused_selector(&wat::parse_str("(component)").unwrap()));
    let two = r#"(component (instance $empty)
        (export "seed:pipeline/packing@0.1.0" (instance $empty))
        (export "seed:pipeline/signing@0.1.0" (instance $empty)))"#;
    assert_snapshot!("two_stages", refused_selector(&wat::parse_str(two).unwrap()));
}

#[test]
fn machine_code() {
    let mut config = wasmtime::Config::new();
    config.consume_fuel(true);
    let engine = wasmtime::Engine::new(&config).unwrap();
    let component = Guest::new("layer-selector").build();
    let compiled = engine.precompile_component(&component).unwrap();
    assert_snapshot!("precompiled_component", refused_selector(&compiled));
    let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let limits = Limits { component_size: u64::MAX, ..Limits::default() };
    assert_snapshot!("native_program", refused(&program, Stage::Select, limits));
}

#[test]
fn a_core_module() {
    assert_snapshot!(refused_selector(&wat::parse_str("(module)").unwrap()));
}

#[test]
fn garbage() {
    assert_snapshot!("not_wasm", refused_selector(b"PK\x03\x04"));
    let component = Guest::new("layer-selector").build();
    assert_snapshot!("cut_off", refused_selector(&component[..component.len() / 2]));
    for length in 0..component.len().min(400) {
        assert!(inspect(&component[..length], &Limits::default()).is_err());
    }
}

#[test]
fn every_changed_byte_is_refused_or_runs_but_never_breaks_the_host() {
    let component = Guest::new("layer-selector").build();
    for position in (0..component.len()).step_by(7) {
        let mut changed = component.clone();
        changed[position] ^= 0x55;
        // Whatever it is now, reading it ends.
        let _ = inspect(&changed, &Limits::default());
    }
}

#[test]
fn too_large() {
    assert_snapshot!(refused(&[0; 100], Stage::Select, Limits { component_size: 99, ..Limits::default() }));
}

#[test]
fn too_long_to_compile() {
    // Large functions: each takes the compiler tens of milliseconds.
    let mut bomb = String::new();
    for number in 0..100 {
        write!(bomb, "(func $f{number} (param i64) (result i64) (local.get 0)").unwrap();
        for step in 0..2_000 {
            write!(bomb, "(i64.const {step}) (i64.rotl) (local.get 0) (i64.xor)").unwrap();
        }
        bomb.push(')');
    }
    let component = Guest::new("layer-selector").item(&bomb).build();
    assert_snapshot!(refused(&component, Stage::Select, Limits { compile_time: 0, ..Limits::default() }));
}
