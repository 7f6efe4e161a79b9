//! The rest of `nix/` with real Nix, without a network: `cargo test --features seed-nix/live`.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use seed_nix::{Event, Nix, NixOptions};
use seed_process::{Launcher, Variables};

/// A seed and an image of it, whose program is none: nothing here runs it.
const IMAGE: &str = r#"
    seed = lib.mkSeed { system = "x86_64-linux"; apps = [ (builtins.toFile "app" "") ]; layers.models = [ ]; };
    program = derivation { name = "seed"; system = "x86_64-linux"; builder = "/bin/sh"; };
    image = pipeline: lib.mkImage { inherit seed program pipeline; };
    text = image: builtins.elemAt image.drvAttrs.args 3;
"#;

/// What `expression` is, a string, with `lib` in scope; or the end of the error.
fn evaluate(expression: &str) -> Result<String, String> {
    let nix = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../nix");
    let expression = format!(
        "let lib = import {} {{ program = _: throw \"none\"; }}; {IMAGE} in {expression}",
        nix.display()
    );
    let arguments = ["--extra-experimental-features", "nix-command", "eval", "--impure", "--raw", "--expr"];
    let output = Command::new("nix").args(arguments).arg(expression).output().unwrap();
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap());
    }
    let error = String::from_utf8(output.stderr).unwrap();
    let message = error.lines().filter_map(|line| line.trim().strip_prefix("error: ")).next_back();
    Err(message.unwrap_or(&error).to_owned())
}

#[test]
fn a_pipeline_is_written_as_toml() {
    let pipeline = r#"lib.mkPipeline {
        source.flake = ".";
        seed = { name = "he\"llo\\\n"; variant = null; };
        select.config = { entrypoint = [ "a" "b" ]; links."/bin/sh" = "bash"; max-layers = 3; ratio = 1.5; };
        publish = [
            { plugin = "builtin:oci-layout"; config.path = "x"; grants.http = [ ]; }
            { plugin = "builtin:registry-publisher"; config = { }; nested = [ [ { a = true; } ] ]; }
        ];
        keys.release.cosign = { file = "k"; password.env = "P"; };
    }"#;
    insta::assert_snapshot!(evaluate(pipeline).unwrap(), @r#"
    schema = 1

    [keys.release.cosign]
    file = "k"

    [keys.release.cosign.password]
    env = "P"

    [[publish]]
    plugin = "builtin:oci-layout"

    [publish.config]
    path = "x"

    [publish.grants]
    http = []

    [[publish]]
    nested = [[{ a = true }]]
    plugin = "builtin:registry-publisher"

    [publish.config]

    [seed]
    name = "he\"llo\\\n"

    [select.config]
    entrypoint = ["a", "b"]
    max-layers = 3
    ratio = 1.5

    [select.config.links]
    "/bin/sh" = "bash"

    [source]
    flake = "."
    "#);
    insta::assert_snapshot!(evaluate("lib.mkPipeline { seed.name = x: x; }").unwrap_err(), @"toTOML: `seed.name` is a lambda, which TOML cannot hold");
}

