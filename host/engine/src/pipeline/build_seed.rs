//! The keys of `[seed]` that only build seeds have: `nix` and `builds`.

use std::ops::Range;

use seed_model::{Installable, Part, Variant};
use seed_report::Problem;
use toml::Spanned;

use crate::pipeline::model::BuildSeed;
use crate::pipeline::reader::{Section, invalid, strings};
use crate::pipeline::source::installable;

/// The attribute that is Nix itself if `nix` is not given.
const DEFAULT_NIX: &str = "nix";
/// The attribute whose build inputs are taken if `builds` is not given: what a plain `nix build` builds.
const DEFAULT_BUILD: &str = "default";

/// Reads both keys; none if the image is no build seed. What is not given stands at `variant`.
pub(super) fn read(
    section: &mut Section<'_>,
    variant: Variant,
    variant_span: Range<usize>,
    problems: &mut Vec<Problem>,
) -> Option<BuildSeed> {
    let nix = section.string("nix", problems);
    let builds = section.value("builds").and_then(|value| {
        let builds = strings("`builds`", value, problems)?;
        Some(Spanned::new(value.span(), builds))
    });
    if variant != Variant::Build {
        let given = [("nix", nix.map(|nix| nix.span())), ("builds", builds.map(|builds| builds.span()))];
        for (key, span) in given {
            problems.extend(span.map(|span| {
                let help = "write `variant = \"build\"`, or remove the key";
                invalid(format!("`{key}` requires a build seed"), span, help)
            }));
        }
        return None;
    }
    let given = |text: &str| Spanned::new(variant_span.clone(), text.to_owned());
    let nix = nix.unwrap_or_else(|| given(DEFAULT_NIX));
    let builds = builds.map_or_else(|| vec![given(DEFAULT_BUILD)], Spanned::into_inner);
    let mut places = vec![(nix.get_ref().clone(), nix.span())];
    let mut inputs = Vec::new();
    for text in builds {
        let Some(Installable { attribute, part }) = installable(&text, problems) else { continue };
        if part != Part::DefaultOutput {
            let help = "remove `^` and the outputs: they all have the same build dependencies";
            problems.push(invalid("`builds` does not accept outputs", text.span(), help));
        }
        places.push((attribute.clone(), text.span()));
        inputs.push(Installable { attribute, part: Part::BuildInputs });
    }
    let nix = installable(&nix, problems)?;
    Some(BuildSeed { nix, builds: inputs, places: places.into_iter().collect() })
}

/// Directories bring neither Nix nor anything that it builds from.
pub(super) fn needs_flake(build: &BuildSeed) -> Problem {
    let span = build.places.values().next().cloned().unwrap_or_default();
    invalid(
        "directories cannot be the source of a build seed",
        span,
        "use a flake as the source, or make a runtime image",
    )
}
