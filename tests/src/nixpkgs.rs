//! This project's flake, and the stub of nixpkgs with programs of this machine in it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::peers::peer;
use crate::program::seed_program;
use crate::repository::{copy, repository};
use crate::run::Run;

/// What this project's flake reads; of its tests and benchmarks that they are there.
const FLAKE: [&str; 11] = [
    "Cargo.lock",
    "Cargo.toml",
    "tests/bench/Cargo.toml",
    "flake.lock",
    "flake.nix",
    "host",
    "nix",
    "plugins/prebuilt",
    "tests/Cargo.toml",
    "wit",
    "xtask",
];

/// Copies this project's flake to `directory`.
pub fn copy_project_flake(directory: &Path) {
    for path in FLAKE {
        let (from, to) = (repository().join(path), directory.join(path));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap();
        }
    }
}

/// Makes a flake in `directory` that has what this project uses of nixpkgs. Its `seed` is the program under test.
pub fn stub_nixpkgs(directory: &Path) {
    copy(&repository().join("tests/fixtures/nixpkgs-stub"), directory);
    let tools = directory.join("tools");
    portable_program(&seed_program(), &tools.join("seed"));
    fs::copy(peer("busybox"), tools.join("busybox")).unwrap();
}

/// Makes a package in `directory` of a program of this machine: `bin/NAME` works in a Nix build and in an image, since
/// it brings its libraries. It needs `/bin/sh`.
pub fn portable_program(program: &Path, directory: &Path) {
    for part in ["bin", "lib", "libexec"] {
        fs::create_dir_all(directory.join(part)).unwrap();
    }
    let name = program.file_name().unwrap().to_str().unwrap();
    fs::copy(program, directory.join("libexec").join(name)).unwrap();
    // Lines such as `libc.so.6 => /lib/libc.so.6 (0x…)`, or the path alone for the loader.
    let libraries = Run::of(Command::new("ldd").arg(program)).ok().stdout;
    let mut loader = None;
    for library in libraries.split_whitespace().filter(|word| word.starts_with('/')).map(Path::new) {
        let file = library.file_name().unwrap().to_str().unwrap();
        fs::copy(library, directory.join("lib").join(file)).unwrap();
        if file.starts_with("ld-linux") {
            loader = Some(file);
        }
    }
    let loader = loader.unwrap_or_else(|| panic!("{name} has no loader: {libraries}"));
    let script = directory.join("bin").join(name);
    let text = format!(
        "#!/bin/sh\npackage=${{0%/*}}/..\n\
         exec \"$package/lib/{loader}\" --library-path \"$package/lib\" --argv0 {name} \"$package/libexec/{name}\" \"$@\"\n"
    );
    fs::write(&script, text).unwrap();
    fs::set_permissions(script, fs::Permissions::from_mode(0o755)).unwrap();
}
