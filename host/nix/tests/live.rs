//! Real Nix on real flakes, without a network: `cargo test -p seed-nix --features live`. `SEED_NIX` names another Nix
//! than that of `PATH`; Nix must be configured so that it can build.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use seed_model::Installable;
use seed_nix::{Event, Nix, NixError, NixOptions};

const FLAKE: &str = r#"
{
  outputs = { self }:
    let
      shell = system: name: script: derivation {
        inherit name system; builder = "/bin/sh"; args = [ "-c" script ];
      };
      sh = shell "SYSTEM";
    in
    {
      packages.SYSTEM = {
        seed = derivation {
          name = "seed"; system = "SYSTEM"; builder = "/bin/sh"; outputs = [ "base" "apps" ];
          args = [ "-c" "echo making; echo ${builtins.toFile "tool" "a tool"} > $base; echo $base > $apps" ];
        };
        fails = sh "fails" "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do echo line $i; done; exit 3";
        depends = sh "depends" "echo ${sh "deep" "echo cannot go on >&2; exit 9"} > $out";
        imports = sh "imports" "echo ${import (sh "generated" "echo '\"a\"' > $out")} > $out";
        throws = throw "not for you";
        foreign = shell "m68k-linux" "foreign" "echo > $out";
        "with.dot" = sh "with-dot" "echo dot > $out";
      };
      legacyPackages.SYSTEM.nested.tool = sh "nested-tool" "echo tool > $out";
      lib.number = 1;
    };
}
"#;

struct Fixture {
    nix: Nix,
    dir: tempfile::TempDir,
    system: String,
}

impl Fixture {
    fn new() -> Self {
        let nix = Nix::find(NixOptions { substitute: Some(false), ..NixOptions::default() }).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let system = seed_model::Platform::host_system();
        fs::write(dir.path().join("flake.nix"), FLAKE.replace("SYSTEM", &system)).unwrap();
        Self { nix, dir, system }
    }

    fn evaluate(&self, attribute: &str) -> Result<Vec<seed_nix::Evaluated>, NixError> {
        let flake = self.nix.flake("path:.", self.dir.path(), &quiet)?;
        let installable = Installable { attribute: attribute.to_owned(), output: None };
        self.nix.evaluate(&flake, &self.system, &[installable], &quiet)
    }

    fn evaluation_error(&self, attribute: &str) -> NixError {
        self.evaluate(attribute).unwrap_err()
    }

    fn build_error(&self, attribute: &str) -> NixError {
        self.nix.realise(&self.evaluate(attribute).unwrap(), &quiet).unwrap_err()
    }
}

fn quiet(_: &Event) {}

#[test]
fn builds_a_split_derivation_and_reads_its_closure() {
    let fixture = Fixture::new();
    let Fixture { nix, dir, system } = &fixture;
    let events = RefCell::new(Vec::new());
    let observer = |event: &Event| events.borrow_mut().push(event.clone());

    let flake = nix.flake("path:.", dir.path(), &observer).unwrap();
    assert!(!flake.dirty && flake.revision.is_none());
    assert_eq!(nix.outputs(&flake, system, "seed", &observer).unwrap(), ["base", "apps"]);
    let installables = ["apps", "base"]
        .map(|output| Installable { attribute: "seed".to_owned(), output: Some(output.to_owned()) });
    let outputs = nix.evaluate(&flake, system, &installables, &observer).unwrap();
    let realised = nix.realise(&outputs, &observer).unwrap();
    assert!(realised.paths[0].ends_with("-seed-apps") && realised.paths[1].ends_with("-seed-base"));
    for path in &realised.paths {
        assert!(Path::new(path).exists(), "{path}");
    }

    let layers = [("apps".to_owned(), vec![realised.paths[0].clone()])];
    let closure = nix.closure(&layers, &observer).unwrap();
    let names: Vec<&str> =
        closure.paths.iter().map(|path| path.store_path.split_once('-').unwrap().1).collect();
    assert_eq!(
        BTreeMap::from_iter(names.iter().map(|n| (*n, ()))).into_keys().collect::<Vec<_>>(),
        ["seed-apps", "seed-base", "tool"]
    );
    let index = |name: &str| u32::try_from(names.iter().position(|n| *n == name).unwrap()).unwrap();
    assert_eq!(closure.outputs[0].roots, [index("seed-apps")]);
    assert_eq!(closure.paths[index("seed-base") as usize].references, [index("tool")]);
}

#[test]
fn events_tell_of_builds() {
    let fixture = Fixture::new();
    // A name of its own, so that it is built in this run.
    let unique =
        fixture.dir.path().file_name().unwrap().to_string_lossy().replace(|c: char| !c.is_alphanumeric(), "");
    let path = fixture.dir.path().join("flake.nix");
    let text = fs::read_to_string(&path).unwrap().replace("echo making", &format!("echo making {unique}"));
    fs::write(&path, text).unwrap();
    let outputs = fixture.evaluate("seed").unwrap();
    let events = RefCell::new(Vec::new());
    let _realised =
        fixture.nix.realise(&outputs, &|event: &Event| events.borrow_mut().push(event.clone())).unwrap();
    let events = events.into_inner();
    let derivation = outputs[0].derivation.clone();
    let name = "seed".to_owned();
    let position = |event: Event| {
        events.iter().position(|e| *e == event).unwrap_or_else(|| panic!("{event:?} in {events:?}"))
    };
    let started = position(Event::BuildStarted { derivation, name: name.clone(), machine: None });
    let log = position(Event::BuildLog { name: name.clone(), line: format!("making {unique}") });
    let stopped = position(Event::BuildStopped { name });
    assert!(started < log && log < stopped);
}

