//! Which settings of Nix were in force.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::error::NixError;
use crate::nix::Nix;
use crate::version::Version;

/// The settings of Nix that decide what may run during a build and where results may come from. A daemon may
/// overrule them for users that it does not trust.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// The version of Nix, such as `2.34`.
    pub version: String,
    /// Settings by Nix's own names, as Nix prints them.
    pub values: BTreeMap<String, Value>,
}

/// The settings that are recorded. None of them can hold a secret.
const RECORDED: [&str; 12] = [
    "allow-import-from-derivation",
    "extra-platforms",
    "fallback",
    "filter-syscalls",
    "pure-eval",
    "require-sigs",
    "restrict-eval",
    "sandbox",
    "sandbox-fallback",
    "sandbox-paths",
    "substitute",
    "system",
];

/// `nix show-config --json` prints 70 to 130 KB.
const MAX_OUTPUT: u64 = 4 * 1024 * 1024;

impl Nix {
    /// Asks Nix for the settings that are in force, with its configuration files, `NIX_CONFIG` and the options of
    /// this run.
    pub fn settings(&self) -> Result<Settings, NixError> {
        const RENAMED: Version = Version { major: 2, minor: 20 };
        let verb: &[&str] =
            if self.version() < RENAMED { &["show-config", "--json"] } else { &["config", "show", "--json"] };
        let output = self.nix(verb, MAX_OUTPUT).run(&|_: &_| {})?.success()?;
        let values = parse(&output).map_err(|e| NixError::Malformed {
            command: format!("nix {}", verb.join(" ")),
            problem: e.to_string(),
        })?;
        Ok(Settings { version: self.version().to_string(), values })
    }
}

fn parse(json: &[u8]) -> Result<BTreeMap<String, Value>, serde_json::Error> {
    let all: BTreeMap<String, Value> = serde_json::from_slice(json)?;
    Ok(RECORDED
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), all.get(*name)?.get("value")?.clone())))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_values_of_the_settings_that_count() {
        let json = br#"{"sandbox":{"value":true,"description":"x"},"access-tokens":{"value":{"a":"secret"}},
            "substitute":{"value":false},"system":{"defaultValue":"x"}}"#;
        let values = serde_json::to_string(&parse(json).unwrap()).unwrap();
        assert_eq!(values, r#"{"sandbox":true,"substitute":false}"#);
        assert!(parse(b"[]").is_err());
    }
}
