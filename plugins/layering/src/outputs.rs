//! Which of the offered layers to build.

use seed_plugin::Diagnostic;
use seed_plugin::selector::{OutputRequest, Part, SelectRequest, VariantKind};

use crate::config::Config;
use crate::darwin;

/// The standard layers, most stable first.
pub const STANDARD: [&str; 6] = ["base", "library", "apps", "checks", "devShells", "overlays"];

/// The layers that a runtime image takes, bottom first.
const RUNTIME: [&str; 3] = ["base", "library", "apps"];

/// The layers that a build image takes, bottom first: the standard ones, and those that the host offers for it.
const BUILD: [&str; 8] = ["nix", "base", "inputs", "library", "apps", "checks", "devShells", "overlays"];

/// The layers of [`BUILD`] that the host offers, whatever the source has.
const HOST: [&str; 2] = ["nix", "inputs"];

/// The offered layers that this image takes, in the order in which they are stacked.
pub fn choose(config: &Config, request: &SelectRequest) -> Result<Vec<OutputRequest>, Diagnostic> {
    let offered = |name: &str| request.available.iter().find(|output| output.layer == name);
    if let Some(names) = &config.layers {
        let find = |(index, name): (usize, &String)| {
            offered(name).cloned().ok_or_else(|| {
                Diagnostic::error("layering::unknown-layer", &format!("the source offers no layer `{name}`"))
                    .with_help(&format!("{}it offers {}", did_you_mean(name, request), list(request)))
                    .at(&format!("/layers/{index}"))
            })
        };
        return names.iter().enumerate().map(find).collect();
    }
    if let Some(other) = request.available.iter().find(|output| !BUILD.contains(&output.layer.as_str())) {
        return Err(Diagnostic::error(
            "layering::not-standard",
            &format!("the source offers `{}`, which is not a standard layer", other.layer),
        )
        .with_help(&format!("{}{}", did_you_mean(&other.layer, request), way_out(request))));
    }
    let wanted = match request.variant {
        VariantKind::Runtime => &RUNTIME[..],
        VariantKind::Build => &BUILD[..],
    };
    // Nix and the flake's inputs are for building in a container.
    let wanted: Vec<&str> =
        wanted.iter().copied().filter(|name| !(darwin::is_darwin(request) && HOST.contains(name))).collect();
    let chosen: Vec<_> = wanted.iter().filter_map(|name| offered(name)).cloned().collect();
    if chosen.is_empty() {
        return Err(Diagnostic::error(
            "layering::nothing-to-take",
            &format!("the source offers none of the layers {}", wanted.join(", ")),
        )
        .with_help(&format!("it offers {}", list(request))));
    }
    let missing = wanted.iter().find(|name| STANDARD.contains(name) && offered(name).is_none());
    if let (Some(attribute), Some(missing)) = (split_derivation(request), missing) {
        return Err(Diagnostic::error(
            "layering::missing-output",
            &format!("the derivation `{attribute}` has no output `{missing}`"),
        )
        .with_help(&format!(
            "it has {}; `mkSeed` makes one output per standard layer, or list the layers to use, bottom first, in \
             `[select] config = {{ layers = [...] }}`",
            list(request)
        )));
    }
    Ok(chosen)
}

/// The layer that is most like `name`, if one is like it at all: of those that are offered, or, for a name that is
/// offered, of the standard ones.
fn did_you_mean(name: &str, request: &SelectRequest) -> String {
    let offered = request.available.iter().map(|output| output.layer.as_str());
    let known: Vec<&str> =
        if offered.clone().any(|layer| layer == name) { STANDARD.to_vec() } else { offered.collect() };
    let distance = |other: &str| strsim::damerau_levenshtein(name, other);
    let nearest = known.into_iter().min_by_key(|other| distance(other));
    nearest
        // A third of the letters may be wrong, as everywhere in `seed`.
        .filter(|other| distance(other) <= name.len().max(other.len()).div_ceil(3))
        .map_or(String::new(), |other| format!("did you mean `{other}`? "))
}

/// What to do about layers that are not standard.
fn way_out(request: &SelectRequest) -> String {
    match plain_package(request) {
        Some(attribute) => format!(
            "`{attribute}` is a plain package: instead of `attr`, write a table `[layers]` with `apps = [{attribute:?}]`"
        ),
        None => format!(
            "rename it to one of {}, or list the layers to use, bottom first, in `[select] config = {{ layers = [...] }}`",
            STANDARD.join(", ")
        ),
    }
}

/// [`split_derivation`], if none of its outputs is named like a standard layer: a package as flakes usually have them,
/// with outputs such as `out` and `dev`.
fn plain_package(request: &SelectRequest) -> Option<&str> {
    let standard = |offer: &OutputRequest| STANDARD.contains(&offer.layer.as_str());
    if request.available.iter().any(standard) { None } else { split_derivation(request) }
}

/// The attribute of the one derivation whose outputs are the layers on offer, beside those that the host adds.
fn split_derivation(request: &SelectRequest) -> Option<&str> {
    let mut attribute = None;
    let added = |offer: &&OutputRequest| !HOST.contains(&offer.layer.as_str());
    for offer in request.available.iter().filter(added) {
        let [installable] = &*offer.installables else { return None };
        let is_output = installable.part == Part::Output(offer.layer.clone());
        let is_same = *attribute.get_or_insert(&installable.attribute) == &installable.attribute;
        if !is_output || !is_same {
            return None;
        }
    }
    attribute.map(String::as_str)
}

fn list(request: &SelectRequest) -> String {
    match &*request.available {
        [] => "no layers".to_owned(),
        some => some.iter().map(|output| format!("`{}`", output.layer)).collect::<Vec<_>>().join(", "),
    }
}
