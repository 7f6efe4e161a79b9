//! The names of a flake's packages.

use crate::attribute;
use crate::error::NixError;
use crate::events::Observer;
use crate::flake::FlakeInfo;
use crate::nix::Nix;

const NAMES: &str = "set: if builtins.isAttrs set then builtins.attrNames set else [ ]";

impl Nix {
    /// The names in `packages.<system>` of a flake, sorted; none if it has no packages for the system.
    pub fn packages(
        &self,
        flake: &FlakeInfo,
        system: &str,
        observer: &dyn Observer,
    ) -> Result<Vec<String>, NixError> {
        attribute::check_system(system)?;
        self.names(flake, system, &format!("packages.{system}"), observer)
    }

    fn names(
        &self,
        flake: &FlakeInfo,
        system: &str,
        at: &str,
        observer: &dyn Observer,
    ) -> Result<Vec<String>, NixError> {
        let Some(json) = self.eval(flake, system, at, NAMES, &[], observer)? else { return Ok(Vec::new()) };
        serde_json::from_slice(&json).map_err(|e| NixError::Malformed {
            command: format!("nix eval --json …#{at}"),
            problem: e.to_string(),
        })
    }

    /// The error for an attribute that is not there, with names that are like it.
    pub(crate) fn no_attribute(
        &self,
        flake: &FlakeInfo,
        system: &str,
        missing: &str,
        observer: &dyn Observer,
    ) -> NixError {
        let near = |set: &str| {
            // Only for a hint: where this fails there is none.
            let names = self.names(flake, system, &format!("{set}.{system}"), observer).unwrap_or_default();
            attribute::near(missing, &names)
        };
        let mut names = near("packages");
        if names.is_empty() {
            names = near("legacyPackages");
        }
        NixError::NoAttribute {
            reference: flake.reference.clone(),
            attribute: missing.to_owned(),
            system: system.to_owned(),
            near: names,
        }
    }
}
