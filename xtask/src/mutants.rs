//! `cargo xtask mutants`: changes the sources in one place after the other, and lists what no test notices.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use clap::Args;
use miette::{Result, bail, miette};

use crate::paths::{repository, state_directory};
use crate::process::{cargo, run};
use crate::survivors::Survivors;
use crate::tools::Tool;
use crate::{copy, sandbox};

const CARGO_MUTANTS: Tool = Tool { name: "cargo-mutants", version: "27.1.0", options: &[] };

/// The crates in which each survivor must be explained: they decide about trust, reach and bytes.
const STRICT: [&str; 3] = ["trust", "http", "oci"];

/// How many of a hundred changes to any other crate the tests must notice.
const ENOUGH: usize = 90;

/// Change the sources one place at a time, and list the changes that no test notices
///
/// Runs cargo-mutants on a copy of the repository, each crate with its own tests. The tests of changed code could
/// delete or send anything, so they run in a sandbox of bubblewrap: without network, with the machine read-only, and with
/// a `/tmp` of their own.
///
/// In `trust`, `http` and `oci`, tests/survivors.toml must explain each change that no test notices; elsewhere the tests must
/// notice nine of ten.
#[derive(Debug, Args)]
pub(crate) struct MutantsArgs {
    /// Crates, by their directory in host/ [default: trust, http, oci]
    #[arg(value_name = "CRATE")]
    crates: Vec<String>,

    /// Make only one of so many changes, spread over each crate
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    one_in: Option<u32>,

    /// Make only changes in these files (can be repeated; a glob)
    #[arg(long, value_name = "FILE")]
    file: Vec<String>,

    /// Stop each crate after so many minutes, with what is known by then
    #[arg(long, value_name = "MINUTES")]
    minutes: Option<u32>,
}

/// Makes the changes, crate by crate, and says at the end which of them nobody noticed.
pub(crate) fn mutants(args: &MutantsArgs) -> Result<()> {
    let survivors = Survivors::load()?;
    let program = CARGO_MUTANTS.ensure()?;
    let place = state_directory()?.join("mutants");
    let tree = place.join("tree");
    copy::repository_to(&tree)?;
    // The sandbox has no network.
    run(&mut cargo(&["fetch", "--locked"]))?;
    let crates =
        if args.crates.is_empty() { STRICT.map(str::to_owned).to_vec() } else { args.crates.clone() };
    let mut failed = Vec::new();
    for name in &crates {
        if !repository().join("host").join(name).is_dir() {
            bail!(help = "name a directory in host/, such as `trust`", "no crate `{name}`");
        }
        let out = place.join(name);
        change(&program, args, name, &place)?;
        // A change that was not undone because the time was up.
        copy::repository_to(&tree)?;
        let results = Results::read(&out.join("mutants.out"))?;
        if !results.report(name, &survivors) {
            failed.push(name.as_str());
        }
    }
    if !failed.is_empty() {
        bail!(
            help = "write a test that fails with the change; if none can, explain it in tests/survivors.toml",
            "the tests notice too little in {}",
            failed.join(", ")
        );
    }
    Ok(())
}

/// Runs cargo-mutants. That some change survives, or that the time is up, is no failure of its own.
fn change(program: &Path, args: &MutantsArgs, name: &str, place: &Path) -> Result<()> {
    let out = place.join(name);
    fs::create_dir_all(&out).map_err(|error| miette!("cannot create {}: {error}", out.display()))?;
    let mut command = sandbox::command(place)?;
    if let Some(minutes) = args.minutes {
        command.args(["timeout", "--signal=INT", "--kill-after=60", &format!("{minutes}m")]);
    }
    command.args(["env", "CARGO_NET_OFFLINE=true", "INSTA_UPDATE=no"]);
    let mut target = OsString::from("CARGO_TARGET_DIR=");
    target.push(place.join("build"));
    command.arg(target).arg(program).args([
        "mutants",
        "--in-place",
        "--no-times",
        "--colors=never",
        "--shuffle",
    ]);
    command.arg("--dir").arg(place.join("tree")).arg("--output").arg(&out);
    command.args(["--package", &package(name)]);
    if let Some(one_in) = args.one_in {
        command.args(["--shard", &format!("0/{one_in}"), "--sharding", "round-robin"]);
    }
    for file in &args.file {
        command.args(["--file", file]);
    }
    command.args(["--", "--tests"]);
    let status = command.status().map_err(|error| miette!("cannot run bwrap: {error}"))?;
    match status.code() {
        // All noticed; some missed; some timed out; the time was up.
        Some(0 | 2 | 3 | 124 | 130) => Ok(()),
        _ => bail!("cargo-mutants failed with {status}"),
    }
}

fn package(name: &str) -> String {
    if name == "cli" { "seed".to_owned() } else { format!("seed-{name}") }
}

/// What became of the changes to a crate.
struct Results {
    caught: usize,
    unviable: usize,
    missed: Vec<String>,
}

impl Results {
    fn read(directory: &Path) -> Result<Self> {
        let lines = |name: &str| -> Result<Vec<String>> {
            let path = directory.join(name);
            let text = fs::read_to_string(&path).map_err(|error| miette!("{}: {error}", path.display()))?;
            Ok(text.lines().map(str::to_owned).collect())
        };
        Ok(Self {
            // An endless loop is noticed, too.
            caught: lines("caught.txt")?.len() + lines("timeout.txt")?.len(),
            unviable: lines("unviable.txt")?.len(),
            missed: lines("missed.txt")?,
        })
    }

    /// Says what became of them, and whether that is enough.
    fn report(&self, name: &str, survivors: &Survivors) -> bool {
        let (explained, unexplained): (Vec<_>, Vec<_>) =
            self.missed.iter().partition(|change| survivors.explains(change));
        let tried = self.caught + self.missed.len();
        println!(
            "{name}: {tried} changes, {} noticed, {} survive with an explanation, {} without ({} do not compile)",
            self.caught,
            explained.len(),
            unexplained.len(),
            self.unviable
        );
        for change in &unexplained {
            println!("  {change}");
        }
        let noticed = self.caught + explained.len();
        if STRICT.contains(&name) { unexplained.is_empty() } else { noticed * 100 >= tried * ENOUGH }
    }
}
