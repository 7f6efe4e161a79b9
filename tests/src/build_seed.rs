//! A project that a build seed is made of, with everything that it needs on this machine.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::environment::TestEnvironment;
use crate::nixpkgs::portable_program;
use crate::peers::peer;
use crate::repository::{copy, repository};
use crate::run::Run;

/// Fills the working directory with the project of `tests/fixtures/build-seed`: a flake in `flake`, whose input `nixpkgs`
/// is in the store, and a pipeline. The environment must let Nix build.
pub fn build_seed_project(environment: &TestEnvironment) {
    let fixture = repository().join("tests/fixtures/build-seed");
    let work = environment.work();
    copy(&fixture.join("flake"), &work.join("flake"));
    fs::copy(fixture.join("pipeline.toml"), work.join("pipeline.toml")).unwrap();
    fs::copy(repository().join("nix/mkseed.nix"), work.join("flake/mkseed.nix")).unwrap();
    // The sources of every flake are a store path of this name.
    let nixpkgs = environment.root().join("source");
    offline_nixpkgs(&nixpkgs);
    environment.write("flake/flake.lock", lock(environment, &nixpkgs));
}

/// Makes the flake of `tests/fixtures/build-seed/nixpkgs` in `directory`: Nix, a shell, and what builds take of nixpkgs.
pub fn offline_nixpkgs(directory: &Path) {
    copy(&repository().join("tests/fixtures/build-seed/nixpkgs"), directory);
    let busybox = directory.join("files/busybox/bin");
    fs::create_dir_all(&busybox).unwrap();
    fs::copy(peer("busybox"), busybox.join("busybox")).unwrap();
    for name in ["cp", "mkdir", "cat", "sh"] {
        symlink("busybox", busybox.join(name)).unwrap();
    }
    portable_program(&fs::canonicalize(peer("nix")).unwrap(), &directory.join("files/nix"));
}

/// A lock whose `nixpkgs` is a repository that does not exist, with the contents of `sources`, which are added to the store.
fn lock(environment: &TestEnvironment, sources: &Path) -> String {
    let nix_store = |args: &[&str]| {
        Run::of(environment.command(peer("nix-store")).args(args)).ok().stdout.trim().to_owned()
    };
    let path = nix_store(&["--add", sources.to_str().unwrap()]);
    let hash = nix_store(&["--query", "--hash", &path]);
    let mut to_sri = environment.command(peer("nix"));
    to_sri.args(["hash", "to-sri", "--type", "sha256", hash.strip_prefix("sha256:").unwrap()]);
    let lock = serde_json::json!({
        "nodes": {
            "nixpkgs": {
                "locked": {
                    "lastModified": 1, "narHash": Run::of(&mut to_sri).ok().stdout.trim(), "owner": "example",
                    "repo": "nixpkgs", "rev": "0000000000000000000000000000000000000001", "type": "github"
                },
                "original": { "owner": "example", "repo": "nixpkgs", "type": "github" }
            },
            "root": { "inputs": { "nixpkgs": "nixpkgs" } }
        },
        "root": "root",
        "version": 7
    });
    lock.to_string()
}
