//! Derivations, as evaluation finds them, and what of them can be realised.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::NixError;

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
    /// The store paths, sorted if they are several.
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

    /// The output of this name, or else the one that stands for the derivation. `attribute` is where the derivation was
    /// found.
    pub(crate) fn select(&self, attribute: &str, name: Option<&str>) -> Result<Target, NixError> {
        let name = name.unwrap_or(&self.output);
        self.output(name).ok_or_else(|| NixError::NoOutput {
            attribute: attribute.to_owned(),
            output: name.to_owned(),
            outputs: self.output_names().map(str::to_owned).collect(),
        })
    }

    /// The store path of the derivation.
    pub(crate) fn path(&self) -> &str {
        &self.drv_path
    }

    /// The names of its outputs, in its own order.
    pub(crate) fn output_names(&self) -> impl Iterator<Item = &str> {
        self.outputs.iter().map(|output| output.name.as_str())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Output {
    name: String,
    path: String,
}

/// The value at an attribute path.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum EvaluatedValue {
    Derivation(Derivation),
    Other { kind: String },
}

impl EvaluatedValue {
    /// The derivation, if it is one that can be built to known paths. `reference` and `attribute` say where it was found.
    pub(crate) fn derivation(self, reference: &str, attribute: &str) -> Result<Derivation, NixError> {
        match self {
            // The path of a content-addressed output is a placeholder that does not begin with the store's directory.
            Self::Derivation(d) if d.outputs.iter().any(|o| !same_directory(&o.path, &d.drv_path)) => {
                Err(NixError::ContentAddressed { attribute: attribute.to_owned() })
            }
            Self::Derivation(derivation) => Ok(derivation),
            Self::Other { kind } => Err(NixError::NotADerivation {
                reference: reference.to_owned(),
                attribute: attribute.to_owned(),
                kind,
            }),
        }
    }
}

/// Derivations that are known: evaluation is a pure function of the sources, the system and the attribute.
pub(crate) type Memo = BTreeMap<MemoKey, Derivation>;
type MemoKey = (String, Option<String>, String, String);

fn same_directory(a: &str, b: &str) -> bool {
    a.rsplit_once('/').map(|(dir, _)| dir) == b.rsplit_once('/').map(|(dir, _)| dir)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded;

    #[test]
    fn answers_are_read() {
        for version in recorded::VERSIONS {
            let answers: Vec<Option<EvaluatedValue>> =
                serde_json::from_slice(&recorded::read(version, "eval.json")).unwrap();
            let [Some(EvaluatedValue::Derivation(derivation)), None, Some(EvaluatedValue::Other { kind })] =
                &answers[..]
            else {
                panic!("{version}");
            };
            assert_eq!(derivation.drv_path, "/nix/store/lina7n473lai2vgds92gc4nc5dphlw27-seed.drv");
            assert_eq!(derivation.output, "base");
            let outputs: Vec<&str> = derivation.output_names().collect();
            assert_eq!((outputs, kind.as_str()), (vec!["base", "apps"], "string"));
        }
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
        assert_eq!(split().select("seed", None).unwrap().paths(), ["/nix/store/base"]);
        assert_eq!(split().select("seed", Some("apps")).unwrap().paths(), ["/nix/store/apps"]);
        let error = split().select("seed", Some("app")).unwrap_err();
        insta::assert_snapshot!(error, @"`seed` has no output `app`; it has base, apps");
    }

    #[test]
    fn what_cannot_be_built_is_refused() {
        let mut floating = split();
        floating.outputs[0].path = "/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9".to_owned();
        let error = EvaluatedValue::Derivation(floating).derivation(".", "seed").unwrap_err();
        insta::assert_snapshot!(error, @"`seed` is a content-addressed derivation: its output paths are unknown until it is built");
        let error = EvaluatedValue::Other { kind: "set".to_owned() }.derivation(".", "lib").unwrap_err();
        insta::assert_snapshot!(error, @"attribute `lib` of flake `.` is not a derivation: it is a set");
    }
}
