//! What a build seed holds besides the layers: the sources of a flake, and what building one of its packages takes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use crate::closure::batches;
use crate::derivation::{EvaluatedValue, Target};
use crate::error::NixError;
use crate::events::Observer;
use crate::flake::FlakeInfo;
use crate::nix::Nix;

/// Packages of nixpkgs that building and developing take although no derivation of a flake need name them: small
/// helpers are built with either `stdenv`, and `nix develop` starts `bashInteractive`.
const ENVIRONMENT: [&str; 3] = ["stdenv", "stdenvNoCC", "bashInteractive"];
/// The input that `nix develop` takes its shell from.
const NIXPKGS: &str = "nixpkgs";
/// The sources of a hundred thousand inputs, or as many store paths.
const MAX_OUTPUT: u64 = 16 * 1024 * 1024;

/// What `nix flake archive --json` prints.
#[derive(Debug, Default, Deserialize)]
struct Archived {
    /// None if the sources are part of those of another flake.
    path: Option<String>,
    #[serde(default)]
    inputs: BTreeMap<String, Self>,
}

impl Archived {
    fn paths(&self, into: &mut BTreeSet<String>) {
        into.extend(self.path.clone());
        self.inputs.values().for_each(|input| input.paths(into));
    }
}

impl Nix {
    /// The sources of the flake and of all its inputs, which are fetched if they are missing.
    pub(crate) fn flake_inputs(
        &self,
        flake: &FlakeInfo,
        observer: &dyn Observer,
    ) -> Result<Vec<Target>, NixError> {
        let mut paths = BTreeSet::new();
        self.archive(flake, observer)?.paths(&mut paths);
        Ok(paths.into_iter().map(Target::Path).collect())
    }

    /// What building `derivation` takes: all outputs of the derivations that it is directly built from, and its
    /// sources. Also the [`ENVIRONMENT`] of the flake's nixpkgs, as far as there is one.
    pub(crate) fn build_inputs(
        &self,
        flake: &FlakeInfo,
        system: &str,
        derivation: &str,
        observer: &dyn Observer,
    ) -> Result<Vec<Target>, NixError> {
        let references = self.query("--references", &[derivation], observer)?;
        let (derivations, sources): (Vec<_>, Vec<_>) =
            references.into_iter().partition(|path| Path::new(path).extension().is_some_and(|e| e == "drv"));
        let mut targets: Vec<_> = sources.into_iter().map(Target::Path).collect();
        if !derivations.is_empty() {
            let paths = self.query("--outputs", &derivations, observer)?;
            targets.push(Target::AllOutputs { derivations, paths });
        }
        targets.extend(self.environment(flake, system, observer)?);
        Ok(targets)
    }

    fn archive(&self, flake: &FlakeInfo, observer: &dyn Observer) -> Result<Archived, NixError> {
        let output = self
            .nix(&["flake", "archive", "--json"], MAX_OUTPUT)
            .args([&flake.url])
            .quiet_args(["--no-update-lock-file"])
            .dir(&flake.dir)
            .run(observer)?
            .success()?;
        serde_json::from_slice(&output).map_err(|e| NixError::Malformed {
            command: "nix flake archive --json".to_owned(),
            problem: e.to_string(),
        })
    }

    /// `nix-store --query`, for store paths that exist. Prints one path per line.
    fn query<T: AsRef<str>>(
        &self,
        what: &str,
        paths: &[T],
        observer: &dyn Observer,
    ) -> Result<Vec<String>, NixError> {
        let mut found = Vec::new();
        for batch in batches(paths) {
            let query = self.nix_store(&["--query", what], MAX_OUTPUT).quiet_args(batch);
            let output = query.run(observer)?.success()?;
            found.extend(String::from_utf8_lossy(&output).lines().map(str::to_owned));
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    fn environment(
        &self,
        flake: &FlakeInfo,
        system: &str,
        observer: &dyn Observer,
    ) -> Result<Vec<Target>, NixError> {
        let archived = self.archive(flake, observer)?;
        let Some(path) = archived.inputs.get(NIXPKGS).and_then(|input| input.path.as_ref()) else {
            return Ok(Vec::new());
        };
        let nixpkgs = match self.flake(&format!("path:{path}"), &flake.dir, observer) {
            Ok(nixpkgs) => nixpkgs,
            // An input with `flake = false`.
            Err(NixError::NoFlake { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let names = ENVIRONMENT.map(|name| (name, vec![name.to_owned()]));
        let names: Vec<_> = names.iter().map(|(name, path)| (*name, path.as_slice())).collect();
        let at = format!("legacyPackages.{system}");
        let found = self.ask(&nixpkgs, system, &at, &names, observer)?;
        let target = |(_, found)| match found {
            EvaluatedValue::Derivation(derivation) => derivation.default_output(),
            EvaluatedValue::Other { .. } => None,
        };
        Ok(found.into_iter().filter_map(target).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_all_inputs_are_found_once() {
        let json = r#"{"path": "/nix/store/a", "inputs": {
            "one": {"path": "/nix/store/b", "inputs": {"two": {"path": "/nix/store/c", "inputs": {}}}},
            "two": {"path": "/nix/store/c"}, "part": {"path": null, "inputs": {}}}}"#;
        let mut paths = BTreeSet::new();
        serde_json::from_str::<Archived>(json).unwrap().paths(&mut paths);
        assert_eq!(paths.into_iter().collect::<Vec<_>>(), ["/nix/store/a", "/nix/store/b", "/nix/store/c"]);
    }
}
