//! What Nix is called with, seen by a program that stands in for it.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use seed_model::{Installable, Part};
use seed_nix::{Event, FlakeInfo, Nix, NixError, NixOptions};
use seed_process::{Launcher, Variables};

/// Notes the variables that count and all arguments, and answers as Nix does for a flake whose only package is `app`.
const NIX: &str = r#"#!/bin/sh
{
    printf '%s LC_ALL=%s LANGUAGE=%s' "${0##*/}" "${LC_ALL-unset}" "${LANGUAGE-unset}"
    for argument; do printf ' %s' "$argument"; done | tr '\n' ' '
    echo
} >> "${0%/*}/calls"
case "$*" in
    --version*) echo 'nix (Nix) 2.34.0' ;;
    'config show'*) echo '{"sandbox": {"value": true}}' ;;
    'flake metadata'*) echo '{"url": "path:/src?narHash=x", "path": "/nix/store/x-source", "locked": {"type": "path"}}' ;;
    'flake archive'*) echo '{"path": "/nix/store/x-source", "inputs": {}}' ;;
    eval*) echo '[null]' ;;
    *) echo "error: unexpected: $*" >&2; exit 1 ;;
esac
"#;

/// A directory with both programs of Nix.
fn programs() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for name in ["nix", "nix-store"] {
        let path = directory.path().join(name);
        fs::write(&path, NIX).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    directory
}

/// The calls so far, one on a line.
fn calls(directory: &Path) -> Vec<String> {
    let calls = fs::read_to_string(directory.join("calls")).unwrap_or_default();
    calls.lines().map(str::to_owned).collect()
}

fn find(directory: &Path) -> Nix {
    find_for(directory, &[])
}

/// The same, for a user with these variables.
fn find_for(directory: &Path, variables: &[(&str, &str)]) -> Nix {
    let path = std::env::var("PATH").unwrap();
    let own = [("SEED_NIX", directory.to_str().unwrap()), ("PATH", path.as_str())];
    let variables: Variables = own.into_iter().chain(variables.iter().copied()).collect();
    Nix::find(NixOptions::locate(&Launcher::new(Arc::new(variables)))).unwrap()
}

fn quiet(_: &Event) {}

fn flake(nix: &Nix) -> FlakeInfo {
    nix.flake(".", Path::new("/"), &quiet).unwrap()
}

/// Asks everything of Nix that reads a flake.
fn ask_everything(nix: &Nix) {
    let flake = flake(nix);
    let missing = nix.outputs(&flake, "x86_64-linux", "app", &quiet).unwrap_err();
    assert!(matches!(missing, NixError::NoAttribute { .. }), "{missing}");
    let inputs = Installable { attribute: "app".to_owned(), part: Part::FlakeInputs };
    nix.evaluate(&flake, "x86_64-linux", &[inputs], &quiet).unwrap();
    nix.settings().unwrap();
}

#[test]
fn nothing_that_reads_a_flake_may_change_its_lock_file() {
    let directory = programs();
    ask_everything(&find(directory.path()));
    let calls = calls(directory.path());
    let reading: Vec<_> = calls
        .iter()
        .filter(|call| ["flake metadata", "flake archive", " eval "].iter().any(|verb| call.contains(verb)))
        .collect();
    for verb in ["flake metadata", "flake archive", " eval "] {
        assert!(reading.iter().any(|call| call.contains(verb)), "no {verb} in {calls:#?}");
    }
    for call in reading {
        assert!(call.split(' ').any(|word| word == "--no-update-lock-file"), "{call}");
        assert!(call.contains(" --option allow-import-from-derivation false"), "{call}");
    }
}

#[test]
fn a_system_that_is_none_never_reaches_nix() {
    let directory = programs();
    let nix = find(directory.path());
    let flake = flake(&nix);
    let before = calls(directory.path()).len();
    for system in ["", "x86_64-linux.evil", "a\" b", "--impure;", "a${b}", &"a".repeat(65)] {
        for part in [Part::DefaultOutput, Part::BuildInputs] {
            let wanted = Installable { attribute: "app".to_owned(), part };
            let error = nix.evaluate(&flake, system, &[wanted], &quiet).unwrap_err();
            assert!(matches!(error, NixError::Invalid { kind: "Nix system", .. }), "{system}: {error}");
        }
        assert!(
            matches!(nix.outputs(&flake, system, "app", &quiet), Err(NixError::Invalid { .. })),
            "{system}"
        );
    }
    assert_eq!(calls(directory.path()).len(), before);
    let longest = "a".repeat(64);
    assert!(matches!(nix.outputs(&flake, &longest, "app", &quiet), Err(NixError::NoAttribute { .. })));
}

#[test]
fn the_packages_of_the_system_that_is_asked_for_are_meant() {
    let directory = programs();
    let nix = find(directory.path());
    let flake = flake(&nix);
    nix.outputs(&flake, "riscv64-linux", "app", &quiet).unwrap_err();
    let calls = calls(directory.path());
    let evaluations: Vec<_> = calls.iter().filter(|call| call.contains(" eval ")).collect();
    assert!(
        evaluations.iter().all(|call| call.contains(" --option system riscv64-linux")),
        "{evaluations:#?}"
    );
    for place in ["#packages.riscv64-linux ", "#legacyPackages.riscv64-linux "] {
        assert!(evaluations.iter().any(|call| call.contains(place)), "{evaluations:#?}");
    }
}

#[test]
fn nix_speaks_english_whatever_its_user_speaks() {
    let directory = programs();
    let german = [("LC_ALL", "de_DE.UTF-8"), ("LANG", "de_DE.UTF-8"), ("LANGUAGE", "de:fr")];
    ask_everything(&find_for(directory.path(), &german));
    let calls = calls(directory.path());
    assert!(calls.len() > 5, "{calls:#?}");
    for call in &calls {
        assert!(call.contains(" LC_ALL=C LANGUAGE=unset "), "{call}");
    }
}
