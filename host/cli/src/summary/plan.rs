//! What `seed run` would do.

use std::fmt::Write as _;

use seed_engine::summary::{PlanSummary, PlannedImage, PlannedLayer};
use seed_model::total;
use seed_report::{style, visible};

use crate::human;
use crate::summary::parts;
use crate::table::{Align, Table};

/// The plan as tables; with `paths`, each layer's store paths too.
pub(crate) fn plan(summary: &PlanSummary, paths: bool) -> String {
    let mut text = format!("{}\n", style::bold(&summary.name));
    for planned in &summary.images {
        text.push_str(&image(planned));
        if paths {
            text.extend(planned.layers.iter().map(contents));
        }
    }
    text.push_str(&parts::plugins(&summary.plugins));
    text.push_str(&parts::section("Would publish to", summary.targets.iter().cloned()));
    text.push_str(&parts::legal(&summary.legal));
    text.push_str(&parts::notes(&summary.notes));
    text
}

fn image(image: &PlannedImage) -> String {
    let mut table = Table::new(&[
        ("LAYER", Align::Left),
        ("PATHS", Align::Right),
        ("NAR SIZE", Align::Right),
        ("KEY", Align::Left),
        ("", Align::Left),
    ]);
    for layer in &image.layers {
        let state = if layer.cached { style::good("cached") } else { layer.reason.clone() };
        table.row([
            layer.name.clone(),
            layer.paths.len().to_string(),
            human::size(layer.nar_size),
            layer.key.map_or_else(|| "-".to_owned(), |key| key.short()),
            state,
        ]);
    }
    let count = total(image.layers.iter().map(|layer| layer.paths.len() as u64));
    let size = total(image.layers.iter().map(|layer| layer.nar_size));
    let cached = image.layers.iter().filter(|layer| layer.cached).count();
    let platform = format!("{}/{}", image.platform.os, image.platform.architecture);
    let layers = human::count(image.layers.len() as u64, "layer");
    let paths = human::count(count, "path");
    let size = human::size(size);
    let mut text =
        format!("\n  {platform}  {layers} ({cached} cached), {paths}, {size} before compression\n");
    text.push_str(&table.render());
    let words = |words: &[String]| words.join(" ");
    for (name, value) in [
        ("entrypoint", words(&image.config.entrypoint)),
        ("cmd", words(&image.config.cmd)),
        ("user", image.config.user.clone().unwrap_or_default()),
        ("working dir", image.config.working_dir.clone().unwrap_or_default()),
    ] {
        if !value.is_empty() {
            let _ = writeln!(text, "  {} {}", style::dim(&format!("{name}:")), visible::line(&value));
        }
    }
    let _ = writeln!(text, "  {} {}", style::dim("closure:"), image.closure);
    text
}

fn contents(layer: &PlannedLayer) -> String {
    let path = |path: &seed_engine::summary::PlannedPath| {
        format!("{:>11}  {}", human::size(path.nar_size), path.store_path)
    };
    let entries = layer.entries.iter().map(|entry| format!("{:>11}  {entry}", "entry"));
    parts::section(&format!("Layer {}", layer.name), layer.paths.iter().map(path).chain(entries))
}