#[test]
fn what_differs_by_system_is_turned_around() {
    let outputs = r#"builtins.toJSON (lib.eachSystem [ "a" "b" ] (system:
        { packages.default = "p-${system}"; } // (if system == "a" then { checks.c = 1; } else { })))"#;
    insta::assert_snapshot!(evaluate(outputs).unwrap(), @r#"{"checks":{"a":{"c":1}},"packages":{"a":{"default":"p-a"},"b":{"default":"p-b"}}}"#);
    insta::assert_snapshot!(evaluate(r#"builtins.toJSON (lib.forSystems [ "a" ] (system: system))"#).unwrap(), @r#"{"a":"a"}"#);
}

/// Where an image goes and who signs it is decided elsewhere; what it is comes from the pipeline.
#[test]
fn an_image_takes_from_a_pipeline_what_the_image_is() {
    let pipeline = r#"{
        schema = 1;
        source.flake = ".";
        layers.apps = [ "x" ];
        seed = { name = "hello"; created = "2024-01-01T00:00:00Z"; nix = "nix"; builds = [ "default" ]; };
        select.config = { entrypoint = [ "hello" ]; layers = [ "base" "apps" ]; };
        pack.config.compression = "zstd";
        sign = [ { plugin = "builtin:cosign-signer"; } ];
        publish = [ { plugin = "builtin:registry-publisher"; } ];
        keys.release.cosign.file = "k";
        limits.fuel = 5;
    }"#;
    let text = evaluate(&format!("text (image {pipeline})")).unwrap();
    let mut settings = insta::Settings::clone_current();
    settings.add_filter("/nix/store/[a-z0-9]{32}-", "/nix/store/…-");
    settings.add_filter("archive = \".*\"", "archive = \"[out]\"");
    settings.bind(|| {
        insta::assert_snapshot!(text, @r#"
        schema = 1

        [limits]
        fuel = 5

        [pack.config]
        compression = "zstd"

        [[publish]]
        plugin = "builtin:oci-layout"

        [publish.config]
        archive = "[out]"
        tags = ["latest"]

        [seed]
        created = "2024-01-01T00:00:00Z"
        name = "hello"

        [select.config]
        entrypoint = ["hello"]
        layers = ["base", "apps"]

        [source]
        systems = ["x86_64-linux"]

        [source.closure]
        graph = ".attrs.json"

        [source.closure.variables]

        [source.closure.outputs]
        base = "/nix/store/…-seed-base"
        apps = "/nix/store/…-seed-apps"
        "#);
    });
    let layers = evaluate(r#"text (image { seed.name = "hello"; })"#).unwrap();
    assert!(
        layers.contains(r#"layers = ["base", "library", "models", "apps"]"#),
        "its own layers are listed: {layers}"
    );
}

#[test]
fn impossible_images_are_refused() {
    let error = |expression: &str| evaluate(&format!("({expression}).drvPath")).unwrap_err();
    insta::assert_snapshot!(error(r#"image { seed.name = "hello"; select.config.layers = [ "model" ]; }"#), @"mkImage: the seed has no layer `model`; it has `base`, `library`, `models`, `apps`, `checks`, `devShells`, `overlays`");
    insta::assert_snapshot!(error("image { }"), @"mkImage: `pipeline` has no `seed.name`");
    insta::assert_snapshot!(error(r#"(image { seed.name = "hello"; }).override { format = "tar"; }"#), @"mkImage: unknown format `tar`; use `docker-archive` or `oci-layout`");
}

/// What is beside the pipeline file is in the store when the image is made.
#[test]
fn an_image_brings_the_files_of_its_pipeline() {
    let directory = tempfile::tempdir().unwrap();
    let pipeline = "[seed]\nname = \"hello\"\n[pack]\nplugin = \"./packer.wasm\"\n[select]\nlayer-lock = \"layers.lock\"\n";
    fs::write(directory.path().join("pipeline.toml"), pipeline).unwrap();
    fs::write(directory.path().join("packer.wasm"), "a component").unwrap();
    let file = directory.path().join("pipeline.toml");
    let text = evaluate(&format!("text (image {})", file.display())).unwrap();
    let stored = |text: &str, key: &str| {
        let start = format!("{key} = \"/nix/store/");
        text.lines().find_map(|line| line.strip_prefix(&start).map(str::to_owned)).unwrap_or_default()
    };
    assert!(stored(&text, "plugin").ends_with("-packer.wasm\""), "{text}");
    assert!(!text.contains("layer-lock ="), "only a run locks layers: {text}");
    fs::write(directory.path().join("layers.lock"), "").unwrap();
    let layer_lock =
        evaluate(&format!("builtins.elemAt (image {}).drvAttrs.args 5", file.display())).unwrap();
    assert!(layer_lock.starts_with("/nix/store/") && layer_lock.ends_with("-layers.lock"), "{layer_lock}");
}

/// The commit of the flake, as `seed run` knows it.
#[test]
fn an_image_knows_its_flake() {
    let image = r#"text ((image { seed.name = "hello"; }).override { flake = { rev = "c0ffee"; lastModified = 7; }; })"#;
    let text = evaluate(image).unwrap();
    assert!(
        text.contains("[source.closure.variables]\ncommit = \"c0ffee\"\nlast-modified = \"7\"\n"),
        "{text}"
    );
}

/// Nothing is emulated: who builds the image and whom it is for are two things.
#[test]
fn an_image_is_built_where_its_program_runs() {
    let image = r#"lib.mkImage {
        seed = lib.mkSeed { system = "aarch64-linux"; }; inherit program; pipeline.seed.name = "hello";
    }"#;
    insta::assert_snapshot!(evaluate(&format!("({image}).system")).unwrap(), @"x86_64-linux");
    let text = evaluate(&format!("text ({image})")).unwrap();
    assert!(text.contains("systems = [\"aarch64-linux\"]"), "{text}");
}

/// So that `nix build .#seed` and `seed run` take the same attribute.
#[test]
fn an_image_stands_for_its_layers() {
    let variables: Variables = std::env::vars_os().collect();
    let options = NixOptions::locate(&Launcher::new(Arc::new(variables)));
    let nix = Nix::find(NixOptions { substitute: Some(false), ..options }).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let flake = r#"{ outputs = { self }: let
        shell = name: outputs: derivation { inherit name outputs; system = "x86_64-linux"; builder = "/bin/sh"; };
        in { packages.x86_64-linux.seed = shell "image" [ "out" ] // { seedLayers = shell "layers" [ "base" "apps" ]; }; }; }"#;
    fs::write(directory.path().join("flake.nix"), flake).unwrap();
    let quiet = |_: &Event| {};
    let flake = nix.flake("path:.", directory.path(), &quiet).unwrap();
    assert_eq!(nix.outputs(&flake, "x86_64-linux", "seed", &quiet).unwrap(), ["base", "apps"]);
}
