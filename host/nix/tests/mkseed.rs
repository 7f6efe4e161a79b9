//! `nix/mkseed.nix` with real Nix, without a network: `cargo test -p seed-nix --features live`.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use seed_model::{Closure, Installable, Part};
use seed_nix::{Event, FlakeInfo, Nix, NixError, NixOptions};
use seed_process::{Launcher, Variables};

const LAYERS: [&str; 6] = ["base", "library", "apps", "checks", "devShells", "overlays"];

/// A flake whose `seed` is `mkSeed` with these arguments.
struct Fixture {
    nix: Nix,
    dir: tempfile::TempDir,
}

/// Nix as the environment of the test says, without downloads.
fn here() -> NixOptions {
    let variables: Variables = std::env::vars_os().collect();
    NixOptions { substitute: Some(false), ..NixOptions::locate(&Launcher::new(Arc::new(variables))) }
}

impl Fixture {
    fn new(system: &str, arguments: &str) -> Self {
        // So that any Linux can build for any other: only a shell runs.
        let options = BTreeMap::from([("extra-platforms".to_owned(), system.to_owned())]);
        let nix = Nix::find(NixOptions { options, ..here() }).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../nix/mkseed.nix");
        fs::copy(source, dir.path().join("mkseed.nix")).unwrap();
        let flake = format!(
            r#"{{
                outputs = {{ self }}:
                    let
                        file = name: builtins.toFile name "of ${{name}}";
                        package = name: derivation {{
                            inherit name; system = "{system}"; builder = "/bin/sh"; args = [ "-c" "echo $name > $out" ];
                        }};
                    in {{
                        packages.{system}.seed = import ./mkseed.nix ({{ system = "{system}"; }} // {arguments});
                    }};
            }}"#
        );
        fs::write(dir.path().join("flake.nix"), flake).unwrap();
        Self { nix, dir }
    }

    fn flake(&self) -> FlakeInfo {
        self.nix.flake("path:.", self.dir.path(), &quiet).unwrap()
    }

    fn closure(&self, system: &str, layers: &[&str]) -> Closure {
        let installables: Vec<Installable> = layers
            .iter()
            .map(|layer| Installable {
                attribute: "seed".to_owned(),
                part: Part::Output((*layer).to_owned()),
            })
            .collect();
        let outputs = self.nix.evaluate(&self.flake(), system, &installables, &quiet).unwrap();
        let realised = self.nix.realise(&outputs, &quiet).unwrap();
        let roots = realised.paths.iter().cloned();
        let layers: Vec<_> = layers.iter().map(|layer| (*layer).to_owned()).zip(roots).collect();
        self.nix.closure(&layers, &quiet).unwrap()
    }

    fn error(&self) -> NixError {
        self.nix.outputs(&self.flake(), "x86_64-linux", "seed", &quiet).unwrap_err()
    }
}

fn quiet(_: &Event) {}

fn name(store_path: &str) -> &str {
    store_path.split_once('-').unwrap().1
}

/// The names of what the root of each layer refers to.
fn packages(closure: &Closure) -> BTreeMap<&str, Vec<&str>> {
    let path = |index: u32| &closure.paths[usize::try_from(index).unwrap()];
    let references =
        |root: u32| path(root).references.iter().map(|index| name(&path(*index).store_path)).collect();
    closure.outputs.iter().map(|output| (output.layer.as_str(), references(output.roots[0]))).collect()
}

