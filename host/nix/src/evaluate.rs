//! Attributes of a flake to derivations: nothing is built.

use std::collections::BTreeMap;

use seed_model::{Installable, Part, Platform};
use serde::Deserialize;

use crate::command::Outcome;
use crate::events::Observer;
use crate::flake::fetch_error;
use crate::{FlakeInfo, Nix, NixError, Version, attribute};

/// What an installable stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluated {
    /// The attribute that was asked for.
    pub attribute: String,
    /// What to realise: one output of a derivation, or all that [`Part::BuildInputs`] and [`Part::FlakeInputs`] name.
    pub targets: Vec<Target>,
}

/// Something that can be realised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An output of a derivation.
    Output {
        /// The store path of the derivation.
        derivation: String,
        /// The name of the output.
        output: String,
        /// The store path of the output, which need not exist yet.
        path: String,
    },
    /// Every output of some derivations.
    AllOutputs {
        /// The store paths of the derivations.
        derivations: Vec<String>,
        /// The store paths of the outputs.
        paths: Vec<String>,
    },
    /// Sources, which exist.
    Path(String),
}

impl Target {
    /// The store paths, sorted where they are several.
    pub fn paths(&self) -> &[String] {
        match self {
            Self::Output { path, .. } | Self::Path(path) => std::slice::from_ref(path),
            Self::AllOutputs { paths, .. } => paths,
        }
    }
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

impl Derivation {
    /// The output of this name, if there is one.
    fn output(&self, name: &str) -> Option<Target> {
        let output = self.outputs.iter().find(|output| output.name == name)?;
        Some(Target::Output {
            derivation: self.drv_path.clone(),
            output: output.name.clone(),
            path: output.path.clone(),
        })
    }