#[test]
fn attributes_are_found_where_nix_build_finds_them() {
    let fixture = Fixture::new();
    let explicit = format!("packages.{}.seed", fixture.system);
    for (attribute, name) in
        [("\"with.dot\"", "with-dot"), ("nested.tool", "nested-tool"), (explicit.as_str(), "seed-base")]
    {
        let outputs = fixture.evaluate(attribute).unwrap();
        assert!(outputs[0].path.ends_with(name), "{outputs:?}");
    }
}

/// Replaces what differs between machines and runs.
fn settings(fixture: &Fixture) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter("/nix/store/[a-z0-9]{32}-", "/nix/store/…-");
    settings.add_filter(&fixture.system, "[system]");
    settings
}

#[test]
fn errors_of_evaluation_name_the_cause() {
    let fixture = Fixture::new();
    settings(&fixture).bind(|| {
        let error = fixture.evaluation_error("sed");
        insta::assert_snapshot!(error, @"flake `path:.` has no attribute `sed` for [system]");
        insta::assert_snapshot!(error.help().unwrap(), @"did you mean `seed`?");
        let error = fixture.evaluation_error("lib.number");
        insta::assert_snapshot!(error, @"attribute `lib.number` of flake `path:.` is not a derivation: it is a int");
        let error = fixture.evaluation_error("imports");
        insta::assert_snapshot!(error, @"flake `path:.` (`imports`) builds `/nix/store/…-generated.drv` while it is evaluated");
        let error = fixture.evaluation_error("throws").to_string();
        assert!(error.starts_with("flake `path:.` does not evaluate (`throws`): ") && error.ends_with("not for you"), "{error}");
        let error = fixture.evaluation_error("seed.nothing");
        insta::assert_snapshot!(error, @"flake `path:.` has no attribute `seed.nothing` for [system]");
    });
}

#[test]
fn errors_of_builders_quote_the_log() {
    let fixture = Fixture::new();
    settings(&fixture).bind(|| {
        let error = fixture.build_error("depends");
        insta::assert_snapshot!(error, @r"
        building `deep` failed: builder failed with exit code 9; its last lines:
          > cannot go on
        ");
        insta::assert_snapshot!(error.help().unwrap(), @"see the whole log with: nix log /nix/store/…-deep.drv");
        let error = fixture.build_error("fails").to_string();
        assert!(error.starts_with("building `fails` failed: builder failed with exit code 3; its last lines:\n  > line 3\n"), "{error}");
        assert!(error.ends_with("  > line 22"), "{error}");
        let error = fixture.build_error("foreign");
        assert!(matches!(&error, NixError::System { name, reason } if name == "foreign" && reason.contains("m68k-linux")), "{error}");
    });
}

#[test]
fn errors_of_flakes_name_the_cause() {
    let fixture = Fixture::new();
    let dir = fixture.dir.path();
    let flake = |reference: &str| fixture.nix.flake(reference, dir, &quiet);
    fs::create_dir(dir.join("empty")).unwrap();
    fs::create_dir(dir.join("broken")).unwrap();
    fs::write(dir.join("broken/flake.nix"), "{ outputs = { self }: { x = 1 ").unwrap();
    fs::create_dir(dir.join("unlocked")).unwrap();
    fs::create_dir(dir.join("input")).unwrap();
    fs::write(dir.join("input/flake.nix"), "{ outputs = i: { }; }").unwrap();
    let input =
        format!("{{ inputs.other.url = \"path:{}\"; outputs = i: {{ }}; }}", dir.join("input").display());
    fs::write(dir.join("unlocked/flake.nix"), input).unwrap();

    assert!(matches!(flake("path:./empty").unwrap_err(), NixError::NoFlake { .. }));
    assert!(matches!(flake("path:./none").unwrap_err(), NixError::NoFlake { .. }));
    let error = flake("path:./broken").unwrap_err();
    assert!(
        matches!(&error, NixError::Evaluation { message, .. } if message.contains("flake.nix:")),
        "{error}"
    );
    let error = flake("path:./unlocked").unwrap_err();
    assert!(matches!(&error, NixError::Unlocked { .. }), "{error:?}");
    assert!(!dir.join("unlocked/flake.lock").exists());
    assert!(matches!(flake("--help").unwrap_err(), NixError::Invalid { .. }));
    assert!(matches!(flake("path:.#seed").unwrap_err(), NixError::Invalid { .. }));
}

#[test]
fn settings_tell_what_was_in_force() {
    let fixture = Fixture::new();
    let settings = fixture.nix.settings().unwrap();
    assert_eq!(settings.values["substitute"], false);
    assert!(settings.values.contains_key("sandbox") && settings.values.contains_key("system"));
}

#[test]
fn what_is_built_costs_five_calls_of_nix() {
    let fixture = Fixture::new();
    let run = || {
        let start = Instant::now();
        let outputs = fixture.evaluate("seed").unwrap();
        let realised = fixture.nix.realise(&outputs, &quiet).unwrap();
        fixture.nix.closure(&[("base".to_owned(), realised.paths.clone())], &quiet).unwrap();
        start.elapsed()
    };
    run();
    let elapsed = run();
    #[expect(clippy::print_stderr, reason = "a measurement")]
    {
        eprintln!("flake, realise, closure: {elapsed:?}");
    }
}