#[test]
fn each_layer_refers_to_its_packages() {
    let arguments = r#"{
        base = [ (file "certificates") ./mkseed.nix ];
        apps = [ (package "tool") "${package "other"}/share" ];
        devShells = [ (package "shell" // { inputDerivation = package "shell-inputs"; }) ];
    }"#;
    // A system that is not this machine's, which needs no emulation: only a shell runs.
    for system in ["x86_64-linux", "aarch64-linux"] {
        let fixture = Fixture::new(system, arguments);
        assert_eq!(fixture.nix.outputs(&fixture.flake(), system, "seed", &quiet).unwrap(), LAYERS);
        let closure = fixture.closure(system, &LAYERS);
        let mut packages = packages(&closure);
        for names in packages.values_mut() {
            names.sort_unstable();
        }
        let expected = [
            ("base", vec!["certificates", "mkseed.nix"]),
            ("library", vec![]),
            ("apps", vec!["other", "tool"]),
            ("checks", vec![]),
            ("devShells", vec!["shell-inputs"]),
            ("overlays", vec![]),
        ];
        assert_eq!(packages, BTreeMap::from(expected), "{system}");
    }
}

#[test]
fn the_outputs_list_the_packages() {
    let fixture = Fixture::new("x86_64-linux", r#"{ apps = [ (file "one") (file "two") ]; }"#);
    let closure = fixture.closure("x86_64-linux", &["apps"]);
    let root = closure.outputs[0].roots[0];
    let text = fs::read_to_string(&closure.paths[usize::try_from(root).unwrap()].store_path).unwrap();
    let path =
        |wanted: &str| &closure.paths.iter().find(|p| name(&p.store_path) == wanted).unwrap().store_path;
    let expected =
        format!(r#"{{"layer":"apps","packages":["{}","{}"],"schema":1}}"#, path("one"), path("two"));
    assert_eq!(text, expected + "\n");
}

/// Linux limits one variable of the environment to 128 KiB.
#[test]
fn a_layer_may_hold_thousands_of_packages() {
    let fixture = Fixture::new("x86_64-linux", r#"{ base = builtins.genList (_: file "one") 5000; }"#);
    let closure = fixture.closure("x86_64-linux", &["base"]);
    assert_eq!(packages(&closure)["base"], ["one"]);
}

/// As README and `mkseed.nix` say: from an input, locked.
#[test]
fn a_flake_takes_it_from_an_input() {
    let fixture = Fixture::new("x86_64-linux", "{ }");
    let dir = fixture.dir.path();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for part in ["seed/nix", "user"] {
        fs::create_dir_all(dir.join(part)).unwrap();
    }
    // Without nixpkgs: the library does not need that input, so it is not fetched.
    for file in ["flake.nix", "flake.lock"] {
        fs::copy(repository.join(file), dir.join("seed").join(file)).unwrap();
    }
    for file in fs::read_dir(repository.join("nix")).unwrap().map(Result::unwrap) {
        if file.file_type().unwrap().is_file() {
            fs::copy(file.path(), dir.join("seed/nix").join(file.file_name())).unwrap();
        }
    }
    let text = format!(
        r#"{{
            inputs.seed.url = "path:{}";
            outputs = {{ self, seed }}: {{
                packages.x86_64-linux.seed = seed.lib.mkSeed {{ system = "x86_64-linux"; }};
            }};
        }}"#,
        dir.join("seed").display()
    );
    fs::write(dir.join("user/flake.nix"), text).unwrap();
    let outputs = || {
        let flake = fixture.nix.flake("path:./user", dir, &quiet)?;
        fixture.nix.outputs(&flake, "x86_64-linux", "seed", &quiet)
    };
    let error = outputs().unwrap_err();
    assert!(matches!(error, NixError::Unlocked { .. }), "{error:?}");
    let lock = ["--extra-experimental-features", "nix-command flakes", "flake", "lock", "path:./user"];
    let output = std::process::Command::new("nix").current_dir(dir).args(lock).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(outputs().unwrap(), LAYERS);
}

#[test]
fn layers_are_added_and_ordered() {
    let outputs = |arguments: &str| {
        let fixture = Fixture::new("x86_64-linux", arguments);
        fixture.nix.outputs(&fixture.flake(), "x86_64-linux", "seed", &quiet).unwrap().join(" ")
    };
    insta::assert_snapshot!(outputs(r#"{ layers = { models = [ (file "m") ]; data = [ ]; }; }"#), @"base library data models apps checks devShells overlays");
    insta::assert_snapshot!(
        outputs(r#"{ layers.models = [ ]; order = [ "models" "base" "library" "apps" "overlays" "checks" "devShells" ]; }"#),
        @"models base library apps overlays checks devShells"
    );
}

#[test]
fn a_seed_can_be_changed() {
    let changed = [
        r#"{ base = [ (file "one") ]; }).override { apps = [ (file "two") ]; layers.models = [ (file "three") ]; }"#,
        r#"{ base = [ (file "one") ]; }).override (old: { apps = [ (file "two") ]; layers.models = [ (file "three") ]; })"#,
        r#"{ apps = [ (file "two") ]; }).extend { base = [ (file "one") ]; models = [ (file "three") ]; }"#,
        r#"{ base = [ (file "one") ]; apps = [ (file "two") ]; layers.models = [ ]; }).extend { models = [ (file "three") ]; }"#,
    ];
    for change in changed {
        let fixture = Fixture::new("x86_64-linux", "{ }");
        let path = fixture.dir.path().join("flake.nix");
        let text = fs::read_to_string(&path).unwrap();
        let call = r#"import ./mkseed.nix ({ system = "x86_64-linux"; } // { })"#;
        assert!(text.contains(call), "{text}");
        let change = format!(r#"(import ./mkseed.nix ({{ system = "x86_64-linux"; }} // {change}"#)
            .replacen("}).", "})).", 1);
        fs::write(&path, text.replace(call, &change)).unwrap();
        let closure = fixture.closure("x86_64-linux", &["base", "models", "apps"]);
        let expected = [("base", vec!["one"]), ("models", vec!["three"]), ("apps", vec!["two"])];
        assert_eq!(packages(&closure), BTreeMap::from(expected), "{change}");
    }
}

#[test]
fn wrong_arguments_are_named() {
    let error = Fixture::new("x86_64-linux", r#"{ apps = [ "hello" ]; }"#).error().to_string();
    assert!(error.contains("mkSeed: `apps` holds a string that is not in the store"), "{error}");
    let error = Fixture::new("x86_64-linux", "{ app = [ ]; }").error().to_string();
    assert!(error.contains("called with unexpected argument 'app'"), "{error}");
    let wrong = [
        ("{ layers.apps = [ ]; }", "`apps` is a standard layer"),
        ("{ layers.a-b = [ ]; }", "`a-b` cannot be the name of a layer"),
        ("{ layers.outputs = [ ]; }", "`outputs` cannot be the name of a layer"),
        (r#"{ order = [ "base" ]; }"#, "`order` does not name `library`, `apps`"),
        (r#"{ layers.m = [ ]; order = [ "mo" ]; }"#, "`order` names `mo`, but the layers are `base`"),
    ];
    for (arguments, message) in wrong {
        let error = Fixture::new("x86_64-linux", arguments).error().to_string();
        assert!(error.contains(message), "{error}");
    }
}
