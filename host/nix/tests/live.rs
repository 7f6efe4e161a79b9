//! Real Nix on real flakes, without a network: `cargo test -p seed-nix --features live`. `SEED_NIX` names another Nix
//! than that of `PATH`; Nix must be configured so that it can build.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use seed_model::{Installable, Part};
use seed_nix::{Event, Import, Nix, NixError, NixOptions};
use seed_process::{Launcher, Variables};

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
        let nix = find();
        let dir = tempfile::tempdir().unwrap();
        let system = seed_model::Platform::host_system();
        fs::write(dir.path().join("flake.nix"), FLAKE.replace("SYSTEM", &system)).unwrap();
        Self { nix, dir, system }
    }

    fn evaluate(&self, attribute: &str) -> Result<Vec<seed_nix::Evaluated>, NixError> {
        let flake = self.nix.flake("path:.", self.dir.path(), &quiet)?;
        let installable = Installable { attribute: attribute.to_owned(), part: Part::DefaultOutput };
        self.nix.evaluate(&flake, &self.system, &[installable], &quiet)
    }

    fn evaluation_error(&self, attribute: &str) -> NixError {
        self.evaluate(attribute).unwrap_err()
    }

    fn build_error(&self, attribute: &str) -> NixError {
        self.nix.realise(&self.evaluate(attribute).unwrap(), &quiet).unwrap_err()
    }
}

/// Nix as the environment of the test says, without downloads.
fn here() -> NixOptions {
    let variables: Variables = std::env::vars_os().collect();
    NixOptions { substitute: Some(false), ..NixOptions::locate(&Launcher::new(Arc::new(variables))) }
}

fn find() -> Nix {
    Nix::find(here()).unwrap()
}

fn quiet(_: &Event) {}

fn derivation(evaluated: &[seed_nix::Evaluated]) -> String {
    let [seed_nix::Target::Output { derivation, .. }] = &evaluated[0].targets[..] else {
        panic!("{evaluated:?}")
    };
    derivation.clone()
}

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
        .map(|output| Installable { attribute: "seed".to_owned(), part: Part::Output(output.to_owned()) });
    let outputs = nix.evaluate(&flake, system, &installables, &observer).unwrap();
    let realised = nix.realise(&outputs, &observer).unwrap();
    let [apps, base] = &realised.paths[..] else { panic!("{realised:?}") };
    assert!(apps[0].ends_with("-seed-apps") && base[0].ends_with("-seed-base"));
    for path in realised.paths.iter().flatten() {
        assert!(Path::new(path).exists(), "{path}");
    }

    let layers = [("apps".to_owned(), realised.paths[0].clone())];
    let closure = nix.closure(&layers, &observer).unwrap();
    let names: Vec<&str> =
        closure.paths.iter().map(|path| path.store_path.split_once('-').unwrap().1).collect();
    assert_eq!(
        names.iter().copied().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>(),
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
    let derivation = derivation(&outputs);
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
        assert!(outputs[0].targets[0].paths()[0].ends_with(name), "{outputs:?}");
    }
}

#[test]
fn packages_of_this_machine_are_not_taken_for_another_system() {
    let fixture = Fixture::new();
    let Fixture { nix, dir, system } = &fixture;
    let flake = nix.flake("path:.", dir.path(), &quiet).unwrap();
    let error = nix.outputs(&flake, "armv7l-linux", "seed", &quiet).unwrap_err();
    assert!(matches!(error, NixError::NoAttribute { .. }), "{error}");
    let explicit = format!("packages.{system}.seed");
    assert_eq!(nix.outputs(&flake, "armv7l-linux", &explicit, &quiet).unwrap(), ["base", "apps"]);
}

#[test]
fn packages_are_listed_by_system() {
    let fixture = Fixture::new();
    let flake = fixture.nix.flake("path:.", fixture.dir.path(), &quiet).unwrap();
    let names = fixture.nix.packages(&flake, &fixture.system, &quiet).unwrap();
    assert_eq!(names, ["depends", "fails", "foreign", "imports", "seed", "throws", "with.dot"]);
    assert!(fixture.nix.packages(&flake, "m68k-linux", &quiet).unwrap().is_empty());
}

