//! Every supported Nix gives the same layers.

use seed_tests::{Run, TestEnvironment, peer, seed_program, version_of};
use serde_json::Value;

use crate::hello::{hello, hello_in_root};

fn layers(summary: &Value) -> Vec<(&str, &str)> {
    let layers = summary["images"][0]["layers"].as_array().unwrap();
    layers
        .iter()
        .map(|layer| (layer["digest"].as_str().unwrap(), layer["diff-id"].as_str().unwrap()))
        .collect()
}

/// Runs `seed` in a Debian root; gives Nix's version and the summary.
fn run_in(suite: &str) -> (String, Value) {
    let environment = hello_in_root();
    // The root sees the directory of this environment and nothing else of this machine.
    let seed = environment.root().join("seed");
    std::fs::copy(seed_program(), &seed).unwrap();
    let in_root = |environment: &TestEnvironment| {
        let mut command = environment.command(peer(&format!("in-{suite}")));
        command.arg(environment.root()).arg("--chdir").arg(environment.work());
        command
    };
    let version = version_of(in_root(&environment).arg("nix"));
    let summary = Run::of(in_root(&environment).arg(&seed).args(["run", "--json"])).ok().json();
    (version, summary)
}

#[test]
fn hello_has_the_same_layers_with_all_of_them() {
    let environment = hello();
    let here = (version_of(environment.command("nix").arg("--offline")), environment.run_json(&[]));
    let all = [here, run_in("trixie"), run_in("forky")];

    let mut versions: Vec<_> = all.iter().map(|(version, _)| version.as_str()).collect();
    versions.dedup();
    assert_eq!(versions.len(), 3, "three different versions: {versions:?}");
    let first = &all[0].1;
    assert!(layers(first).len() >= 3, "{first:#}");
    for (version, summary) in &all[1..] {
        assert_eq!(layers(summary), layers(first), "{version}");
        assert_eq!(summary["digest"], first["digest"], "{version}");
        assert_eq!(summary["images"][0]["closure"], first["images"][0]["closure"], "{version}");
    }
}
