//! The tests of `host/nix` with real Nix, in three versions: this machine's, and those of the Debian roots.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use miette::{IntoDiagnostic, Result, bail};

use crate::machine;
use crate::paths::repository;
use crate::process::run;

/// Test programs of `seed-nix` that need a Nix that can build.
const TESTS: [&str; 3] = ["library", "live", "mkseed"];

/// The scripts of the peers that run a command in a root which has another Nix.
const ROOTS: [&str; 2] = ["in-trixie", "in-forky"];

/// Runs the tests on this machine, then in each root. `peers` is the directory of the peers.
pub(crate) fn test(peers: &Path) -> Result<()> {
    let programs = build()?;
    for program in &programs {
        run(with_environment(Command::new(program)).env("NIX_CONFIG", machine::nix_config()))?;
    }
    for root in ROOTS {
        for program in &programs {
            let mut command = Command::new(peers.join(root));
            command.arg(repository()).arg(program);
            run(with_environment(command).env("NIX_CONFIG", machine::nix_config()))?;
        }
    }
    Ok(())
}

fn with_environment(mut command: Command) -> Command {
    // There is no cargo in the roots that could tell where the workspace is.
    command.env("INSTA_UPDATE", "no").env("INSTA_WORKSPACE_ROOT", repository());
    command
}

/// Compiles the tests; gives the programs.
fn build() -> Result<Vec<PathBuf>> {
    let mut command = Command::new("cargo");
    command.current_dir(repository()).args([
        "test",
        "--workspace",
        "--features",
        "seed-nix/live",
        "--no-run",
    ]);
    command.arg("--message-format=json-render-diagnostics");
    for test in TESTS {
        command.args(["--test", test]);
    }
    let output = command.stderr(Stdio::inherit()).output().into_diagnostic()?;
    if !output.status.success() {
        bail!("the tests of host/nix do not compile");
    }
    let messages = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<serde_json::Value>();
    let mut programs = Vec::new();
    for message in messages {
        let message = message.into_diagnostic()?;
        let is_wanted = TESTS.iter().any(|test| message["target"]["name"] == *test);
        if let (true, Some(path)) = (is_wanted, message["executable"].as_str()) {
            programs.push(PathBuf::from(path));
        }
    }
    if programs.len() != TESTS.len() {
        bail!("cargo listed {} test programs, expected {}", programs.len(), TESTS.len());
    }
    Ok(programs)
}
