//! Sources that Nix cannot give: each ends with a clear error and exit code 3, and nothing is published.

use std::fs;
use std::path::PathBuf;

use seed_tests::TestEnvironment;
use serde_json::Value;

use crate::hello::hello;

/// The error that a run in this environment ends with.
#[track_caller]
fn error(environment: &TestEnvironment, code: i32) -> String {
    let failed = environment.seed(&["run", "--quiet"]).failed(code);
    assert!(!environment.work().join("result").exists(), "something was published");
    environment.redact(&failed.stderr)
}

#[test]
fn that_is_no_flake() {
    let environment = hello();
    fs::remove_file(environment.work().join("flake/flake.nix")).unwrap();
    insta::assert_snapshot!(error(&environment, 3), @r#"
    error[seed::nix::no-flake]: there is no flake at `path:./flake`: getting status of '/nix/store/[HASH]-source/flake.nix': No such file or directory
     --> pipeline.toml:6:9
      |
    5 | # The flake is in a directory of its own, so that keys and results beside this file are not copied to the Nix store.
    6 | flake = "path:./flake"
      |         ^^^^^^^^^^^^^^
      help: `source.flake` names a directory with a `flake.nix`, or any other flake reference; a file in a git repository must be known to git (`git add`)
    "#);
}

#[test]
fn that_does_not_evaluate() {
    let environment = hello();
    environment.replace("flake/flake.nix", "import ./mkseed.nix", "import ./mkseeds.nix");
    insta::assert_snapshot!(error(&environment, 3), @r#"
    error[seed::nix::evaluation]: flake `path:./flake` does not evaluate (`seed`): getting status of 'mkseeds.nix': No such file or directory
     --> pipeline.toml:8:8
      |
    7 | # The derivation whose outputs are the layers; flake/flake.nix makes it with mkSeed.
    8 | attr = "seed"
      |        ^^^^^^
      help: see the whole trace with: nix eval --show-trace 'path:./flake#seed'
    "#);
}

#[test]
fn without_the_attribute() {
    let environment = hello();
    environment.replace("pipeline.toml", "attr = \"seed\"", "attr = \"sed\"");
    insta::assert_snapshot!(error(&environment, 3), @r#"
    error[seed::nix::no-attribute]: flake `path:./flake` has no attribute `sed` for x86_64-linux
     --> pipeline.toml:8:8
      |
    7 | # The derivation whose outputs are the layers; flake/flake.nix makes it with mkSeed.
    8 | attr = "sed"
      |        ^^^^^
      help: did you mean `seed`?
    "#);
}

#[test]
fn without_an_attribute_of_a_layer() {
    let environment = hello();
    environment.replace("pipeline.toml", "attr = \"seed\"\n", "");
    let layers = "[layers]\nlibrary = [\"hexbuild-rebuilt\"]\napps = [\"helo\"]\n\n[seed]";
    environment.replace("pipeline.toml", "[seed]", layers);
    insta::assert_snapshot!(error(&environment, 3), @r#"
    error[seed::nix::no-attribute]: flake `path:./flake` has no attribute `helo` for x86_64-linux
      --> pipeline.toml:13:9
       |
    12 | library = ["hexbuild-rebuilt"]
    13 | apps = ["helo"]
       |         ^^^^^^
      help: did you mean `hello`?
    "#);
}

#[test]
fn whose_seed_lacks_an_output() {
    let environment = hello();
    let outputs = "seed = derivation { name = \"seed\"; inherit system; builder = \"/bin/sh\"; outputs = [ \"base\" \"apps\" ]; };\n\n          split = mkSeed {";
    environment.replace("flake/flake.nix", "seed = mkSeed {", outputs);
    insta::assert_snapshot!(error(&environment, 2), @r#"
    error[layering::missing-output]: pipeline.toml: standard-layers 0.1.0: the derivation `seed` has no output `library`
      --> pipeline.toml:18:1
       |
    18 | [select.config]
       | ^^^^^^^^^^^^^^^ said of this
      help: it has `base`, `apps`; `mkSeed` makes one output for each standard layer, or list the layers to take, bottom first, in `[select] config = { layers = [...] }`
    "#);
}

#[test]
fn whose_seed_lacks_a_layer() {
    let environment = hello();
    let layers = "[select.config]\nlayers = [\"base\", \"librery\", \"apps\"]";
    environment.replace("pipeline.toml", "[select.config]", layers);
    insta::assert_snapshot!(error(&environment, 2), @r#"
    error[layering::unknown-layer]: pipeline.toml: standard-layers 0.1.0: the source offers no layer `librery`
      --> pipeline.toml:19:19
       |
    18 | [select.config]
    19 | layers = ["base", "librery", "apps"]
       |                   ^^^^^^^^^ said of this
      help: did you mean `library`? it offers `base`, `library`, `apps`, `checks`, `devShells`, `overlays`
    "#);
}

#[test]
fn whose_builder_fails() {
    let environment = hello();
    let builder = "builder = \"/bin/sh\"; args = [ \"-c\" \"echo compiling the greeting; echo no such letter: ß >&2; exit 7\" ];";
    environment.replace("flake/flake.nix", "builder = hexbuild;", builder);
    environment.replace("flake/flake.nix", "              args = [\n                (builtins.placeholder \"out\")\n                name\n                listing\n              ];\n", "");
    insta::assert_snapshot!(error(&environment, 3), @r#"
    error[seed::nix::builder]: building `hello` failed: builder failed with exit code 7; its last lines:
        > compiling the greeting
        > no such letter: ß
     --> pipeline.toml:8:8
      |
    7 | # The derivation whose outputs are the layers; flake/flake.nix makes it with mkSeed.
    8 | attr = "seed"
      |        ^^^^^^
      help: see the whole log with: nix log /nix/store/[HASH]-hello.drv
    "#);
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
    insta::assert_snapshot!(error(&environment, 3), @r"
    error[seed::pack::failed]: packing failed
      cause: `/nix/store/[HASH]-greeting` changed: its NAR hash should be sha256:[HASH] (144 bytes), but it is sha256:[HASH] (144 bytes)
      help: something wrote to the path after its hash was taken: run again, or mend a Nix store with `nix-store --verify --check-contents --repair`
    ");
    drop(changed);
    let summary: Value = environment.run_json(&[]);
    assert!(summary["digest"].is_string());
}
