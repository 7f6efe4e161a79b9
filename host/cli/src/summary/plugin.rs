//! What a plugin is.

use std::fmt::Write as _;

use seed_engine::summary::PluginSummary;

use super::parts;
use crate::{human, style};

/// The plugin in words; the schema as JSON.
pub(crate) fn plugin(summary: &PluginSummary) -> String {
    let plugin = &summary.plugin;
    let mut text = format!("{} {}  {}\n\n", style::bold(&plugin.name), plugin.version, summary.summary);
    for (name, value) in [
        ("source", plugin.source.clone()),
        ("component", plugin.digest.to_string()),
        ("size", human::size(summary.size)),
        ("world", format!("{} (seed:pipeline@{})", summary.world, summary.contract)),
    ] {
        let _ = writeln!(text, "  {} {value}", style::dim(&format!("{name:<9}")));
    }
    text.push_str(&parts::section("Imports", summary.imports.iter().cloned()));
    text.push_str(&parts::section("Exports", summary.exports.iter().cloned()));
    // A `Value` has string keys only, so that it can always be written.
    let schema = serde_json::to_string_pretty(&summary.config_schema).unwrap_or_default();
    text.push_str(&parts::section("Configuration (JSON Schema)", schema.lines().map(str::to_owned)));
    text
}
