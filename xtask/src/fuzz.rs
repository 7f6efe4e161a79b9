//! `cargo xtask fuzz`: the fuzz targets, for as long as it is told.

use clap::Args;
use miette::Result;

use crate::process::{cargo, run};

/// How long each target runs, in seconds.
const SECONDS: u64 = 10;

/// Run the fuzz targets on stable Rust
///
/// Each target reads its seeds in tests/fuzz/seeds and mutations of them; one target per core at a time. An input that
/// makes a target panic, or that takes ten seconds, is kept in the temporary directory.
#[derive(Debug, Args)]
pub(crate) struct FuzzArgs {
    /// Targets, such as `manifest` [default: all]
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,

    /// How long each target runs
    #[arg(long, value_name = "SECONDS", default_value_t = SECONDS)]
    seconds: u64,

    /// Which mutations: the same number gives the same ones
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    start: u64,
}

impl Default for FuzzArgs {
    fn default() -> Self {
        Self { targets: Vec::new(), seconds: SECONDS, start: 0 }
    }
}

/// Runs the targets, all of them even when one fails.
pub(crate) fn fuzz(args: &FuzzArgs) -> Result<()> {
    let mut command = cargo(&["test", "--workspace", "--test", "fuzz", "--", "--nocapture"]);
    if !args.targets.is_empty() {
        command.arg("--exact").args(&args.targets);
    }
    run(command
        .env("SEED_FUZZ_SECONDS", args.seconds.to_string())
        .env("SEED_FUZZ_START", args.start.to_string()))
}
