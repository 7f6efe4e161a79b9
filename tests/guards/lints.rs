//! What crates may not call is the same everywhere, but for the crate that is the only one to do it.

use std::collections::BTreeSet;

use toml::Table;

use crate::repository::{files, read};

/// Which crate may do what: the parts of `host/clippy.toml` by the path of their methods.
const ALLOWED: [(&str, &[&str]); 2] =
    [("cli", &["std::env::", "std::io::", "std::time::"]), ("disk", &["std::fs::"])];

fn disallowed(path: &str) -> BTreeSet<(String, String)> {
    let config: Table = read(path).parse().unwrap();
    let methods = config["disallowed-methods"].as_array().unwrap().iter();
    let text = |method: &toml::Value, key: &str| method[key].as_str().unwrap().to_owned();
    methods.map(|method| (text(method, "path"), text(method, "reason"))).collect()
}

#[test]
fn crates_allow_only_what_they_are_the_only_ones_to_do() {
    let all = disallowed("host/clippy.toml");
    let configs = files("host", &["toml"]).into_iter().filter(|path| path.ends_with("clippy.toml"));
    for path in configs {
        let path = path.to_str().unwrap();
        let Some(name) = path.strip_prefix("host/").unwrap().strip_suffix("/clippy.toml") else { continue };
        let (_, allowed) = ALLOWED.iter().find(|(crate_name, _)| *crate_name == name).unwrap_or_else(|| {
            panic!("{path}: `{name}` is the only one to do nothing; use an `expect` with a reason")
        });
        let mut expected = all.clone();
        expected.retain(|(method, _)| !allowed.iter().any(|part| method.starts_with(part)));
        assert_eq!(disallowed(path), expected, "{path}");
    }
}

/// The crates that read numbers from outside: from registries, images, plugins, Nix, lock files.
const CAREFUL: [&str; 7] = ["engine", "http", "model", "nix", "oci", "runtime", "trust"];

#[test]
fn numbers_from_outside_do_not_overflow_unnoticed() {
    let workspace: Table = read("Cargo.toml").parse().unwrap();
    assert_eq!(workspace["profile"]["release"]["overflow-checks"].as_bool(), Some(true));
    for name in CAREFUL {
        let root = read(format!("host/{name}/src/lib.rs"));
        assert!(root.contains("\n#![warn(clippy::arithmetic_side_effects)]\n"), "{name}");
    }
    let sum = "std::iter::Iterator::sum";
    assert!(disallowed("host/clippy.toml").iter().any(|(method, _)| method == sum), "{sum}");
}
