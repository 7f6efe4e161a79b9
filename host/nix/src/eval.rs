//! `nix eval`: asks a flake for the values of attributes.

use seed_model::Platform;

use crate::attribute;
use crate::cause::{explain, fetch_error};
use crate::command::Outcome;
use crate::derivation::EvaluatedValue;
use crate::error::NixError;
use crate::events::Observer;
use crate::flake::FlakeInfo;
use crate::nix::Nix;
use crate::version::Version;

const EXPRESSION: &str = include_str!("evaluate.nix");
/// The answer for one attribute takes a few hundred bytes.
const MAX_OUTPUT: u64 = 16 * 1024 * 1024;

impl Nix {
    /// The values at the paths `names` below the attribute `at`; nothing if there is no `at`.
    pub(crate) fn ask<'a>(
        &self,
        flake: &FlakeInfo,
        system: &str,
        at: &str,
        names: &[(&'a str, &[String])],
        observer: &dyn Observer,
    ) -> Result<Vec<(&'a str, EvaluatedValue)>, NixError> {
        let list = |parts: &[String]| {
            parts.iter().map(|part| attribute::nix_string(part)).collect::<Vec<_>>().join(" ")
        };
        let paths: Vec<String> = names.iter().map(|(_, path)| format!("[ {} ]", list(path))).collect();
        let apply = format!("({EXPRESSION}) [ {} ]", paths.join(" "));
        let attributes: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        let Some(json) = self.eval(flake, system, at, &apply, &attributes, observer)? else {
            return Ok(Vec::new());
        };
        let answers: Vec<Option<EvaluatedValue>> =
            serde_json::from_slice(&json).map_err(|e| malformed(at, &e.to_string()))?;
        if answers.len() != names.len() {
            return Err(malformed(at, "wrong number of results"));
        }
        Ok(names.iter().zip(answers).filter_map(|((name, _), answer)| Some((*name, answer?))).collect())
    }

    /// `nix eval` of one attribute, for `system`; `None` if the flake does not have it.
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
    fn an_error_of_the_flake_says_where() {
        let error =
            |version| evaluation_error(&flake(), &["wrong"], &recorded::failure(version, "eval-wrong.log"));
        insta::assert_snapshot!("wrong_2_8", error("2.8"));
        insta::assert_snapshot!("wrong_2_26", error("2.26"));
        insta::assert_snapshot!("wrong_2_34", error("2.34"));
        insta::assert_snapshot!(error("2.34").help().unwrap(), @"run `nix eval --show-trace '.#wrong'` to see the whole trace");
    }

    #[test]
    fn import_from_derivation_is_told_from_other_errors() {
        for version in recorded::VERSIONS {
            let error =
                evaluation_error(&flake(), &["imports"], &recorded::failure(version, "eval-imports.log"));
            let text = format!("{error}\n{}", error.help().unwrap());
            insta::allow_duplicates! { insta::assert_snapshot!(text, @r#"
            evaluating flake `.` (`imports`) requires building `/nix/store/vcljscr9l5z1ls48zc4vyrh2caip31wp-generated.drv`
            commit the generated file, or allow builds during evaluation with the Nix option `allow-import-from-derivation = true`
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
}
