//! Sources that Nix cannot give: each ends with a clear error and exit code 3, and nothing is published.

use std::fs;
use std::path::PathBuf;

use seed_tests::{TestEnvironment, table};
use serde_json::Value;

use crate::hello::hello;

/// The exit code, and what is changed in the hello example.
type Case = (i32, fn(&TestEnvironment));

const CASES: [(&str, Case); 7] = [
    ("is no flake", (3, |project| fs::remove_file(project.path("flake/flake.nix")).unwrap())),
    (
        "does not evaluate",
        (3, |project| project.replace("flake/flake.nix", "import ./mkseed.nix", "import ./mkseeds.nix")),
    ),
    (
        "lacks the attribute",
        (3, |project| project.replace("pipeline.toml", "attr = \"seed\"", "attr = \"sed\"")),
    ),
    (
        "lacks an attribute of a layer",
        (3, |project| {
            project.replace("pipeline.toml", "attr = \"seed\"\n", "");
            let layers = "[layers]\nlibrary = [\"hexbuild-rebuilt\"]\napps = [\"helo\"]\n\n[seed]";
            project.replace("pipeline.toml", "[seed]", layers);
        }),
    ),
    (
        "has a seed that lacks an output",
        (2, |project| {
            let outputs = "seed = derivation { name = \"seed\"; inherit system; builder = \"/bin/sh\"; outputs = [ \"base\" \"apps\" ]; };\n\n          split = mkSeed {";
            project.replace("flake/flake.nix", "seed = mkSeed {", outputs);
        }),
    ),
    (
        "has a seed that lacks a layer",
        (2, |project| {
            let layers = "[select.config]\nlayers = [\"base\", \"librery\", \"apps\"]";
            project.replace("pipeline.toml", "[select.config]", layers);
        }),
    ),
    (
        "has a builder that fails",
        (3, |project| {
            let builder = "builder = \"/bin/sh\"; args = [ \"-c\" \"echo compiling the greeting; echo no such letter: ß >&2; exit 7\" ];";
            project.replace("flake/flake.nix", "builder = hexbuild;", builder);
            let arguments = "              args = [\n                (builtins.placeholder \"out\")\n                name\n                listing\n              ];\n";
            project.replace("flake/flake.nix", arguments, "");
        }),
    ),
];

#[test]
fn a_flake_that() {
    insta::assert_snapshot!(table(&CASES, |(code, make)| {
        let environment = hello();
        make(&environment);
        environment.run_error(*code)
    }));
}

/// A file of the store with a greeting of its own, changed behind Nix's back until this value ends.
struct ChangedStorePath {
    path: PathBuf,
    original: Vec<u8>,
}

impl ChangedStorePath {
    fn change(path: &str) -> Self {
        let path = PathBuf::from(path);
        let original = fs::read(&path).unwrap();
        fs::write(&path, b"Hello from somebody else\n").unwrap();
        Self { path, original }
    }
}

impl Drop for ChangedStorePath {
    fn drop(&mut self) {
        fs::write(&self.path, &self.original).unwrap();
    }
}

#[test]
fn whose_store_path_changed() {
    let environment = hello();
    // A greeting that no other test uses, so that none sees the change.
    environment.replace("flake/flake.nix", "Hello from seed!", "Hello from a changed store!");
    let plan = environment.seed(&["plan", "--json"]).ok().json();
    let paths = plan["images"][0]["layers"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|layer| layer["paths"].as_array().unwrap());
    let mut names =
        paths.filter_map(|path| path["store-path"].as_str().or_else(|| path.as_str()).map(str::to_owned));
    let greeting = names.find(|path| path.ends_with("-greeting")).unwrap_or_else(|| panic!("{plan:#}"));

    let changed = ChangedStorePath::change(&greeting);
    insta::assert_snapshot!(environment.run_error(3), @r"
    error[seed::pack::failed]: packing failed
      cause: `/nix/store/[HASH]-greeting` changed: expected the NAR hash sha256:[HASH] (144 bytes), found sha256:[HASH] (144 bytes)
      help: the path was modified after Nix computed its hash: run again, or repair the store with `nix-store --verify --check-contents --repair`
    ");
    drop(changed);
    let summary: Value = environment.run_json(&[]);
    assert!(summary["digest"].is_string());
}
