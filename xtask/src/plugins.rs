//! `cargo xtask plugins`: builds the guest plugins with the reference toolchain and turns them into components.
//!
//! The reference toolchain is rustc 1.85.1 of Debian trixie in a root of its own, where sources, dependencies and
//! output have fixed paths; so the same sources give the same bytes on any machine and from any directory.
//! Dependencies are vendored outside, with this machine's cargo and its configuration; inside there is no network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use miette::{Result, bail, miette};
use sha2::{Digest, Sha256};
use wit_component::ComponentEncoder;

use crate::chroot::{Bind, Root};
use crate::paths::{repository, state_directory};
use crate::process::run;

/// The suite of the reference toolchain.
const SUITE: &str = "trixie";

/// What the reference toolchain consists of.
const PACKAGES: [&str; 7] =
    ["rustc", "cargo", "libstd-rust-dev-wasm32", "lld", "gcc", "libc6-dev", "ca-certificates"];

const TARGET: &str = "wasm32-unknown-unknown";

/// The file that lists the committed components, as `sha256sum` writes it.
const SUMS: &str = "SHA256SUMS";

/// Arguments of `cargo xtask plugins`.
#[derive(Debug, Args)]
pub(crate) struct PluginsArgs {
    /// Build, and fail if the committed components differ by one byte; write nothing
    #[arg(long, conflicts_with = "package")]
    check: bool,

    /// Build the plugin crate in this directory of the repository instead, such as examples/custom-signer
    #[arg(long, value_name = "DIR", requires = "out")]
    package: Option<PathBuf>,

    /// Where to put the components of `--package`
    #[arg(long, value_name = "DIR", requires = "package")]
    out: Option<PathBuf>,
}

/// Builds, and writes or checks.
pub(crate) fn plugins(args: &PluginsArgs) -> Result<()> {
    let repository = repository();
    if let (Some(package), Some(out)) = (&args.package, &args.out) {
        return build_package(package, out);
    }
    if args.check {
        return check_prebuilt();
    }
    let components = build(Path::new("plugins"))?;
    let prebuilt = repository.join("plugins/prebuilt");
    write(&components, &prebuilt)?;
    put(&prebuilt.join(SUMS), sums(&components).as_bytes())
}

/// Builds the plugin crate in a directory of the repository, and writes its component to `out`.
pub(crate) fn build_package(package: &Path, out: &Path) -> Result<()> {
    write(&build(package)?, out)
}

/// Rebuilds the default plugins and compares them with the committed ones.
pub(crate) fn check_prebuilt() -> Result<()> {
    check(&build(Path::new("plugins"))?, &repository().join("plugins/prebuilt"))
}

/// A component that was just built.
struct Component {
    /// File name, such as `cosign-signer.wasm`.
    name: String,
    bytes: Vec<u8>,
}

/// Builds every `cdylib` of the crate or workspace in `directory`, relative to the repository; sorted by name.
fn build(directory: &Path) -> Result<Vec<Component>> {
    let repository = repository();
    if directory.is_absolute() || !repository.join(directory).join("Cargo.lock").exists() {
        bail!("{} is not a crate or workspace of this repository with a Cargo.lock", directory.display());
    }
    let work = state_directory()?.join("wasm").join(directory);
    let (vendor, target) = (work.join("vendor"), work.join("target"));
    fs::create_dir_all(&target).map_err(|error| miette!("cannot create {}: {error}", target.display()))?;
    run(Command::new("cargo")
        .args(["vendor", "--quiet", "--locked", "--versioned-dirs", "--manifest-path"])
        .arg(repository.join(directory).join("Cargo.toml"))
        .arg(&vendor)
        .stdout(std::process::Stdio::null()))?;

    // What a crate that is gone left behind must not be taken for a result; cargo puts the others there again.
    let built = target.join(TARGET).join("release");
    for module in modules(&built)? {
        fs::remove_file(&module).map_err(|error| miette!("cannot delete {}: {error}", module.display()))?;
    }

    let root = Root::ensure(SUITE, &PACKAGES)?;
    let binds = [
        Bind { source: &repository, target: "/seed" },
        Bind { source: &vendor, target: "/vendor" },
        Bind { source: &target, target: "/target" },
    ];
    run(root
        .command(&binds, "env")
        .arg(format!("--chdir=/seed/{}", directory.display()))
        .args(["cargo", "build", "--release", "--locked", "--offline", "--target", TARGET])
        .args(["--config", "source.crates-io.replace-with='vendor'"])
        .args(["--config", "source.vendor.directory='/vendor'"])
        .env("CARGO_TARGET_DIR", "/target")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld")
        // Paths in panic messages: short, and the same for a crate at whatever path.
        .env("RUSTFLAGS", "--remap-path-prefix=/seed/= --remap-path-prefix=/vendor/="))?;

    modules(&built)?.iter().map(|module| componentise(module)).collect()
}

/// The core modules in a directory, sorted; none if there is no such directory.
fn modules(directory: &Path) -> Result<Vec<PathBuf>> {
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let entries =
        fs::read_dir(directory).map_err(|error| miette!("cannot read {}: {error}", directory.display()))?;
    let mut modules: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    modules.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    modules.sort();
    Ok(modules)
}

/// Turns a core module with the metadata of wit-bindgen into a component.
fn componentise(module: &Path) -> Result<Component> {
    let bytes = fs::read(module).map_err(|error| miette!("cannot read {}: {error}", module.display()))?;
    let bytes = ComponentEncoder::default()
        .validate(true)
        .module(&bytes)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| miette!("cannot make a component of {}: {error:#}", module.display()))?;
    let stem = module.file_stem().unwrap_or_default().to_string_lossy().replace('_', "-");
    Ok(Component { name: format!("{stem}.wasm"), bytes })
}

/// One line per component: digest and name, as `sha256sum --check` reads them.
fn sums(components: &[Component]) -> String {
    let line = |c: &Component| format!("{}  {}\n", hex::encode(Sha256::digest(&c.bytes)), c.name);
    components.iter().map(line).collect()
}

fn write(components: &[Component], directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)
        .map_err(|error| miette!("cannot create {}: {error}", directory.display()))?;
    for component in components {
        let path = directory.join(&component.name);
        put(&path, &component.bytes)?;
        println!("{:>8} bytes  {}", component.bytes.len(), path.display());
    }
    Ok(())
}

fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(|error| miette!("cannot write {}: {error}", path.display()))
}

fn check(components: &[Component], directory: &Path) -> Result<()> {
    let same =
        |name: &str, bytes: &[u8]| fs::read(directory.join(name)).is_ok_and(|committed| committed == bytes);
    let mut different: Vec<&str> =
        components.iter().filter(|c| !same(&c.name, &c.bytes)).map(|c| c.name.as_str()).collect();
    if !same(SUMS, sums(components).as_bytes()) {
        different.push(SUMS);
    }
    if !different.is_empty() {
        bail!(
            help = "run `cargo xtask plugins` and commit the result",
            "the components in {} do not match their sources: {}",
            directory.display(),
            different.join(", ")
        );
    }
    println!("{} components in {} match their sources", components.len(), directory.display());
    Ok(())
}
