//! `[source.closure]`.

use std::collections::BTreeMap;

use seed_report::Problem;
use seed_store_path::is_store_path;
use toml::Spanned;
use toml::de::DeValue;

use crate::pipeline::layer_name::layer_name;
use crate::pipeline::model::{ClosureFiles, LayerPaths};
use crate::pipeline::reader::{Section, invalid, string, strings};

/// Reads the table; `systems` is that of `[source]`, if it is given.
pub(super) fn read(
    mut section: Section<'_>,
    systems: Option<&Spanned<DeValue<'_>>>,
    problems: &mut Vec<Problem>,
) -> Option<ClosureFiles> {
    if let Some(value) = systems
        && value.get_ref().as_array().is_some_and(|systems| systems.len() > 1)
    {
        problems.push(invalid(
            "[source.closure] supports one system, but `systems` names several",
            value.span(),
            "make one image per system, and compose them with `seed index`",
        ));
    }
    let graph = match section.value("graph") {
        None => {
            problems.push(
                section.missing("graph", "name the file that Nix wrote, such as `graph = \".attrs.json\"`"),
            );
            None
        }
        Some(value) if value.get_ref().as_str().is_some() => {
            string("`graph`", value, problems).map(|file| vec![file])
        }
        Some(value) => strings("`graph`", value, problems),
    };
    if graph.as_ref().is_some_and(Vec::is_empty) {
        problems.push(invalid("`graph` is empty", section.span(), "name at least one file"));
    }
    let outputs = section.table("outputs", "[source.closure.outputs]", problems);
    let layers = section.table("layers", "[source.closure.layers]", problems);
    let layers = match (outputs, layers) {
        (Some(outputs), None) => read_outputs(&outputs, problems),
        (None, Some(layers)) => read_layers(&layers, problems),
        (Some(_), Some(layers)) => {
            problems.push(invalid(
                "`outputs` and `layers` are mutually exclusive",
                layers.span(),
                "use `outputs` for the outputs of a split derivation, or `layers` for paths per layer",
            ));
            Vec::new()
        }
        (None, None) => {
            if section.value("outputs").or(section.value("layers")).is_none() {
                problems.push(section.missing(
                    "outputs",
                    "name the outputs of the split derivation, such as `outputs = { apps = \
                     \"/nix/store/…-seed-apps\" }`, or list the paths of each layer in `layers`",
                ));
            }
            Vec::new()
        }
    };
    let variables = section.table("variables", "[source.closure.variables]", problems);
    let variables = variables.map(|table| read_variables(&table, problems)).unwrap_or_default();
    section.finish(problems);
    Some(ClosureFiles { graph: graph?, layers, variables })
}

/// What a flake says of itself: its commit, and when it was changed.
fn read_variables(table: &Section<'_>, problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for (name, value) in table.entries() {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.get_ref().is_empty() || !name.get_ref().chars().all(plain) {
            problems.push(invalid(
                format!("invalid variable name `{}`", name.get_ref().escape_debug()),
                name.span(),
                "use lower-case letters, digits and `-`, such as `commit` or `last-modified`",
            ));
        }
        if let Some(value) = string(&format!("the variable `{}`", name.get_ref()), value, problems) {
            variables.insert(name.into_inner(), value.into_inner());
        }
    }
    variables
}

/// An output of a split derivation for each layer.
fn read_outputs(table: &Section<'_>, problems: &mut Vec<Problem>) -> Vec<LayerPaths> {
    let mut layers = Vec::new();
    for (name, value) in table.entries() {
        layer_name(&name, problems);
        let Some(root) = string(&format!("the output of `{}`", name.get_ref()), value, problems) else {
            continue;
        };
        store_path(&root, problems);
        layers.push(LayerPaths { layer: name.into_inner(), roots: vec![root], split: true });
    }
    layers
}

/// Any number of paths for each layer.
fn read_layers(table: &Section<'_>, problems: &mut Vec<Problem>) -> Vec<LayerPaths> {
    let mut layers = Vec::new();
    for (name, value) in table.entries() {
        layer_name(&name, problems);
        let Some(roots) = strings(&format!("the layer `{}`", name.get_ref()), value, problems) else {
            continue;
        };
        for root in &roots {
            store_path(root, problems);
        }
        layers.push(LayerPaths { layer: name.into_inner(), roots, split: false });
    }
    layers
}

fn store_path(path: &Spanned<String>, problems: &mut Vec<Problem>) {
    if !is_store_path(path.get_ref()) {
        problems.push(invalid(
            format!("`{}` is not a store path", path.get_ref().escape_debug()),
            path.span(),
            "write a full store path, without files below it, such as \
             `/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-hello`",
        ));
    }
}
