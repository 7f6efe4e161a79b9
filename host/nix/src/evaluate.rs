//! Attributes of a flake to derivations: nothing is built.

use std::collections::BTreeMap;

use seed_model::{Installable, Part};

use crate::attribute;
use crate::derivation::{Derivation, Target};
use crate::error::NixError;
use crate::events::Observer;
use crate::flake::FlakeInfo;
use crate::nix::Nix;

/// What an installable stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluated {
    /// The attribute that was asked for.
    pub attribute: String,
    /// What to realise: one output of a derivation, or all that [`Part::BuildInputs`] and [`Part::FlakeInputs`] name.
    pub targets: Vec<Target>,
}

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
        Ok(derivations.iter().flat_map(Derivation::output_names).map(str::to_owned).collect())
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
                    Part::BuildInputs => self.build_inputs(flake, system, derivation.path(), observer)?,
                    Part::Output(output) => vec![derivation.select(attribute, Some(output))?],
                    _ => vec![derivation.select(attribute, None)?],
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
                    memo().insert(key(name), found.derivation(&flake.reference, name)?);
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
