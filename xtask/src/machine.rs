//! What this machine has, and how it can get more.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{Result, bail};

use crate::process::run;

/// Where daemons are; not in every user's `PATH`.
const SYSTEM_DIRECTORIES: [&str; 2] = ["/usr/sbin", "/sbin"];

/// A program's path, from `PATH` or the directories of daemons.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(SYSTEM_DIRECTORIES.iter().map(PathBuf::from))
        .map(|directory| directory.join(program))
        .find(|candidate| candidate.is_file())
}

/// Whether this process is root.
pub(crate) fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .any(|line| line.strip_prefix("Uid:").is_some_and(|ids| ids.split_whitespace().nth(1) == Some("0")))
}

/// Whether packages can be installed here: root, and apt.
pub(crate) fn can_install() -> bool {
    is_root() && find("apt-get").is_some()
}

/// Makes sure that files of distribution packages are here. `wanted` pairs a file or program with its package.
pub(crate) fn ensure(wanted: &[(&str, &str)]) -> Result<()> {
    let is_here =
        |file: &str| if file.starts_with('/') { Path::new(file).exists() } else { find(file).is_some() };
    let missing: Vec<_> = wanted.iter().filter(|(file, _)| !is_here(file)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    if !can_install() {
        let files: Vec<_> = missing.iter().map(|(file, _)| *file).collect();
        bail!(
            help = "install them, or run this as root on Debian, where it installs the packages {packages:?}",
            "missing on this machine: {}",
            files.join(", ")
        );
    }
    println!("Installing the distribution's packages {}", packages.join(", "));
    run(Command::new("apt-get").args(["update", "-qq"]))?;
    run(Command::new("apt-get")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(packages))
}

/// What Nix is told where its own configuration says nothing: flakes are on; root builds without build users; no
/// cache is asked; and Debian's Nix, which has no shell of its own for the sandbox, takes the static one.
pub(crate) fn nix_config() -> String {
    let mut config = "experimental-features = nix-command flakes\nsubstitute = false\n".to_owned();
    if is_root() {
        config.push_str("build-users-group =\nsandbox = true\n");
        if Path::new("/bin/bash-static").exists() {
            config.push_str("sandbox-paths = /bin/sh=/bin/bash-static\n");
        }
    }
    config
}
