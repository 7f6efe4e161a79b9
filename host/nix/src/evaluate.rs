//! Attributes of a flake to derivations: nothing is built.

use std::collections::BTreeMap;

use seed_model::Installable;
use serde::Deserialize;

use crate::command::Outcome;
use crate::events::Observer;
use crate::{FlakeInfo, Nix, NixError, attribute};

/// An output that can be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluated {
    /// The attribute that was asked for.
    pub attribute: String,
    /// The store path of the derivation.
    pub derivation: String,
    /// The name of the output.
    pub output: String,
    /// The store path of the output, which need not exist yet.
    pub path: String,
}

/// A derivation, as `evaluate.nix` describes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Derivation {
    drv_path: String,
    /// The output that stands for the derivation itself.
    output: String,
    outputs: Vec<Output>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Output {
    name: String,
    path: String,
}

/// What stands at an attribute path.
#[derive(Deserialize)]
#[serde(untagged)]
enum Found {
    Derivation(Derivation),
    Other { kind: String },
}

/// Derivations that are known: evaluation is a pure function of the sources, the system and the attribute.
pub(crate) type Memo = BTreeMap<MemoKey, Derivation>;
type MemoKey = (String, Option<String>, String, String);

const EXPRESSION: &str = include_str!("evaluate.nix");
/// The answer for one attribute takes a few hundred bytes.
const MAX_OUTPUT: u64 = 16 * 1024 * 1024;

impl Nix {
    /// The outputs of the derivation at `attribute`, in its own order: for a split derivation the layers.
    ///
    /// `attribute` is looked for as `nix build` does it: in `packages.<system>`, in `legacyPackages.<system>`, and
    /// as it stands.
    pub fn outputs(
        &self,
        flake: &FlakeInfo,
        system: &str,
        attribute: &str,
        observer: &dyn Observer,
    ) -> Result<Vec<String>, NixError> {
        let derivations = self.derivations(flake, system, &[attribute], observer)?;
        Ok(derivations.into_iter().flat_map(|d| d.outputs).map(|output| output.name).collect())
    }

    /// Evaluates installables to outputs, in the same order; those in one set of packages in one call of Nix.
    pub fn evaluate(
        &self,
        flake: &FlakeInfo,
        system: &str,
        installables: &[Installable],
        observer: &dyn Observer,
    ) -> Result<Vec<Evaluated>, NixError> {
        let attributes: Vec<&str> = installables.iter().map(|i| i.attribute.as_str()).collect();
        let derivations = self.derivations(flake, system, &attributes, observer)?;
        installables
            .iter()
            .zip(derivations)
            .map(|(installable, derivation)| select(installable, derivation))
            .collect()
    }

    fn derivations(
        &self,
        flake: &FlakeInfo,
        system: &str,
        attributes: &[&str],
        observer: &dyn Observer,
    ) -> Result<Vec<Derivation>, NixError> {
        attribute::check_system(system)?;
        let key = |attribute: &str| {
            (flake.url.clone(), flake.nar_hash.clone(), system.to_owned(), attribute.to_owned())
        };
        let memo = || self.memo.lock().unwrap_or_else(std::sync::PoisonError::into_inner);

        let mut unknown: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for name in attributes {
            if !memo().contains_key(&key(name)) {
                unknown.insert(name, attribute::parse(name)?);
            }
        }
        for place in [format!("packages.{system}"), format!("legacyPackages.{system}"), String::new()] {
            for (at, names) in group(&place, &unknown) {
                for (name, found) in self.ask(flake, &at, &names, observer)? {
                    memo().insert(key(name), derivation(flake, name, found)?);
                }
            }
            unknown.retain(|name, _| !memo().contains_key(&key(name)));
        }
        if let Some(missing) = unknown.keys().next() {
            return Err(self.no_attribute(flake, system, missing, observer));
        }
        let memo = memo();
        Ok(attributes.iter().filter_map(|name| memo.get(&key(name)).cloned()).collect())
    }

