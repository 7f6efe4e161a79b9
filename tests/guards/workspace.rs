//! The crates are those that `docs/design/crates.md` describes, and depend on each other as it says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use toml::Table;

use crate::repository::{read, root};

const PAGE: &str = "docs/design/crates.md";

/// What only one crate of the host may depend on.
const ONLY: [(&str, &str); 9] = [
    ("wasmtime", "runtime"),
    ("wasmparser", "runtime"),
    ("reqwest", "http"),
    ("tokio", "http"),
    ("oci-spec", "oci"),
    ("p256", "trust"),
    ("ed25519-dalek", "trust"),
    ("clap", "cli"),
    ("clap_complete", "cli"),
];

/// The manifests of the crates below `host`, by directory.
fn manifests() -> BTreeMap<String, Table> {
    let paths = fs::read_dir(root().join("host")).unwrap().map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.is_dir())
        .map(|path| {
            let manifest = fs::read_to_string(path.join("Cargo.toml")).unwrap().parse().unwrap();
            (path.file_name().unwrap().to_str().unwrap().to_owned(), manifest)
        })
        .collect()
}

fn package(manifest: &Table) -> &str {
    manifest["package"]["name"].as_str().unwrap()
}

#[test]
fn the_table_lists_every_crate_and_no_other() {
    let workspace: Table = read("Cargo.toml").parse().unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap();
    assert!(members.iter().any(|member| member.as_str() == Some("host/*")), "{members:?}");
    let crates: BTreeSet<_> = manifests()
        .iter()
        .map(|(directory, manifest)| format!("| `{}` | `host/{directory}` |", package(manifest)))
        .collect();
    let page = read(PAGE);
    let rows = page.lines().filter(|line| line.starts_with("| `seed"));
    let listed: BTreeSet<_> = rows
        .map(|row| format!("{}|", row.split_inclusive('|').take(3).collect::<String>().trim_end_matches('|')))
        .collect();
    assert_eq!(listed, crates, "the table of {PAGE}");
}

/// The crates from the top down, as `cli → engine → {runtime, nix} → model` has them.
fn levels() -> Vec<BTreeSet<String>> {
    let page = read(PAGE);
    let line = page.lines().find(|line| line.contains(" → ")).unwrap();
    let order = line.split('`').find(|part| part.contains(" → ")).unwrap();
    let names = |level: &str| level.trim_matches(['{', '}']).split(", ").map(str::to_owned).collect();
    order.split(" → ").map(names).collect()
}

#[test]
fn dependencies_point_the_way_that_is_drawn() {
    let levels = levels();
    let manifests = manifests();
    let level = |directory: &str| {
        levels
            .iter()
            .position(|level| level.contains(directory))
            .unwrap_or_else(|| panic!("`{directory}` is not in the order that {PAGE} draws"))
    };
    let directories: BTreeMap<_, _> =
        manifests.iter().map(|(directory, manifest)| (package(manifest), directory)).collect();
    assert_eq!(
        levels.iter().map(BTreeSet::len).sum::<usize>(),
        directories.len(),
        "the order in {PAGE}: {levels:?}"
    );
    for (directory, manifest) in &manifests {
        for dependency in
            manifest.get("dependencies").and_then(toml::Value::as_table).into_iter().flat_map(Table::keys)
        {
            if let Some(below) = directories.get(dependency.as_str()) {
                assert!(level(below) > level(directory), "host/{directory} may not depend on host/{below}");
            }
            if let Some((_, only)) = ONLY.iter().find(|(name, _)| name == dependency) {
                assert_eq!(directory, only, "only host/{only} may depend on {dependency}");
            }
        }
    }
}