#[test]
fn what_building_takes_is_found() {
    let fixture = Fixture::new();
    let Fixture { nix, dir, system } = &fixture;
    let text = fs::read_to_string(dir.path().join("flake.nix")).unwrap();
    let package = r#"
        app = derivation {
          name = "app"; system = "SYSTEM"; builder = "/bin/sh"; args = [ "-c" "echo $lib > $out" ]; src = ./flake.nix;
          lib = derivation {
            name = "lib"; system = "SYSTEM"; builder = "/bin/sh"; outputs = [ "out" "dev" ];
            args = [ "-c" "echo lib > $out; echo header > $dev" ];
          };
        };
        fails ="#;
    let text = text.replacen("fails =", &package.replace("SYSTEM", system), 1);
    fs::write(dir.path().join("flake.nix"), text).unwrap();

    let flake = nix.flake("path:.", dir.path(), &quiet).unwrap();
    let of = |attribute: &str, part| Installable { attribute: attribute.to_owned(), part };
    let wanted = [of("", Part::FlakeInputs), of("app", Part::BuildInputs), of("app", Part::DefaultOutput)];
    let evaluated = nix.evaluate(&flake, system, &wanted, &quiet).unwrap();
    let realised = nix.realise(&evaluated, &quiet).unwrap();
    let names = |paths: &[String]| -> BTreeSet<String> {
        paths.iter().map(|path| path.split_once('-').unwrap().1.to_owned()).collect()
    };
    let expected = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(realised.paths[0], std::slice::from_ref(&flake.path));
    assert_eq!(names(&realised.paths[1]), expected(&["flake.nix", "lib", "lib-dev"]));
    assert_eq!(names(&realised.paths[2]), expected(&["app"]));
    assert!(realised.paths.iter().flatten().all(|path| Path::new(path).exists()));
}

#[test]
fn what_is_there_is_not_missing_and_what_is_imported_is_there() {
    let nix = find();
    let dir = tempfile::tempdir().unwrap();
    let store = format!("local?root={}", dir.path().join("store").display());
    let options = BTreeMap::from([("store".to_owned(), store)]);
    let other = Nix::find(NixOptions { options, ..here() }).unwrap();
    // The NAR of a file with an `x`.
    let mut bytes = Vec::new();
    for text in [&b"nix-archive-1"[..], b"(", b"type", b"regular", b"contents", b"x", b")"] {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
    }
    let nar = dir.path().join("nar");
    fs::write(&nar, bytes).unwrap();
    let path = |name: &str| format!("/nix/store/0c0ffaa0c0ffaa0c0ffaa0c0ffaa0c0f-{name}");
    let (first, second) = (path("a"), path("b"));
    let import = |path: &String, references: &[&String]| Import {
        path: path.clone(),
        references: references.iter().map(|&reference| reference.clone()).collect(),
        nar: nar.clone(),
    };
    assert_eq!(nix.missing(&[&first, &second], &quiet).unwrap(), [first.clone(), second.clone()]);
    other.import(&[import(&first, &[]), import(&second, &[&first, &second])], &quiet).unwrap();
    assert!(other.missing(&[&first, &second], &quiet).unwrap().is_empty());
    let layers = [("all".to_owned(), vec![second])];
    let closure = other.closure(&layers, &quiet).unwrap();
    assert_eq!(closure.paths.len(), 2);
    assert_eq!(closure.paths[1].references, [0, 1]);
    let unordered = import(&path("c"), &[&path("missing")]);
    assert!(other.import(&[unordered], &quiet).is_err());
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
        insta::assert_snapshot!(error, @"evaluating flake `path:.` (`imports`) requires building `/nix/store/…-generated.drv`");
        let error = fixture.evaluation_error("throws").to_string();
        assert!(error.starts_with("cannot evaluate flake `path:.` (`throws`): not for you"), "{error}");
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
        building `deep` failed: builder failed with exit code 9; the last lines of the log:
          > cannot go on
        ");
        insta::assert_snapshot!(error.help().unwrap(), @"run `nix log /nix/store/…-deep.drv` to see the whole log");
        let error = fixture.build_error("fails").to_string();
        assert!(error.starts_with("building `fails` failed: builder failed with exit code 3; the last lines of the log:\n  > line 3\n"), "{error}");
        assert!(error.ends_with("  > line 22"), "{error}");
        let error = fixture.build_error("foreign");
        assert!(matches!(&error, NixError::System { name, system, .. } if name == "foreign" && system == "m68k-linux"), "{error}");
    });
}

#[test]
fn import_from_derivation_can_be_allowed() {
    let fixture = Fixture::new();
    let options = BTreeMap::from([("allow-import-from-derivation".to_owned(), "true".to_owned())]);
    let nix = Nix::find(NixOptions { options, ..here() }).unwrap();
    let flake = nix.flake("path:.", fixture.dir.path(), &quiet).unwrap();
    assert_eq!(nix.outputs(&flake, &fixture.system, "imports", &quiet).unwrap(), ["out"]);
}

