//! `[source]` and `[layers]`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use seed_model::{Installable, OutputRequest, Part, Platform};
use seed_report::Problem;
use toml::Spanned;

use crate::pipeline::closure;
use crate::pipeline::layer_name::layer_name;
use crate::pipeline::model::{Flake, LayerDirectory, Source};
use crate::pipeline::reader::{Section, invalid, string, strings};

/// The attribute that is built if neither `attr` nor `[layers]` is given.
const DEFAULT_ATTRIBUTE: &str = "seed";

/// Reads both sections: the source; the systems, sorted, and whether they are given.
pub(super) fn read(
    root: &mut Section<'_>,
    problems: &mut Vec<Problem>,
) -> Option<(Source, (Vec<String>, bool))> {
    let Some(mut section) = root.table("source", "[source]", problems) else {
        if root.value("source").is_none() {
            problems.push(root.missing("source", "add:\n\n[source]\nflake = \".\""));
        }
        root.value("layers");
        return None;
    };
    let systems = systems(&mut section, problems);
    let directories = section.table("directories", "[source.directories]", problems);
    let closure = section.table("closure", "[source.closure]", problems);
    let source = match (directories, closure) {
        (Some(table), closure) => {
            if let Some(closure) = closure {
                problems.push(both("[source.closure]", "[source.directories]", closure.span()));
            }
            alone("[source.directories]", root, &mut section, problems);
            Some(directories_source(&table, problems))
        }
        (None, Some(table)) => {
            alone("[source.closure]", root, &mut section, problems);
            closure::read(table, section.value("systems"), problems).map(Source::Closure)
        }
        (None, None) => flake_source(root, &mut section, problems),
    };
    section.finish(problems);
    Some((source?, systems?))
}

fn systems(section: &mut Section<'_>, problems: &mut Vec<Problem>) -> Option<(Vec<String>, bool)> {
    let Some(value) = section.value("systems") else {
        return Some((vec![Platform::host_system()], false));
    };
    let found = strings("`systems`", value, problems)?;
    if found.is_empty() {
        problems.push(invalid("`systems` is empty", value.span(), "remove it to use this machine's system"));
    }
    let mut systems = BTreeSet::new();
    for system in found {
        let span = system.span();
        let name = system.into_inner();
        if let Err(error) = Platform::of_system(&name) {
            problems.push(invalid(error.to_string(), span.clone(), "use one of Nix's system names"));
        }
        if !systems.insert(name.clone()) {
            problems.push(invalid(format!("`systems` lists `{name}` twice"), span, "remove one of them"));
        }
    }
    Some((systems.into_iter().collect(), true))
}

fn flake_source(
    root: &mut Section<'_>,
    section: &mut Section<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Source> {
    let reference = section.string("flake", problems);
    if reference.is_none() && section.value("flake").is_none() {
        problems.push(section.missing(
            "flake",
            "write `flake = \".\"`, or use [source.directories] or [source.closure], which do not need Nix",
        ));
    }
    let mut attr = section.string("attr", problems);
    let substitute = section.boolean("substitute", problems).unwrap_or(false);
    let evaluation_time = section.positive("evaluation-time", problems).map(Duration::from_secs);
    let mut places = BTreeMap::new();
    let layers =
        root.table("layers", "[layers]", problems).map(|table| layers(&table, &mut places, problems));
    match (&attr, &layers) {
        (Some(attr), Some(_)) => problems.push(invalid(
            "`attr` and [layers] are mutually exclusive",
            attr.span(),
            "use `attr` for one derivation whose outputs are the layers, or [layers] for attributes per layer",
        )),
        (None, None) => attr = Some(Spanned::new(section.span(), DEFAULT_ATTRIBUTE.to_owned())),
        _ => {}
    }
    let layers = layers.unwrap_or_default();
    Some(Source::Flake(Flake { reference: reference?, attr, layers, places, substitute, evaluation_time }))
}

fn layers(
    table: &Section<'_>,
    places: &mut BTreeMap<String, Range<usize>>,
    problems: &mut Vec<Problem>,
) -> Vec<OutputRequest> {
    let mut layers = Vec::new();
    for (name, value) in table.entries() {
        layer_name(&name, problems);
        let Some(attributes) = strings(&format!("the layer `{}`", name.get_ref()), value, problems) else {
            continue;
        };
        let mut installables = Vec::new();
        for text in &attributes {
            let Some(installable) = installable(text, problems) else { continue };
            places.entry(installable.attribute.clone()).or_insert(text.span());
            installables.push(installable);
        }
        layers.push(OutputRequest { layer: name.into_inner(), installables });
    }
    layers
}

/// `attribute` or `attribute^output`, as `nix build` takes it after `#`.
pub(super) fn installable(text: &Spanned<String>, problems: &mut Vec<Problem>) -> Option<Installable> {
    let (attribute, output) = match text.get_ref().split_once('^') {
        Some((attribute, output)) => (attribute, Some(output.to_owned())),
        None => (text.get_ref().as_str(), None),
    };
    let plain =
        |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_control() || "^,*# ".contains(c));
    if plain(attribute) && output.as_deref().is_none_or(plain) {
        let part = output.map_or(Part::DefaultOutput, Part::Output);
        return Some(Installable { attribute: attribute.to_owned(), part });
    }
    problems.push(invalid(
        format!("`{}` is not an attribute path", text.get_ref().escape_debug()),
        text.span(),
        "write what you would put after `nix build .#`, such as `hello` or `openssl^bin`, with at most one output",
    ));
    None
}

/// Refuses the keys of a flake beside the table `source`.
fn alone(source: &str, root: &mut Section<'_>, section: &mut Section<'_>, problems: &mut Vec<Problem>) {
    for key in ["flake", "attr", "substitute", "evaluation-time"] {
        if let Some(value) = section.value(key) {
            problems.push(both(&format!("`{key}`"), source, value.span()));
        }
    }
    if let Some(value) = root.value("layers") {
        problems.push(both("[layers]", source, value.span()));
    }
}

fn directories_source(table: &Section<'_>, problems: &mut Vec<Problem>) -> Source {
    let mut directories = Vec::new();
    for (name, value) in table.entries() {
        layer_name(&name, problems);
        if let Some(path) = string(&format!("the directory of `{}`", name.get_ref()), value, problems) {
            directories.push(LayerDirectory { layer: name.into_inner(), path });
        }
    }
    if table.entries().is_empty() {
        problems.push(invalid(
            "[source.directories] is empty",
            table.span(),
            "name at least one layer and its directory, such as `apps = \"site\"`",
        ));
    }
    Source::Directories(directories)
}

fn both(key: &str, source: &str, span: Range<usize>) -> Problem {
    invalid(
        format!("{key} and {source} are mutually exclusive"),
        span,
        "a source is a flake, directories or a closure: keep one",
    )
}
