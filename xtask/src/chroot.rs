//! Debian root file systems for tools that this machine does not have, or not in that version.
//!
//! A root is made once with `debootstrap` and kept. Commands in it run in a mount namespace of their own, so that
//! nothing stays mounted when they end, however they end: deleting a root can never reach through a mount.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{Result, bail, miette};

use crate::machine;
use crate::paths::state_directory;
use crate::process::run;

/// Where roots are kept, instead of `target/xtask/roots`.
const ROOTS_VARIABLE: &str = "SEED_XTASK_ROOTS";

/// Where debootstrap keeps its recipes.
const DEBOOTSTRAP_SCRIPTS: &str = "/usr/share/debootstrap/scripts";

/// A Debian root file system.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    directory: PathBuf,
}

/// A file or directory of this machine that a command sees inside the root.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bind<'a> {
    /// Path on this machine.
    pub(crate) source: &'a Path,
    /// Absolute path inside the root.
    pub(crate) target: &'a str,
}

impl Root {
    /// The root of a Debian suite (`trixie`, `forky`) with these packages; makes what is missing of it. Needs to be
    /// root on a Debian-like machine, except where everything is there already.
    pub(crate) fn ensure(suite: &str, packages: &[&str]) -> Result<Self> {
        let roots = match std::env::var_os(ROOTS_VARIABLE) {
            Some(directory) => PathBuf::from(directory),
            None => state_directory()?.join("roots"),
        };
        let root = Self { directory: roots.join(suite) };
        if !root.directory.join("etc/debian_version").exists() {
            root.bootstrap(suite)?;
        }
        root.install(packages)?;
        Ok(root)
    }

    /// Where the root is on this machine.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// A command inside the root, with `/proc` and `/dev`, these binds and a fixed environment. Add arguments and
    /// variables as usual; `current_dir` would name a directory of this machine, so use `env --chdir`.
    pub(crate) fn command(&self, binds: &[Bind<'_>], program: &str) -> Command {
        const SCRIPT: &str = r#"
            set -e
            root=$1; shift
            mount -t proc proc "$root/proc"
            mount --rbind /dev "$root/dev"
            while [ "$1" != -- ]; do
                if [ -d "$1" ]; then mkdir -p "$root$2"; else mkdir -p "$(dirname "$root$2")"; touch "$root$2"; fi
                mount --bind "$1" "$root$2"
                shift 2
            done
            shift
            exec chroot "$root" "$@"
        "#;
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--propagation", "private", "--", "sh", "-c", SCRIPT, "sh"])
            .arg(&self.directory);
        for bind in binds {
            command.arg(bind.source).arg(bind.target);
        }
        command.arg("--").arg(program);
        command.env_clear();
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/root").env("LC_ALL", "C.UTF-8");
        command
    }

    fn bootstrap(&self, suite: &str) -> Result<()> {
        require_root("make a Debian root")?;
        if !Path::new(DEBOOTSTRAP_SCRIPTS).exists() {
            run(Command::new("apt-get").args(["install", "-y", "--no-install-recommends", "debootstrap"]))?;
        }
        // Made beside its place and renamed, so that an interrupted run leaves no half root.
        let partial = self.directory.with_extension("partial");
        if partial.exists() {
            remove(&partial)?;
        }
        fs::create_dir_all(&partial)
            .map_err(|error| miette!("cannot create {}: {error}", partial.display()))?;
        let mut command = Command::new("debootstrap");
        command.arg("--variant=minbase").arg(suite).arg(&partial).arg(apt_mirror()?);
        // An older debootstrap does not know newer suites; they all follow the recipe of sid.
        if !Path::new(DEBOOTSTRAP_SCRIPTS).join(suite).exists() {
            command.arg(format!("{DEBOOTSTRAP_SCRIPTS}/sid"));
        }
        run(&mut command)?;
        fs::rename(&partial, &self.directory).map_err(|error| {
            miette!("cannot rename {} to {}: {error}", partial.display(), self.directory.display())
        })
    }

    fn install(&self, packages: &[&str]) -> Result<()> {
        let missing: Vec<_> = packages.iter().filter(|package| !self.has(package)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        require_root("install packages into a Debian root")?;
        // A mirror may be older than the date until which its index says it is valid; its signature counts.
        run(self.command(&[], "apt-get").args(["update", "-o", "Acquire::Check-Valid-Until=false"]))?;
        run(self
            .command(&[], "apt-get")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["install", "-y", "--no-install-recommends"])
            .args(missing))
    }

    /// Whether dpkg's records have the package: `info/<package>.list` or `info/<package>:<architecture>.list`.
    fn has(&self, package: &str) -> bool {
        let Ok(entries) = fs::read_dir(self.directory.join("var/lib/dpkg/info")) else { return false };
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(".list")) else { return false };
            stem == package || stem.split_once(':').is_some_and(|(name, _)| name == package)
        })
    }
}

/// Deletes a root. Refused while something is mounted below it.
fn remove(directory: &Path) -> Result<()> {
    let directory =
        fs::canonicalize(directory).map_err(|error| miette!("{}: {error}", directory.display()))?;
    let mounts =
        fs::read_to_string("/proc/self/mounts").map_err(|error| miette!("/proc/self/mounts: {error}"))?;
    let below =
        |line: &&str| line.split(' ').nth(1).is_some_and(|target| Path::new(target).starts_with(&directory));
    if let Some(mount) = mounts.lines().find(below) {
        bail!("will not delete {}: something is mounted there ({mount})", directory.display());
    }
    fs::remove_dir_all(&directory).map_err(|error| miette!("cannot delete {}: {error}", directory.display()))
}

fn require_root(what: &str) -> Result<()> {
    if machine::is_root() {
        return Ok(());
    }
    bail!("cannot {what}: this requires root on Debian or a derivative")
}

/// The archive that this machine's apt uses for Debian itself.
fn apt_mirror() -> Result<String> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    files.sort();
    files
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .find_map(|text| debian_mirror(&text))
        .ok_or_else(|| {
            miette!("apt's configuration on this machine names no Debian archive to bootstrap from")
        })
}

/// The first `…/debian` archive in a `sources.list` or deb822 text.
fn debian_mirror(text: &str) -> Option<String> {
    text.lines()
        .filter(|line| line.starts_with("deb ") || line.starts_with("URIs:"))
        .flat_map(str::split_whitespace)
        .map(|word| word.trim_end_matches('/'))
        .find(|word| word.contains("://") && word.ends_with("/debian"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_archive_in_both_formats() {
        let list = "# deb http://commented/debian bookworm main\n\
                    deb [signed-by=/k.gpg] http://example.org/debian-security bookworm-security main\n\
                    deb [arch=amd64] http://example.org/debian bookworm main\n";
        assert_eq!(debian_mirror(list).as_deref(), Some("http://example.org/debian"));
        let deb822 = "Types: deb\nURIs: https://example.org/debian/\nSuites: bookworm\n";
        assert_eq!(debian_mirror(deb822).as_deref(), Some("https://example.org/debian"));
        assert_eq!(debian_mirror("deb http://example.org/ubuntu noble main\n"), None);
    }
}