/// Downloads are told, and `substitute` decides whether there are any.
#[test]
fn outputs_come_from_a_cache_where_that_is_allowed() {
    let fixture = Fixture::new();
    // Paths of its own, so that they can be deleted again.
    let unique =
        fixture.dir.path().file_name().unwrap().to_string_lossy().replace(|c: char| !c.is_alphanumeric(), "");
    let path = fixture.dir.path().join("flake.nix");
    let text = fs::read_to_string(&path).unwrap().replace("echo tool", &format!("echo {unique}"));
    fs::write(&path, text).unwrap();
    let cache = format!("file://{}", fixture.dir.path().join("cache").display());
    let outputs = fixture.evaluate("nested.tool").unwrap();
    let store_path = outputs[0].targets[0].paths()[0].clone();
    drop(fixture.nix.realise(&outputs, &quiet).unwrap());
    let run = |program: &str, args: &[&str]| {
        let output = std::process::Command::new(program).args(args).output().unwrap();
        assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run("nix", &["--extra-experimental-features", "nix-command", "copy", "--to", &cache, &store_path]);

    let realise = |substitute: bool| {
        run("nix-store", &["--delete", &store_path]);
        let options = [("substituters", cache.as_str()), ("require-sigs", "false")];
        let options = options.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let nix = Nix::find(NixOptions { options, substitute: Some(substitute), ..here() }).unwrap();
        let events = RefCell::new(Vec::new());
        drop(nix.realise(&outputs, &|event: &Event| events.borrow_mut().push(event.clone())).unwrap());
        let events = events.into_inner();
        let has = |f: fn(&Event) -> bool| events.iter().any(f);
        (
            has(|e| matches!(e, Event::TransferStarted { .. })),
            has(|e| matches!(e, Event::BuildStarted { .. })),
        )
    };
    assert_eq!(realise(true), (true, false));
    assert_eq!(realise(false), (false, true));
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

/// Nix 2.8 says no place for `throw`.
#[test]
fn errors_of_evaluation_say_where() {
    let fixture = Fixture::new();
    let path = fixture.dir.path().join("flake.nix");
    let text =
        fs::read_to_string(&path).unwrap().replace("throw \"not for you\"", "builtins.stringLength { }");
    fs::write(&path, text).unwrap();
    let error = fixture.evaluation_error("throws").to_string();
    assert!(error.contains("at flake.nix:19:") && error.contains("stringLength { }"), "{error}");
}

/// The example's digests are the same with every version of Nix, on every machine.
#[test]
fn the_example_builds_alike_everywhere() {
    let nix = find();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/hello");
    let flake = nix.flake("path:./flake", &dir, &quiet).unwrap();
    let outputs = nix.outputs(&flake, "x86_64-linux", "seed", &quiet).unwrap();
    assert_eq!(outputs, ["base", "library", "apps", "checks", "devShells", "overlays"]);
    let installables: Vec<Installable> = outputs
        .iter()
        .map(|output| Installable { attribute: "seed".to_owned(), part: Part::Output(output.clone()) })
        .collect();
    let evaluated = nix.evaluate(&flake, "x86_64-linux", &installables, &quiet).unwrap();
    let realised = nix.realise(&evaluated, &quiet).unwrap();
    let layers: Vec<_> = outputs.into_iter().zip(realised.paths.iter().cloned()).collect();
    let closure = nix.closure(&layers, &quiet).unwrap();
    insta::assert_snapshot!(closure.manifest());

    let path = |name: &str| {
        let end = format!("-{name}");
        let found = closure.paths.iter().find(|path| path.store_path.ends_with(&end)).unwrap();
        Path::new(&found.store_path).join("bin").join(name)
    };
    let output = std::process::Command::new(path("hello")).output().unwrap();
    assert_eq!((output.status.success(), output.stdout.as_slice()), (true, b"Hello from seed!\n".as_slice()));
    let compiler = dir.join("flake/program/hexbuild.x86_64-linux");
    assert!(fs::read(path("hexbuild")).unwrap() == fs::read(compiler).unwrap(), "the compiler makes itself");
}

/// Nix 2.8 takes the copy in its store; later versions compare the sources with the NAR hash.
#[test]
fn sources_that_change_after_they_were_resolved_are_not_used() {
    let fixture = Fixture::new();
    let flake = fixture.nix.flake("path:.", fixture.dir.path(), &quiet).unwrap();
    let evaluate = || {
        let installable = Installable { attribute: "seed".to_owned(), part: Part::DefaultOutput };
        find().evaluate(&flake, &fixture.system, &[installable], &quiet)
    };
    let before = evaluate().unwrap();
    let path = fixture.dir.path().join("flake.nix");
    fs::write(&path, fs::read_to_string(&path).unwrap().replace("echo making", "echo changed")).unwrap();
    match evaluate() {
        Ok(after) => assert_eq!(after, before),
        Err(error) => assert!(error.to_string().to_lowercase().contains("nar hash mismatch"), "{error}"),
    }
}

#[test]
fn git_trees_are_clean_or_dirty() {
    let fixture = Fixture::new();
    let dir = fixture.dir.path();
    let git = |args: &[&str]| {
        let identity = ["-c", "user.name=seed", "-c", "user.email=seed@example.com"];
        let output =
            std::process::Command::new("git").current_dir(dir).args(identity).args(args).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    fs::create_dir(dir.join("sub")).unwrap();
    fs::rename(dir.join("flake.nix"), dir.join("sub/flake.nix")).unwrap();
    git(&["init", "--quiet", "."]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "one"]);
    let revision = git(&["rev-parse", "HEAD"]);

    let clean = fixture.nix.flake(".", &dir.join("sub"), &quiet).unwrap();
    assert_eq!((clean.revision.as_deref(), clean.dirty), (Some(revision.as_str()), false));
    assert!(clean.url.contains(&revision), "{}", clean.url);
    fs::write(dir.join("secret.key"), "not known to git").unwrap();
    fs::write(dir.join("sub/new"), "").unwrap();
    git(&["add", "sub/new"]);
    let dirty = fixture.nix.flake(".", &dir.join("sub"), &quiet).unwrap();
    assert_eq!((dirty.revision, dirty.dirty), (None, true));
    assert!(Path::new(&dirty.path).join("sub/new").exists());
    assert!(!Path::new(&dirty.path).join("secret.key").exists());
    for flake in [clean, fixture.nix.flake(".", &dir.join("sub"), &quiet).unwrap()] {
        assert_eq!(fixture.nix.outputs(&flake, &fixture.system, "seed", &quiet).unwrap(), ["base", "apps"]);
    }
}

#[test]
fn roots_last_as_long_as_the_result() {
    let fixture = Fixture::new();
    let roots = || {
        let output =
            std::process::Command::new("nix-store").args(["--gc", "--print-roots"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let realised = fixture.nix.realise(&fixture.evaluate("nested.tool").unwrap(), &quiet).unwrap();
    let path = realised.paths[0][0].clone();
    let is_rooted = || roots().lines().any(|line| line.contains("seed-roots-") && line.ends_with(&path));
    assert!(is_rooted());
    drop(realised);
    assert!(!is_rooted());
}

#[test]
fn settings_tell_what_was_in_force() {
    let fixture = Fixture::new();
    let settings = fixture.nix.settings().unwrap();
    assert_eq!(settings.values["substitute"], false);
    assert!(settings.values.contains_key("sandbox") && settings.values.contains_key("system"));
}

/// A run in which nothing changed must be fast, and starting Nix is what takes time.
#[test]
fn what_is_built_costs_five_programs() {
    let fixture = Fixture::new();
    let run = |nix: &Nix| {
        let flake = nix.flake("path:.", fixture.dir.path(), &quiet).unwrap();
        let outputs = nix.outputs(&flake, &fixture.system, "seed", &quiet).unwrap();
        let installable = |output| Installable { attribute: "seed".to_owned(), part: Part::Output(output) };
        let installables: Vec<Installable> = outputs.into_iter().map(installable).collect();
        let evaluated = nix.evaluate(&flake, &fixture.system, &installables, &quiet).unwrap();
        let realised = nix.realise(&evaluated, &quiet).unwrap();
        nix.closure(&[("all".to_owned(), realised.paths.concat())], &quiet).unwrap();
    };
    run(&fixture.nix);

    // Programs that write a line before they become the real ones.
    let programs = tempfile::tempdir().unwrap();
    let calls = programs.path().join("calls");
    // A shell writes them: this process must not hold them open for writing while another test starts a program.
    let script = r#"
        for program in nix nix-store; do
            printf '#!/bin/sh\necho %s >> "%s"\nexec %s "$@"\n' $program "$1/calls" "$(command -v $program)" > "$1/$program"
            chmod +x "$1/$program"
        done"#;
    let status =
        std::process::Command::new("sh").args(["-euc", script, "sh"]).arg(programs.path()).status().unwrap();
    assert!(status.success());
    let nix = Nix::find(NixOptions { programs: Some(programs.path().to_owned()), ..here() }).unwrap();
    fs::remove_file(&calls).unwrap();
    run(&nix);
    // Metadata, evaluation; realisation, requisites, database.
    assert_eq!(fs::read_to_string(&calls).unwrap(), "nix\nnix\nnix-store\nnix-store\nnix-store\n");
}
