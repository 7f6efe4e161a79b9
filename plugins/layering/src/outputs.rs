//! Which of the offered layers to build.

use seed_plugin::Diagnostic;
use seed_plugin::selector::{OutputRequest, Part, SelectRequest, VariantKind};

use crate::config::Config;

/// The standard layers, most stable first.
pub const STANDARD: [&str; 6] = ["base", "library", "apps", "checks", "devShells", "overlays"];

/// The layers that a runtime image takes, bottom first.
const RUNTIME: [&str; 3] = ["base", "library", "apps"];

/// The layers that a build image takes, bottom first: the standard ones, and those that the host offers for it.
const BUILD: [&str; 8] = ["nix", "base", "inputs", "library", "apps", "checks", "devShells", "overlays"];

/// The offered layers that this image takes, in the order in which they are stacked.
pub fn choose(config: &Config, request: &SelectRequest) -> Result<Vec<OutputRequest>, Diagnostic> {
    let offered = |name: &str| request.available.iter().find(|output| output.layer == name);
    if let Some(names) = &config.layers {
        let find = |(index, name): (usize, &String)| {
            offered(name).cloned().ok_or_else(|| {
                Diagnostic::error("layering::unknown-layer", &format!("the source offers no layer `{name}`"))
                    .with_help(&format!("it offers {}", list(request)))
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
        .with_help(&way_out(request)));
    }
    let wanted = match request.variant {
        VariantKind::Runtime => &RUNTIME[..],
        VariantKind::Build => &BUILD[..],
    };
    let chosen: Vec<_> = wanted.iter().filter_map(|name| offered(name)).cloned().collect();
    if chosen.is_empty() {
        return Err(Diagnostic::error(
            "layering::nothing-to-take",
            &format!("the source offers none of the layers {}", wanted.join(", ")),
        )
        .with_help(&format!("it offers {}", list(request))));
    }
    Ok(chosen)
}

/// What to do about layers that are not standard.
fn way_out(request: &SelectRequest) -> String {
    match plain_package(request) {
        Some(attribute) => format!(
            "`{attribute}` is a plain package: in the place of `attr`, write a table `[layers]` with `apps = [{attribute:?}]`"
        ),
        None => format!(
            "name it one of {}, or list the layers to take, bottom first, in `[select] config = {{ layers = [...] }}`",
            STANDARD.join(", ")
        ),
    }
}

/// The attribute of the one derivation whose outputs are offered, where none of them is named like a standard layer:
/// a package as flakes usually have them, with outputs such as `out` and `dev`.
fn plain_package(request: &SelectRequest) -> Option<&str> {
    let mut attribute = None;
    for offer in &request.available {
        let [installable] = &*offer.installables else { return None };
        let is_output = installable.part == Part::Output(offer.layer.clone());
        let is_same = *attribute.get_or_insert(&installable.attribute) == &installable.attribute;
        if !is_output || !is_same || STANDARD.contains(&offer.layer.as_str()) {
            return None;
        }
    }
    attribute.map(String::as_str)
}

fn list(request: &SelectRequest) -> String {
    match &*request.available {
        [] => "no layer at all".to_owned(),
        some => some.iter().map(|output| format!("`{}`", output.layer)).collect::<Vec<_>>().join(", "),
    }
}