    /// What stands at the paths `names` below the attribute `at`; nothing where there is no `at`.
    fn ask<'a>(
        &self,
        flake: &FlakeInfo,
        at: &str,
        names: &[(&'a str, &[String])],
        observer: &dyn Observer,
    ) -> Result<Vec<(&'a str, Found)>, NixError> {
        let list = |parts: &[String]| {
            parts.iter().map(|part| attribute::nix_string(part)).collect::<Vec<_>>().join(" ")
        };
        let paths: Vec<String> = names.iter().map(|(_, path)| format!("[ {} ]", list(path))).collect();
        let apply = format!("({EXPRESSION}) [ {} ]", paths.join(" "));
        let Some(json) =
            self.eval(flake, at, &apply, &names.iter().map(|(name, _)| *name).collect::<Vec<_>>(), observer)?
        else {
            return Ok(Vec::new());
        };
        let answers: Vec<Option<Found>> =
            serde_json::from_slice(&json).map_err(|e| malformed(at, &e.to_string()))?;
        if answers.len() != names.len() {
            return Err(malformed(at, "the number of answers is wrong"));
        }
        Ok(names.iter().zip(answers).filter_map(|((name, _), answer)| Some((*name, answer?))).collect())
    }

    /// `nix eval` of one attribute; `None` where the flake does not have it.
    fn eval(
        &self,
        flake: &FlakeInfo,
        at: &str,
        apply: &str,
        attributes: &[&str],
        observer: &dyn Observer,
    ) -> Result<Option<Vec<u8>>, NixError> {
        let outcome = self
            .nix(&["eval", "--json"], MAX_OUTPUT)
            .args([format!("{}#{at}", flake.url)])
            .quiet_args(["--no-update-lock-file", "--apply", apply])
            .dir(&flake.dir)
            .run(observer)?;
        if outcome.status.success() {
            return Ok(Some(outcome.stdout));
        }
        if outcome.message().starts_with("flake '")
            && outcome.message().contains("' does not provide attribute '")
        {
            return Ok(None);
        }
        Err(evaluation_error(flake, attributes, &outcome))
    }

    /// The error for an attribute that is not there, with names that are like it.
    fn no_attribute(
        &self,
        flake: &FlakeInfo,
        system: &str,
        missing: &str,
        observer: &dyn Observer,
    ) -> NixError {
        let names = |at: &str| {
            // Only for a hint: where this fails there is none.
            let json = self.eval(
                flake,
                at,
                "set: if builtins.isAttrs set then builtins.attrNames set else []",
                &[],
                observer,
            );
            json.ok()
                .flatten()
                .and_then(|json| serde_json::from_slice::<Vec<String>>(&json).ok())
                .unwrap_or_default()
        };
        let mut near = attribute::near(missing, &names(&format!("packages.{system}")));
        if near.is_empty() {
            near = attribute::near(missing, &names(&format!("legacyPackages.{system}")));
        }
        NixError::NoAttribute {
            reference: flake.reference.clone(),
            attribute: missing.to_owned(),
            system: system.to_owned(),
            near,
        }
    }
}

/// The attribute paths to ask for at `place`. The flake's outputs themselves cannot be asked for, so paths that
/// start there are grouped by their first part.
fn group<'a, 'b>(
    place: &str,
    unknown: &'b BTreeMap<&'a str, Vec<String>>,
) -> BTreeMap<String, Vec<(&'a str, &'b [String])>> {
    let mut groups: BTreeMap<String, Vec<(&str, &[String])>> = BTreeMap::new();
    for (name, path) in unknown {
        let (at, rest) = match path.split_first() {
            Some((first, rest)) if place.is_empty() => (format!("\"{first}\""), rest),
            _ => (place.to_owned(), path.as_slice()),
        };
        groups.entry(at).or_default().push((name, rest));
    }
    groups
}

fn derivation(flake: &FlakeInfo, attribute: &str, found: Found) -> Result<Derivation, NixError> {
    match found {
        // The path of a content-addressed output is a placeholder that does not begin with the store's directory.
        Found::Derivation(d) if d.outputs.iter().any(|o| !same_directory(&o.path, &d.drv_path)) => {
            Err(NixError::ContentAddressed { attribute: attribute.to_owned() })
        }
        Found::Derivation(derivation) => Ok(derivation),
        Found::Other { kind } => Err(NixError::NotADerivation {
            reference: flake.reference.clone(),
            attribute: attribute.to_owned(),
            kind,
        }),
    }
}

fn same_directory(a: &str, b: &str) -> bool {
    a.rsplit_once('/').map(|(dir, _)| dir) == b.rsplit_once('/').map(|(dir, _)| dir)
}

fn select(installable: &Installable, derivation: Derivation) -> Result<Evaluated, NixError> {
    let wanted = installable.output.as_ref().unwrap_or(&derivation.output);
    let Some(output) = derivation.outputs.iter().find(|output| output.name == *wanted) else {
        return Err(NixError::NoOutput {
            attribute: installable.attribute.clone(),
            output: wanted.clone(),
            outputs: derivation.outputs.into_iter().map(|output| output.name).collect(),
        });
    };
    Ok(Evaluated {
        attribute: installable.attribute.clone(),
        output: output.name.clone(),
        path: output.path.clone(),
        derivation: derivation.drv_path,
    })
}

fn evaluation_error(flake: &FlakeInfo, attributes: &[&str], outcome: &Outcome) -> NixError {
    let message = outcome.message();
    let reference = flake.reference.clone();
    let attributes = attributes.iter().map(|&name| name.to_owned()).collect();
    if message.contains("'allow-import-from-derivation' is disabled") {
        let derivation = message.split("cannot build '").nth(1).and_then(|rest| rest.split('\'').next());
        let derivation = derivation.unwrap_or("a derivation").to_owned();
        return NixError::ImportFromDerivation { reference, attributes, derivation };
    }
    NixError::Evaluation { reference, attributes, message }
}

fn malformed(at: &str, problem: &str) -> NixError {
    NixError::Malformed { command: format!("nix eval --json …#{at}"), problem: problem.to_owned() }
}
