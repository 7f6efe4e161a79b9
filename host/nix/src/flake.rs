//! Flake references, and what they point at now.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cause::{explain, fetch_error};
use crate::command::Outcome;
use crate::error::NixError;
use crate::events::Observer;
use crate::nix::Nix;
use crate::text;

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
        "put the attribute into `source.attr`"
    } else if reference.chars().any(char::is_control) {
        "it contains a control character"
    } else {
        return Ok(());
    };
    Err(NixError::Invalid { value: text::shorten(reference), kind: "flake reference", problem })
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

/// What Nix says if there is no flake: in another directory, in this one, in this one within a git repository.
const MISSING: [&str; 6] = [
    "does not exist",
    "No such file or directory",
    "not a flake",
    "does not contain a 'flake.nix'",
    "could not find a flake.nix file",
    "is not part of a flake",
];

/// Tells apart, by Nix's words, what the user has to do.
fn flake_error(reference: &str, outcome: &Outcome) -> NixError {
    let reference = reference.to_owned();
    let message = explain(&outcome.message());
    let cause = message.lines().next().unwrap_or_default().to_owned();
    let is_missing = MISSING.iter().any(|text| cause.contains(text));
    if cause.contains("'--no-update-lock-file'") {
        NixError::Unlocked { reference, message: cause }
    } else if let Some(error) = fetch_error(&reference, &message) {
        error
    } else if is_missing {
        NixError::NoFlake { reference, message: cause }
    } else if message.contains("\nat ") || message.contains("\n  at ") || message.contains("syntax error") {
        NixError::Evaluation { reference, attributes: Vec::new(), message }
    } else {
        NixError::Failed { message, command: outcome.command.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded;

    #[test]
    fn metadata_of_all_versions_is_read() {
        for version in recorded::VERSIONS {
            let info =
                parse(&recorded::read(version, "metadata.json"), "path:./flake", Path::new("/home/user"))
                    .unwrap();
            assert_eq!(info.path, "/nix/store/y7jgbywnjcc8zfk34xq63m6yhij5z0na-source", "{version}");
            assert_eq!(
                info.nar_hash.as_deref(),
                Some("sha256-KwU/qQX84MjuecNywQPEKVoN9VRQQFUT7FM6FzDu098="),
                "{version}"
            );
            assert!(
                info.url.starts_with("path:") && info.url.contains("narHash="),
                "{version}: {}",
                info.url
            );
            assert_eq!(
                (info.dirty, info.revision, info.last_modified),
                (false, None, Some(1_795_300_877)),
                "{version}"
            );
        }
    }

    #[test]
    fn a_git_tree_is_clean_or_dirty() {
        let clean = br#"{"url":"git+file:///src?rev=1234","path":"/nix/store/x-source","revision":"1234","lastModified":1,
            "locked":{"type":"git","narHash":"sha256-x","rev":"1234"}}"#;
        let info = parse(clean, ".", Path::new("/src")).unwrap();
        assert_eq!((info.dirty, info.revision.as_deref()), (false, Some("1234")));
        let dirty = br#"{"url":"git+file:///src","path":"/nix/store/x-source","locked":{"type":"git"},"dirtyRevision":"1234-dirty"}"#;
        let info = parse(dirty, ".", Path::new("/src")).unwrap();
        assert_eq!((info.dirty, info.revision), (true, None));
    }

    #[test]
    fn errors_of_all_versions_are_told_apart() {
        for version in recorded::VERSIONS {
            let error = |name: &str| flake_error("./x", &recorded::failure(version, name));
            let codes = ["empty", "missing", "none", "broken", "unlocked", "offline"]
                .map(|name| error(&format!("flake-{name}.log")).code());
            let expected = ["no-flake", "no-flake", "no-flake", "evaluation", "unlocked", "fetch"]
                .map(|name| format!("seed::nix::{name}"));
            assert_eq!(codes, expected, "{version}");
        }
        let error = |name: &str| flake_error("./x", &recorded::failure("2.34", name));
        insta::assert_snapshot!(error("flake-empty.log"), @"no flake at `./x`: path '/nix/store/0ccnxa25whszw7mgbgyzdm4nqc0zwnm8-source/flake.nix' does not exist");
        insta::assert_snapshot!(error("flake-missing.log"), @"no flake at `./x`: path '//home/user/project/missing' does not exist");
        insta::assert_snapshot!(error("flake-none.log"), @"no flake at `./x`: could not find a flake.nix file");
        insta::assert_snapshot!(error("flake-broken.log"), @r#"
        cannot evaluate flake `./x`: syntax error, unexpected end of file, expecting ';'
        at /nix/store/77jgwh3hqc568mf5dmpjnx2h3acsrgmv-source/flake.nix:2:1:
             1| { outputs = { self }: { x = 1
             2|
              | ^
        "#);
        insta::assert_snapshot!(error("flake-unlocked.log"), @"the lock file of flake `./x` is missing or out of date: flake 'path:/home/user/project/unlocked' requires lock file changes but they're not allowed due to '--no-update-lock-file'");
        insta::assert_snapshot!(error("flake-offline.log"), @"cannot fetch flake `./x` or one of its inputs: unable to download 'https://api.github.com/repos/owner/repo/commits/HEAD': Could not resolve hostname (6) Could not resolve host: api.github.com");
        insta::assert_snapshot!(error("flake-unlocked.log").help().unwrap(), @"run `nix flake lock` and commit `flake.lock`, which `seed` never changes");
    }

    #[test]
    fn references_cannot_be_options() {
        assert!(check_reference("github:owner/repo/main?dir=sub").is_ok());
        insta::assert_snapshot!(check_reference("--impure").unwrap_err(), @"invalid flake reference `--impure`: it begins with `-`");
        insta::assert_snapshot!(check_reference(".#seed").unwrap_err(), @"invalid flake reference `.#seed`: put the attribute into `source.attr`");
        assert!(check_reference("").is_err() && check_reference("a\nb").is_err());
    }
}
