//! `cargo xtask test`: every check of the project.

use std::process::Command;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use miette::{Result, bail};

use crate::paths::repository;
use crate::process::{cargo, run};
use crate::report::print_error;
use crate::tools::Tool;
use crate::{docs, fuzz, nix_versions, peers, plugins, wit};

/// Check everything, with the real peers
///
/// Installs Nix in three versions, two registries, both cosigns, skopeo, umoci and a Docker daemon where they are
/// missing, and runs all tests against them. That needs root on Debian; `--no-peers` does the rest anywhere.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Run this part only (can be repeated)
    #[arg(long, value_name = "PART", value_enum)]
    only: Vec<Part>,

    /// Leave out what needs the peers: the tests with three versions of Nix, the end-to-end
    /// tests, and the rebuild of the default plugins
    #[arg(long)]
    no_peers: bool,
}

/// A part of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The frozen contract, formatting, clippy, documentation and its book, dependencies
    Lint,
    /// The hermetic tests of the workspace
    Unit,
    /// Ten seconds of each fuzz target
    Fuzz,
    /// The guest plugins: their tests, and whether the committed components match their sources
    Plugins,
    /// The tests of the Nix driver with three versions of Nix
    Nix,
    /// The end-to-end tests with the real peers
    E2e,
}

const PARTS: [Part; 6] = [Part::Lint, Part::Unit, Part::Fuzz, Part::Plugins, Part::Nix, Part::E2e];

const CARGO_DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2", options: &[] };

/// Runs the parts, all of them even when one fails, and says at the end which did.
pub(crate) fn test(args: &TestArgs) -> Result<()> {
    let chosen = |part: &Part| {
        let is_wanted = args.only.is_empty() || args.only.contains(part);
        is_wanted && !(args.no_peers && matches!(part, Part::Nix | Part::E2e))
    };
    let mut results = Vec::new();
    for part in PARTS.into_iter().filter(chosen) {
        let name = name(part);
        println!("\n== {name}");
        let start = Instant::now();
        let result = match part {
            Part::Lint => lint(),
            Part::Unit => run(cargo(&["test", "--workspace", "--no-fail-fast"]).env("INSTA_UPDATE", "no")),
            Part::Fuzz => fuzz::fuzz(&fuzz::FuzzArgs::default()),
            Part::Plugins => test_plugins(!args.no_peers),
            Part::Nix => peers::install().and_then(|peers| nix_versions::test(&peers)),
            Part::E2e => end_to_end(),
        };
        if let Err(report) = &result {
            print_error(report);
        }
        results.push((name, start.elapsed(), result.is_ok()));
    }
    summarise(&results)
}

fn name(part: Part) -> String {
    part.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

fn summarise(results: &[(String, Duration, bool)]) -> Result<()> {
    println!();
    for (name, time, passed) in results {
        let verdict = if *passed { "passed" } else { "FAILED" };
        println!("{name:<8} {verdict} in {} s", time.as_secs());
    }
    let failed: Vec<_> =
        results.iter().filter(|(_, _, passed)| !passed).map(|(name, ..)| name.as_str()).collect();
    if failed.is_empty() {
        return Ok(());
    }
    bail!(
        help = format!("`cargo xtask test --only {}` repeats it alone", failed[0]),
        "{} of {} parts failed: {}",
        failed.len(),
        results.len(),
        failed.join(", ")
    )
}

// Commands for the host workspace always say `--workspace`: naming single packages would choose other features for their
// dependencies and build wasmtime again.

fn lint() -> Result<()> {
    wit::check()?;
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    run(&mut cargo(&["fmt", "--all", "--check", "--manifest-path", "plugins/Cargo.toml"]))?;
    run(&mut cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--features",
        "seed/peers,seed-nix/live",
        "--",
        "-D",
        "warnings",
    ]))?;
    let plugins = ["clippy", "--locked", "--all-targets", "--manifest-path", "plugins/Cargo.toml"];
    run(cargo(&plugins).args(["--", "-D", "warnings"]))?;
    run(cargo(&["doc", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    docs::build()?;
    // Advisories need a database from the network: a scheduled job checks them.
    let deny = CARGO_DENY.ensure()?;
    for manifest in ["Cargo.toml", "plugins/Cargo.toml"] {
        run(Command::new(&deny)
            .current_dir(repository())
            .args(["--manifest-path", manifest, "--all-features", "--config"])
            .arg(repository().join("deny.toml"))
            .args(["check", "bans", "licenses", "sources"]))?;
    }
    Ok(())
}

fn test_plugins(with_reference_toolchain: bool) -> Result<()> {
    run(&mut cargo(&["test", "--locked", "--manifest-path", "plugins/Cargo.toml"]))?;
    if with_reference_toolchain {
        plugins::check_prebuilt()?;
    }
    Ok(())
}

fn end_to_end() -> Result<()> {
    let directory = peers::install()?;
    run(cargo(&["test", "--workspace", "--features", "seed/peers", "--test", "e2e"])
        .env(peers::PEERS_VARIABLE, directory)
        .env("INSTA_UPDATE", "no"))
}
