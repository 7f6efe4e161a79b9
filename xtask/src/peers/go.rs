//! The registry with the referrers API: a Go program of a few lines around an existing implementation.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use miette::{Result, miette};

use crate::chroot::{Bind, Root};
use crate::machine;
use crate::paths::{repository, state_directory};
use crate::process::run;

const PROGRAM: &str = "referrers-registry";
const SOURCES: &str = "tests/peers/referrers-registry";

/// Builds it: with this machine's Go, or with the one of Debian 14.
pub(super) fn install(directory: &Path) -> Result<()> {
    let sources = repository().join(SOURCES);
    let cache = state_directory()?.join("go");
    fs::create_dir_all(&cache).map_err(|error| miette!("cannot create {}: {error}", cache.display()))?;
    let mut command = match machine::find("go") {
        Some(go) => native_go(&go, &sources, directory, &cache),
        None => debian_go(&sources, directory, &cache)?,
    };
    run(command.env("CGO_ENABLED", "0").env("GOFLAGS", "-mod=readonly -trimpath -buildvcs=false"))
}

fn native_go(go: &Path, sources: &Path, directory: &Path, cache: &Path) -> Command {
    let mut command = Command::new(go);
    command.current_dir(sources).args(["build", "-o"]).arg(directory.join(PROGRAM));
    command.env("GOPATH", cache.join("path")).env("GOCACHE", cache.join("build"));
    command
}

fn debian_go(sources: &Path, directory: &Path, cache: &Path) -> Result<Command> {
    let root = Root::ensure("forky", &["golang-go", "ca-certificates"])?;
    let binds = [
        Bind { source: sources, target: "/registry" },
        Bind { source: directory, target: "/peers" },
        Bind { source: cache, target: "/go" },
        Bind { source: Path::new("/etc/resolv.conf"), target: "/etc/resolv.conf" },
    ];
    let mut command = root.command(&binds, "env");
    command.args(["--chdir=/registry", "go", "build", "-o"]).arg(Path::new("/peers").join(PROGRAM));
    command.env("GOPATH", "/go/path").env("GOCACHE", "/go/build");
    // Where modules come from is this machine's configuration.
    command.envs(env::vars().filter(|(name, _)| name.starts_with("GO") || name.ends_with("_proxy")));
    Ok(command)
}
