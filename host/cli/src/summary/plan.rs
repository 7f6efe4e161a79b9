//! What `seed run` would do.

use seed_engine::summary::{PlanSummary, PlannedImage, PlannedLayer};
use seed_model::total;
use seed_report::style::{self, Text};
use seed_report::styled;

use crate::human;
use crate::summary::parts;
use crate::table::{Align, Table};

/// The plan as tables; with `paths`, each layer's store paths too.
pub(crate) fn plan(summary: &PlanSummary, paths: bool) -> Text {
    let mut text = styled!("{}\n", style::bold(&summary.name));
    for planned in &summary.images {
        text.push(&image(planned));
        if paths {
            text.extend(planned.layers.iter().map(contents));
        }
    }
    text.push(&parts::plugins(&summary.plugins));
    let targets = summary.targets.iter().map(|target| target.as_str().into());
    text.push(&parts::section("Would publish to", targets));
    text.push(&parts::legal(&summary.legal));
    text.push(&parts::notes(&summary.notes));
    text
}

fn image(image: &PlannedImage) -> Text {
    let mut table = Table::new(&[
        ("LAYER", Align::Left),
        ("PATHS", Align::Right),
        ("NAR SIZE", Align::Right),
        ("KEY", Align::Left),
        ("", Align::Left),
    ]);
    for layer in &image.layers {
        let state = if layer.cached { style::good("cached") } else { layer.reason.as_str().into() };
        table.row([
            layer.name.as_str().into(),
            layer.paths.len().to_string().into(),
            human::size(layer.nar_size).into(),
            layer.key.map_or_else(|| "-".to_owned(), |key| key.short()).into(),
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
    let mut text = styled!("\n  {}  {} ({} cached), {}, ", platform, layers, cached, paths);
    text.push(&styled!("{} before compression\n{}", size, table.render()));
    let words = |words: &[String]| words.join(" ");
    for (name, value) in [
        ("entrypoint", words(&image.config.entrypoint)),
        ("cmd", words(&image.config.cmd)),
        ("user", image.config.user.clone().unwrap_or_default()),
        ("working dir", image.config.working_dir.clone().unwrap_or_default()),
    ] {
        if !value.is_empty() {
            text.push(&styled!("  {} {}\n", style::dim(format!("{name}:")), value));
        }
    }
    text.push(&styled!("  {} {}\n", style::dim("closure:"), image.closure));
    text
}

fn contents(layer: &PlannedLayer) -> Text {
    let path = |path: &seed_engine::summary::PlannedPath| {
        styled!("{:>11}  {}", human::size(path.nar_size), path.store_path)
    };
    let entries = layer.entries.iter().map(|entry| styled!("{:>11}  {}", "entry", entry));
    parts::section(&format!("Layer {}", layer.name), layer.paths.iter().map(path).chain(entries))
}