    /// The output that stands for the derivation itself.
    pub(crate) fn default_output(&self) -> Option<Target> {
        self.output(&self.output)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Output {
    name: String,
    path: String,
}

/// What stands at an attribute path.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Found {
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

    /// Evaluates installables, in the same order; those in one set of packages in one call of Nix.
    pub fn evaluate(
        &self,
        flake: &FlakeInfo,
        system: &str,
        installables: &[Installable],
        observer: &dyn Observer,
    ) -> Result<Vec<Evaluated>, NixError> {
        let of_packages = installables.iter().filter(|installable| installable.part != Part::FlakeInputs);
        let attributes: Vec<&str> = of_packages.map(|i| i.attribute.as_str()).collect();
        let mut derivations = self.derivations(flake, system, &attributes, observer)?.into_iter();
        let mut evaluated = Vec::with_capacity(installables.len());
        for Installable { attribute, part } in installables {
            let targets = if *part == Part::FlakeInputs {
                self.flake_inputs(flake, observer)?
            } else {
                let derivation = derivations.next().expect("one for each installable of a package");
                match part {
                    Part::BuildInputs => self.build_inputs(flake, system, &derivation.drv_path, observer)?,
                    Part::Output(output) => vec![select(attribute, output, &derivation)?],
                    _ => vec![select(attribute, &derivation.output, &derivation)?],
                }
            };
            evaluated.push(Evaluated { attribute: attribute.clone(), targets });
        }
        Ok(evaluated)
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
                for (name, found) in self.ask(flake, system, &at, &names, observer)? {
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
    pub(crate) fn ask<'a>(
        &self,
        flake: &FlakeInfo,
        system: &str,
        at: &str,
        names: &[(&'a str, &[String])],
        observer: &dyn Observer,
    ) -> Result<Vec<(&'a str, Found)>, NixError> {
        let list = |parts: &[String]| {
            parts.iter().map(|part| attribute::nix_string(part)).collect::<Vec<_>>().join(" ")
        };
        let paths: Vec<String> = names.iter().map(|(_, path)| format!("[ {} ]", list(path))).collect();
        let apply = format!("({EXPRESSION}) [ {} ]", paths.join(" "));
        let attributes: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        let Some(json) = self.eval(flake, system, at, &apply, &attributes, observer)? else {
            return Ok(Vec::new());
        };
        let answers: Vec<Option<Found>> =
            serde_json::from_slice(&json).map_err(|e| malformed(at, &e.to_string()))?;
        if answers.len() != names.len() {
            return Err(malformed(at, "the number of answers is wrong"));
        }
        Ok(names.iter().zip(answers).filter_map(|((name, _), answer)| Some((*name, answer?))).collect())
    }

    /// `nix eval` of one attribute, for `system`; `None` where the flake does not have it.
    pub(crate) fn eval(
        &self,
        flake: &FlakeInfo,
        system: &str,
        at: &str,
        apply: &str,
        attributes: &[&str],
        observer: &dyn Observer,
    ) -> Result<Option<Vec<u8>>, NixError> {
        let outcome = self
            .nix(&["eval", "--json"], MAX_OUTPUT)
            .args([format!("{}#{at}", flake.url)])
            .quiet_args(["--no-update-lock-file", "--apply", apply])
            .quiet_args(self.trace_option())
            .quiet_args(system_option(system))
            .dir(&flake.dir)
            .run(observer)?;
        if outcome.status.success() {
            return Ok(Some(outcome.stdout));
        }
        if is_missing_attribute(&outcome) {
            return Ok(None);
        }
        Err(evaluation_error(flake, attributes, &outcome))
    }

    /// All frames of a trace, for [`explain`] to choose from. Before 2.20 the frames follow the cause and are many.
    fn trace_option(&self) -> &'static [&'static str] {
        const CAUSE_LAST: Version = Version { major: 2, minor: 20 };
        if self.version() < CAUSE_LAST { &[] } else { &["--show-trace"] }
    }
}

/// Nix itself looks for every attribute in the packages of one system first, and that must be the one that is asked
/// for: else an image for another system would get this machine's packages. Said only where it differs, because
/// a daemon warns users that it does not trust of each option.
fn system_option(system: &str) -> Vec<&str> {
    if system == Platform::host_system() { Vec::new() } else { vec!["--option", "system", system] }
}

fn is_missing_attribute(outcome: &Outcome) -> bool {
    let message = outcome.message();
    message.starts_with("flake '") && message.contains("' does not provide attribute '")
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

fn select(attribute: &str, output: &str, derivation: &Derivation) -> Result<Target, NixError> {
    derivation.output(output).ok_or_else(|| NixError::NoOutput {
        attribute: attribute.to_owned(),
        output: output.to_owned(),
        outputs: derivation.outputs.iter().map(|output| output.name.clone()).collect(),
    })
}

fn evaluation_error(flake: &FlakeInfo, attributes: &[&str], outcome: &Outcome) -> NixError {
    let message = outcome.message();
    let reference = flake.reference.clone();
    let attributes = attributes.iter().map(|&name| name.to_owned()).collect();
    if message.contains("'allow-import-from-derivation' is disabled") {
        let derivation = message.split("cannot build '").nth(1).and_then(|rest| rest.split('\'').next());
        let derivation = derivation.unwrap_or("a derivation").trim_end_matches("^out").to_owned();
        return NixError::ImportFromDerivation { reference, attributes, derivation };
    }
    // The user's own file names instead of those of the copy in the store.
    let message = explain(&message).replace(&format!("{}/", flake.path), "");
    if let Some(error) = fetch_error(&reference, &message) {
        return error;
    }
    NixError::Evaluation { reference, attributes, message }
}

/// Puts the cause first, and after it the innermost frames of the trace that are the user's.
pub(crate) fn explain(message: &str) -> String {
    const FRAMES: usize = 3;
    let (trace, cause) = message.rsplit_once("\nerror: ").unwrap_or(("", message));
    // Frames without a place, and those of `evaluate.nix` (`«string»`), say nothing to the user.
    let is_theirs = |frame: &&str| frame.starts_with('…') && frame.contains(" /nix/store/");
    let frames: Vec<&str> = trace.split("\n\n").map(str::trim).filter(is_theirs).collect();
    let innermost = frames.into_iter().rev().take(FRAMES);
    let lines = std::iter::once(cause).chain(innermost).flat_map(str::lines);
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn malformed(at: &str, problem: &str) -> NixError {
    NixError::Malformed { command: format!("nix eval --json …#{at}"), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded;

    fn flake() -> FlakeInfo {
        FlakeInfo {
            reference: ".".to_owned(),
            dir: "/home/user/project".into(),
            url: "path:/home/user/project".to_owned(),
            path: "/nix/store/y7jgbywnjcc8zfk34xq63m6yhij5z0na-source".to_owned(),
            nar_hash: None,
            revision: None,
            dirty: false,
            last_modified: None,
        }
    }

    #[test]
    fn answers_are_read() {
        for version in recorded::VERSIONS {
            let answers: Vec<Option<Found>> =
                serde_json::from_slice(&recorded::read(version, "eval.json")).unwrap();
            let [Some(Found::Derivation(derivation)), None, Some(Found::Other { kind })] = &answers[..]
            else {
                panic!("{version}");
            };
            assert_eq!(derivation.drv_path, "/nix/store/lina7n473lai2vgds92gc4nc5dphlw27-seed.drv");
            assert_eq!(derivation.output, "base");
            let outputs: Vec<&str> = derivation.outputs.iter().map(|output| output.name.as_str()).collect();
            assert_eq!((outputs, kind.as_str()), (vec!["base", "apps"], "string"));
        }
    }

    #[test]
    fn an_error_of_the_flake_says_where() {
        let error =
            |version| evaluation_error(&flake(), &["wrong"], &recorded::failure(version, "eval-wrong.log"));
        insta::assert_snapshot!("wrong_2_8", error("2.8"));
        insta::assert_snapshot!("wrong_2_26", error("2.26"));
        insta::assert_snapshot!("wrong_2_34", error("2.34"));
        insta::assert_snapshot!(error("2.34").help().unwrap(), @"see the whole trace with: nix eval --show-trace '.#wrong'");
    }

    #[test]
    fn import_from_derivation_is_told_from_other_errors() {
        for version in recorded::VERSIONS {
            let error =
                evaluation_error(&flake(), &["imports"], &recorded::failure(version, "eval-imports.log"));
            let text = format!("{error}\n{}", error.help().unwrap());
            insta::allow_duplicates! { insta::assert_snapshot!(text, @r#"
            flake `.` (`imports`) builds `/nix/store/vcljscr9l5z1ls48zc4vyrh2caip31wp-generated.drv` while it is evaluated
            evaluation may not build, so that it stays fast and pure: commit the generated file, or allow it with the Nix option `allow-import-from-derivation = true`
            "#) };
        }
    }

    #[test]
    fn a_missing_attribute_is_told_from_other_errors() {
        for version in recorded::VERSIONS {
            assert!(is_missing_attribute(&recorded::failure(version, "eval-no-attribute.log")), "{version}");
            assert!(!is_missing_attribute(&recorded::failure(version, "eval-wrong.log")), "{version}");
        }
    }

    #[test]
    fn attributes_are_asked_for_in_as_few_calls_as_possible() {
        let path = |text: &str| attribute::parse(text).unwrap();
        let unknown =
            BTreeMap::from([("a", path("a")), ("lib.b", path("lib.b")), ("lib.c.d", path("lib.c.d"))]);
        let places = |place: &str| {
            group(place, &unknown)
                .into_iter()
                .map(|(at, names)| {
                    (at, names.into_iter().map(|(_, path)| path.join("/")).collect::<Vec<_>>())
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(
            places("packages.x"),
            [("packages.x".to_owned(), ["a", "lib/b", "lib/c/d"].map(String::from).into())]
        );
        assert_eq!(
            places(""),
            [
                ("\"a\"".to_owned(), vec![String::new()]),
                ("\"lib\"".to_owned(), ["b", "c/d"].map(String::from).into()),
            ]
        );
    }

    fn split() -> Derivation {
        let output = |name: &str| Output { name: name.to_owned(), path: format!("/nix/store/{name}") };
        Derivation {
            drv_path: "/nix/store/seed.drv".to_owned(),
            output: "base".to_owned(),
            outputs: vec![output("base"), output("apps")],
        }
    }

    #[test]
    fn the_output_is_the_one_asked_for() {
        assert_eq!(split().default_output().unwrap().paths(), ["/nix/store/base"]);
        assert_eq!(select("seed", "apps", &split()).unwrap().paths(), ["/nix/store/apps"]);
        let error = select("seed", "app", &split()).unwrap_err();
        insta::assert_snapshot!(error, @"`seed` has no output `app`; it has base, apps");
    }

    #[test]
    fn what_cannot_be_built_is_refused() {
        let mut floating = split();
        floating.outputs[0].path = "/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9".to_owned();
        let error = derivation(&flake(), "seed", Found::Derivation(floating)).unwrap_err();
        insta::assert_snapshot!(error, @"`seed` is a content-addressed derivation: its output paths are not known before it is built");
        let error = derivation(&flake(), "lib", Found::Other { kind: "set".to_owned() }).unwrap_err();
        insta::assert_snapshot!(error, @"attribute `lib` of flake `.` is not a derivation: it is a set");
    }
}
