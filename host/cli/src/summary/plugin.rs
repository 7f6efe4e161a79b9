//! What a plugin is.

use seed_engine::summary::PluginSummary;
use seed_report::style::{self, Text};
use seed_report::styled;

use crate::human;
use crate::summary::parts;

/// The plugin in words; the schema as JSON.
pub(crate) fn plugin(summary: &PluginSummary) -> Text {
    let plugin = &summary.plugin;
    let name = style::bold(&plugin.name);
    let mut text = styled!("{} {}  {}\n\n", name, plugin.version, summary.summary);
    for (name, value) in [
        ("reference", plugin.reference.clone()),
        ("component", plugin.digest.to_string()),
        ("size", human::size(summary.size)),
        ("world", format!("{} (seed:pipeline@{})", summary.world, summary.contract)),
    ] {
        text.push(&styled!("  {} {}\n", style::dim(format!("{name:<9}")), value));
    }
    let names = |names: &[String]| names.iter().map(|name| name.as_str().into()).collect::<Vec<Text>>();
    text.push(&parts::section("Imports", names(&summary.imports)));
    text.push(&parts::section("Exports", names(&summary.exports)));
    // A `Value` has string keys only, so that it can always be written.
    let schema = serde_json::to_string_pretty(&summary.config_schema).unwrap_or_default();
    text.push(&parts::section("Configuration (JSON Schema)", schema.lines().map(Text::from)));
    text
}
