//! Builds outputs, and keeps them from the garbage collector while they are used.

use std::collections::BTreeMap;

use tempfile::TempDir;

use crate::command::Outcome;
use crate::events::{Build, Observer, derivation_name};
use crate::{Evaluated, Nix, NixError};

/// Outputs that exist. They are safe from the garbage collector until this value is dropped.
#[derive(Debug)]
#[must_use = "the paths may be collected when this is dropped"]
pub struct Realised {
    /// The store paths, in the order of the request.
    pub paths: Vec<String>,
    /// The links that are the roots. Nix forgets a root when its link is gone, so a run that is killed leaves a
    /// directory among the temporary files and nothing else.
    _roots: TempDir,
}

/// Prints one path per output.
const MAX_OUTPUT: u64 = 16 * 1024 * 1024;

impl Nix {
    /// Builds outputs, or fetches them where substitution is on. Those that exist cost one call of `nix-store`.
    pub fn realise(&self, outputs: &[Evaluated], observer: &dyn Observer) -> Result<Realised, NixError> {
        let roots = tempfile::Builder::new().prefix("seed-roots-").tempdir().map_err(NixError::Roots)?;
        let mut wanted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for output in outputs {
            wanted.entry(&output.derivation).or_default().push(&output.output);
        }
        if !wanted.is_empty() {
            let outcome = self
                .nix_store(&["--realise"], MAX_OUTPUT)
                .args(wanted.iter().map(|(derivation, names)| format!("{derivation}!{}", names.join(","))))
                .quiet_args(["--indirect", "--add-root"])
                .quiet_args([roots.path().join("root")])
                .run(observer)?;
            if !outcome.status.success() {
                return Err(build_error(outcome));
            }
        }
        Ok(Realised { paths: outputs.iter().map(|output| output.path.clone()).collect(), _roots: roots })
    }
}

/// Finds the derivation that failed first: the first error that names one.
fn build_error(outcome: Outcome) -> NixError {
    let builds: Vec<&Build> = outcome.log.builds().collect();
    for message in &outcome.log.errors {
        let Some(derivation) = quoted_derivation(message) else { continue };
        let name = derivation_name(derivation).to_owned();
        if message.contains("is required to build '") || message.contains("platform mismatch") {
            return NixError::System { name, reason: one_line(message) };
        }
        if let Some(build) = builds.iter().find(|build| build.derivation == derivation) {
            return NixError::Builder {
                name,
                derivation: derivation.to_owned(),
                reason: reason(message, derivation),
                log: build.log.iter().cloned().collect(),
            };
        }
    }
    NixError::Failed { message: outcome.message(), command: outcome.command }
}

/// The first store path of a derivation in quotation marks.
fn quoted_derivation(message: &str) -> Option<&str> {
    message.split(['\'', '"']).find(|part| part.starts_with('/') && part.ends_with(".drv"))
}

/// `builder failed with exit code 3` from the wordings of the versions.
fn reason(message: &str, derivation: &str) -> String {
    let since_2_31 = message.lines().find_map(|line| line.trim().strip_prefix("Reason: "));
    let before = || message.lines().next()?.strip_prefix(&format!("builder for '{derivation}' "));
    match since_2_31 {
        Some(reason) => reason.trim_end_matches('.').to_owned(),
        None => before().map_or_else(
            || one_line(message),
            // Lines of the log follow after a semicolon; the caller has more of them.
            |rest| format!("builder {}", rest.split(';').next().unwrap_or(rest).trim_end_matches('.')),
        ),
    }
}

fn one_line(message: &str) -> String {
    message.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
