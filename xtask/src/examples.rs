//! The examples, and what they are built from.

use std::path::Path;
use std::process::Command;

use clap::ValueEnum;
use miette::Result;

use crate::machine;
use crate::paths::repository;
use crate::process::run;

/// A directory of `examples/` that `seed run` makes an image of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Example {
    /// A program of a few bytes, from a flake without inputs
    Hello,
    /// Plain directories, without Nix
    Directories,
    /// A web service in Python
    Python,
    /// A program in Rust
    Rust,
    /// A program in C++
    Cpp,
    /// A program in C, linked with musl
    Musl,
}

/// Files and programs that the offline packages are made from, and the Debian packages that have them.
pub(crate) const MATERIALS: [(&str, &str); 5] = [
    ("bash-static", "bash-static"),
    ("busybox", "busybox-static"),
    ("patchelf", "patchelf"),
    ("/usr/bin/python3", "python3"),
    ("g++", "g++"),
];

/// The same for `examples/musl`.
pub(crate) const MUSL_MATERIALS: [(&str, &str); 4] = [
    ("gcc", "gcc"),
    ("/usr/include/stdio.h", "libc6-dev"),
    ("musl-gcc", "musl-tools"),
    ("busybox", "busybox-static"),
];

impl Example {
    /// The name of its directory.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Directories => "directories",
            Self::Python => "python",
            Self::Rust => "rust",
            Self::Cpp => "cpp",
            Self::Musl => "musl",
        }
    }

    /// Whether its pipeline needs Nix.
    pub(crate) fn needs_nix(self) -> bool {
        self != Self::Directories
    }

    /// A command that shows what its container does; none if it has no program.
    pub(crate) fn container(self) -> Option<&'static str> {
        match self {
            Self::Hello => Some("docker run --rm --network none hello"),
            Self::Directories => None,
            Self::Python => Some("docker run --rm --publish 127.0.0.1:8000:8000 greeter"),
            Self::Rust => Some("docker run --rm --network none primes 100"),
            Self::Cpp => Some("docker run --rm --network none --interactive wordcount < README.md"),
            Self::Musl => Some("docker run --rm --network none hello-musl"),
        }
    }

    /// The archive that its pipeline writes.
    pub(crate) fn archive(self) -> &'static str {
        match self {
            Self::Hello => "hello.tar",
            Self::Directories => "site.tar",
            Self::Python => "greeter.tar",
            Self::Rust => "primes.tar",
            Self::Cpp => "wordcount.tar",
            Self::Musl => "hello-musl.tar",
        }
    }

    /// What `examples/offline/prepare` takes for it from this machine; none if it takes nothing from nixpkgs.
    fn sets(self) -> Option<[&'static str; 2]> {
        match self {
            Self::Hello | Self::Directories | Self::Musl => None,
            // Nix is for `build.toml`.
            Self::Python => Some(["python", "nix"]),
            Self::Rust => Some(["rust", "nix"]),
            Self::Cpp => Some(["c++", "nix"]),
        }
    }

    /// Locks the copy of this example in `directory` to this machine's packages, if that is possible: as root on
    /// Debian. Elsewhere its flake takes nixpkgs, but for `musl`, which is of a Debian machine's files anywhere.
    pub(crate) fn prepare(self, directory: &Path, nix_config: &str) -> Result<()> {
        if self == Self::Musl {
            machine::ensure(&MUSL_MATERIALS)?;
            return run(Command::new("./prepare").current_dir(directory).env("NIX_CONFIG", nix_config));
        }
        let Some(sets) = self.sets().filter(|_| machine::can_install()) else { return Ok(()) };
        machine::ensure(&MATERIALS)?;
        run(Command::new(repository().join("examples/offline/prepare"))
            .arg(directory.join("flake"))
            .arg(directory.with_extension("offline"))
            .args(sets)
            .env("NIX_CONFIG", nix_config))
    }
}
