//! What a plugin is.

use std::fmt::Write as _;

use seed_engine::summary::PluginSummary;
use seed_report::{style, visible};

use crate::human;
use crate::summary::parts;

/// The plugin in words; the schema as JSON.
pub(crate) fn plugin(summary: &PluginSummary) -> String {
    let plugin = &summary.plugin;
    let about = visible::line(&format!("{}  {}", plugin.version, summary.summary));
    let mut text = format!("{} {about}\n\n", style::bold(&plugin.name));
    for (name, value) in [
        ("reference", plugin.reference.clone()),
        ("component", plugin.digest.to_string()),
        ("size", human::size(summary.size)),
        ("world", format!("{} (seed:pipeline@{})", summary.world, summary.contract)),
    ] {
        let _ = writeln!(text, "  {} {}", style::dim(&format!("{name:<9}")), visible::line(&value));
    }
    text.push_str(&parts::section("Imports", summary.imports.iter().cloned()));
    text.push_str(&parts::section("Exports", summary.exports.iter().cloned()));
    // A `Value` has string keys only, so that it can always be written.
    let schema = serde_json::to_string_pretty(&summary.config_schema).unwrap_or_default();
    text.push_str(&parts::section("Configuration (JSON Schema)", schema.lines().map(str::to_owned)));
    text
}
