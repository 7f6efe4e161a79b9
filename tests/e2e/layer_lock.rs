//! Layer locks, on closures that Nix made.

use seed_tests::TestEnvironment;
use serde_json::Value;

use crate::hello::use_nix;

/// One package for each layer; the last refers to the first.
const FLAKE: &str = r#"{
  outputs = { self }: {
    packages = builtins.mapAttrs (system: _: let
      make = name: text: derivation {
        inherit name system;
        builder = "/bin/sh";
        args = [ "-c" "echo ${text} > $out" ];
      };
    in rec {
      data = make "data-1.0" "first";
      tool = make "tool-1.0" "second";
      app = make "app-1.0" "${data}";
    }) { x86_64-linux = null; aarch64-linux = null; };
  };
}
"#;

const PIPELINE: &str = r#"schema = 1
[source]
flake = "path:./flake"
[layers]
base = ["data"]
library = ["tool"]
apps = ["app"]
[seed]
name = "locked"
[select]
layer-lock = "layers.lock"
[[publish]]
plugin = "builtin:oci-layout"
config = { path = "result" }
"#;

/// The names of the layers that a run had to pack.
fn packed(summary: &Value) -> Vec<String> {
    let layers = summary["images"][0]["layers"].as_array().unwrap();
    let packed = layers.iter().filter(|layer| layer["cached"] == false);
    packed.map(|layer| layer["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_pinned_run_after_one_changed_package_packs_one_layer() {
    let mut environment = TestEnvironment::new();
    use_nix(&mut environment);
    environment.write("flake/flake.nix", FLAKE);
    environment.write("pipeline.toml", PIPELINE);
    assert_eq!(packed(&environment.run_json(&[])), ["base", "library", "apps", "apps"]);
    let layer_lock = environment.read("layers.lock");
    assert!(packed(&environment.run_json(&["--locked"])).is_empty());

    environment.replace("flake/flake.nix", "\"tool-1.0\"", "\"tool-1.1\"");
    assert_eq!(packed(&environment.run_json(&["--locked"])), ["library"]);
    assert_eq!(environment.read("layers.lock"), layer_lock, "a run keeps the layer lock");

    environment.seed(&["plan", "--lock-layers"]).ok();
    let renewed = environment.read("layers.lock");
    assert!(renewed.contains("updates = 1\n\n[image.changes]\ntool = 1\n"), "{renewed}");
    assert!(packed(&environment.run_json(&[])).is_empty());

    std::fs::remove_file(environment.work().join("layers.lock")).unwrap();
    let missing = environment.seed(&["run", "--quiet", "--locked"]).failed(5);
    assert!(missing.stderr.contains("seed::layer-lock::missing"), "{}", missing.stderr);
}
