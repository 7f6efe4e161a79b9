//! `cargo xtask demo`: from a clone to an image, with one command.

use std::fs;
use std::io::IsTerminal as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use miette::{Result, bail, miette};
use seed_trust::{PrivateKey, public_key};

use crate::examples::Example;
use crate::machine;
use crate::paths::{repository, state_directory};
use crate::process::{built, cargo, run};

/// The password of the demonstration's key, which protects nothing.
const PASSWORD: &str = "demo";

/// Build an image from a real flake, and show what to try with it
///
/// Looks for Nix, and installs the distribution's package if it is missing and this is root. Then it builds `seed`,
/// makes a signing key, and runs examples/hello or another one. If Nix is unavailable, it runs examples/directories.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The example to run
    ///
    /// As root on Debian, `python`, `cpp` and `rust` take the machine's own interpreters and compilers and need no
    /// network; elsewhere they take nixpkgs.
    #[arg(value_enum)]
    example: Option<Example>,

    /// Install nothing: without Nix, show the example that needs none
    #[arg(long)]
    no_install: bool,
}

/// Runs the demonstration.
pub(crate) fn demo(args: &DemoArgs) -> Result<()> {
    println!("1/3  Nix");
    let nix = find_nix(args.no_install)?;
    let example = args.example.unwrap_or(if nix.is_some() { Example::Hello } else { Example::Directories });
    match &nix {
        Some(version) => println!("     {version}"),
        None if example.needs_nix() => bail!(
            help = "install Nix, run the demo as root on Debian, or do not name an example",
            "the example {} requires Nix, which is not installed",
            example.name()
        ),
        None => println!("     not installed: using `directories`, the example that does not need it"),
    }

    println!("2/3  seed (the first build takes some minutes)");
    let mut build = cargo(&["build", "--workspace", "--bin", "seed"]);
    if !std::io::stderr().is_terminal() {
        build.arg("--quiet");
    }
    run(&mut build)?;
    let seed = built("seed")?;
    println!("     {}", shown(&seed));

    let name = example.name();
    println!("3/3  seed run, in a copy of examples/{name}");
    let directory = state_directory()?.join("demo").join(name);
    copy(&repository().join("examples").join(name), &directory)?;
    if example == Example::Hello {
        make_key(&directory)?;
    }
    example.prepare(&directory, &nix_config())?;
    run(Command::new(&seed)
        .current_dir(&directory)
        .args(["run", "pipeline.toml"])
        .env("SEED_CACHE_DIR", directory.with_file_name("cache"))
        .env("COSIGN_PASSWORD", PASSWORD)
        .env("NIX_CONFIG", nix_config()))?;
    print_next(&seed, &directory, example);
    Ok(())
}

/// The version of Nix that is here now, after installing it if that is possible and allowed.
fn find_nix(no_install: bool) -> Result<Option<String>> {
    if machine::find("nix").is_none() {
        if no_install || !machine::can_install() {
            return Ok(None);
        }
        if let Err(report) = machine::ensure(&[("nix", "nix-bin"), ("bash-static", "bash-static")]) {
            println!("     cannot install the distribution's packages: {report}");
            return Ok(None);
        }
    }
    let output =
        Command::new("nix").arg("--version").output().map_err(|error| miette!("cannot run nix: {error}"))?;
    if !output.status.success() {
        bail!("`nix --version` fails: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()))
}

/// This machine's `NIX_CONFIG`, or one that works where Nix is freshly installed.
fn nix_config() -> String {
    std::env::var("NIX_CONFIG").unwrap_or_else(|_| machine::nix_config())
}

/// Copies the files of the example that are not there yet: what an earlier run left, and what was edited, stays.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let error = |path: &Path, error| miette!("cannot copy {}: {error}", path.display());
    fs::create_dir_all(to).map_err(|e| error(to, e))?;
    for entry in fs::read_dir(from).map_err(|e| error(from, e))? {
        let entry = entry.map_err(|e| error(from, e))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target)?;
        } else if !target.exists() {
            fs::copy(&source, &target).map_err(|e| error(&source, e))?;
        }
    }
    Ok(())
}

/// Makes `cosign.key` and `cosign.pub`, unless an earlier run did.
fn make_key(directory: &Path) -> Result<()> {
    let (private, public) = (directory.join("cosign.key"), directory.join("cosign.pub"));
    if private.exists() {
        return Ok(());
    }
    let key = PrivateKey::generate().map_err(|error| miette!("cannot generate a key: {error}"))?;
    let pem = key
        .to_encrypted_pem(PASSWORD.as_bytes())
        .map_err(|error| miette!("cannot generate a key: {error}"))?;
    let write = |path: &Path, mode, content: &str| {
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(mode).open(path);
        file.and_then(|mut file| std::io::Write::write_all(&mut file, content.as_bytes()))
            .map_err(|error| miette!("cannot write {}: {error}", path.display()))
    };
    write(&public, 0o644, &public_key::to_pem(&key.public("release")))?;
    write(&private, 0o600, &pem)
}

fn print_next(seed: &Path, directory: &Path, example: Example) {
    let (seed, directory, archive) = (shown(seed), shown(directory), example.archive());
    println!("\nTry next:");
    println!("  {seed} inspect {directory}/result");
    if let Some(container) = example.container() {
        println!("  docker load --input {directory}/{archive} && {container}");
    }
    let edited = if example == Example::Directories { "apps/srv/www/index.html" } else { "flake" };
    println!("  edit {directory}/{edited} and run this again: only what changed is packed");
    println!("  edit {directory}/pipeline.toml: each stage is a plugin that you can replace with one line");
    if example == Example::Hello {
        println!(
            "The key of this demo has the password `{PASSWORD}`: generate your own key for real images."
        );
    }
}

/// A path as people type it: relative to the current directory where it is below it.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}
