//! Flake references, and what they point at now.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::command::Outcome;
use crate::events::Observer;
use crate::{Nix, NixError, attribute};

/// A flake whose reference was resolved and whose sources are in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlakeInfo {
    /// The reference as the user gave it.
    pub reference: String,
    /// The directory that relative references start from.
    pub dir: PathBuf,
    /// The resolved reference. Pinned by revision or NAR hash, except where [`FlakeInfo::dirty`] says that a git
    /// tree has changes that are in no commit.
    pub url: String,
    /// The store path of the sources, with all of the repository that the flake is part of.
    pub path: String,
    /// Digest of the sources: `sha256-` and base64.
    pub nar_hash: Option<String>,
    /// The commit, where the sources are exactly that commit.
    pub revision: Option<String>,
    /// Whether the sources are a git tree with changes that are in no commit.
    pub dirty: bool,
    /// When the sources changed, in Unix seconds. Of a git tree: the time of the last commit.
    pub last_modified: Option<u64>,
}

/// What `nix flake metadata --json` prints; each version adds fields, none was removed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    url: String,
    path: String,
    revision: Option<String>,
    last_modified: Option<u64>,
    locked: Locked,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Locked {
    #[serde(rename = "type")]
    kind: String,
    nar_hash: Option<String>,
}

/// The lock file of a large flake is part of the answer.
const MAX_OUTPUT: u64 = 16 * 1024 * 1024;

impl Nix {
    /// Resolves a flake reference, such as `.`, `path:./flake` or `github:owner/repo`, and copies its sources to
    /// the store. Relative references start from `dir`.
    ///
    /// `flake.lock` is read and never written: an entry that is missing or out of date is an error, since a build
    /// from sources that are pinned nowhere could not be repeated.
    pub fn flake(&self, reference: &str, dir: &Path, observer: &dyn Observer) -> Result<FlakeInfo, NixError> {
        check_reference(reference)?;
        let outcome = self
            .nix(&["flake", "metadata", "--json"], MAX_OUTPUT)
            .args([reference])
            .quiet_args(["--no-update-lock-file"])
            .dir(dir)
            .run(observer)?;
        if !outcome.status.success() {
            return Err(flake_error(reference, &outcome));
        }
        parse(&outcome.stdout, reference, dir)
    }
}

fn check_reference(reference: &str) -> Result<(), NixError> {
    let problem = if reference.is_empty() {
        "it is empty"
    } else if reference.len() > 4096 {
        "it is longer than 4096 bytes"
    } else if reference.starts_with('-') {
        "it begins with `-`"
    } else if reference.contains('#') {
        "give the attribute separately, as `source.attr`"
    } else if reference.chars().any(char::is_control) {
        "it holds a control character"
    } else {
        return Ok(());
    };
    Err(NixError::Invalid { value: attribute::shorten(reference), kind: "flake reference", problem })
}

fn parse(json: &[u8], reference: &str, dir: &Path) -> Result<FlakeInfo, NixError> {
    let metadata: Metadata = serde_json::from_slice(json).map_err(|e| NixError::Malformed {
        command: "nix flake metadata --json".to_owned(),
        problem: e.to_string(),
    })?;
    let revision = metadata.revision;
    Ok(FlakeInfo {
        reference: reference.to_owned(),
        dir: dir.to_owned(),
        url: metadata.url,
        path: metadata.path,
        nar_hash: metadata.locked.nar_hash,
        dirty: metadata.locked.kind == "git" && revision.is_none(),
        revision,
        last_modified: metadata.last_modified,
    })
}

fn flake_error(reference: &str, outcome: &Outcome) -> NixError {
    const MISSING: [&str; 5] = [
        "flake.nix' does not exist",
        "flake.nix': No such file or directory",
        "does not contain a 'flake.nix'",
        "could not find a flake.nix",
        "getting status of",
    ];
    const UNLOCKED: [&str; 2] = ["--no-update-lock-file", "lock file"];
    let message = outcome.message();
    let reference = reference.to_owned();
    let last = message.rsplit("\n\n").next().unwrap_or(&message);
    let last = last.trim_start_matches("error: ");
    let is_missing = last.starts_with("path '") && last.ends_with("does not exist");
    if is_missing || MISSING.iter().any(|text| last.contains(text)) {
        return NixError::NoFlake { reference, message: last.to_owned() };
    }
    if UNLOCKED.iter().any(|text| last.contains(text)) {
        return NixError::Unlocked { reference, message: last.to_owned() };
    }
    if message.contains("syntax error") || message.contains("\nat ") || message.contains("\n  at ") {
        return NixError::Evaluation { reference, attributes: Vec::new(), message };
    }
    NixError::Failed { message, command: outcome.command.clone() }
}
