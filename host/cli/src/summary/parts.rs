//! Pieces that several summaries share.

use seed_engine::summary::{ImageSummary, LegalSummary, PluginIdentity};
use seed_model::{Diagnostic, Severity};
use seed_report::style::{self, Text};
use seed_report::styled;

use crate::human;
use crate::table::{Align, Table};

/// A heading and its lines, with an empty line before it; nothing where there are no lines.
pub(super) fn section(heading: &str, lines: impl IntoIterator<Item = Text>) -> Text {
    let lines: Text = lines.into_iter().map(|line| styled!("  {}\n", line)).collect();
    if lines.is_empty() { lines } else { styled!("\n{}\n{}", style::bold(heading), lines) }
}

/// A heading and a table without headings of its own, with an empty line before them; nothing where it has no rows.
pub(super) fn table_section(heading: &str, table: &Table) -> Text {
    let lines = table.render();
    if lines.is_empty() { lines } else { styled!("\n{}\n{}", style::bold(heading), lines) }
}

/// What plugins want the user to know.
pub(super) fn notes(notes: &[Diagnostic]) -> Text {
    let mut lines = Vec::new();
    for note in notes {
        let severity = match note.severity {
            Severity::Error => style::bad("error:"),
            Severity::Warning => style::warning("warning:"),
            Severity::Note => style::bold("note:"),
        };
        lines.push(styled!("{} {} ({})", severity, note.message, note.code));
        lines.extend(note.help.iter().map(|help| styled!("  help: {}", help)));
    }
    section("Notes", lines)
}

/// What is in the image although its licence restricts redistribution.
pub(super) fn legal(grants: &[LegalSummary]) -> Text {
    let mut lines = Vec::new();
    for LegalSummary { system, rule, reason, paths } in grants {
        let what = match paths.len() as u64 {
            0 => "the image contains no such paths".to_owned(),
            count => format!("{} allowed, as the image's annotations record", human::count(count, "path")),
        };
        lines.push(styled!("{} {} for {}: {}", style::warning("granted:"), rule, system, reason));
        lines.push(styled!("  {}", what));
        for path in paths {
            lines.push(styled!("  {} ({})", path.store_path, path.found));
            lines.extend(path.chain.iter().map(|chain| styled!("    {}", chain)));
        }
    }
    section("Legal", lines)
}

/// Layers of which only the packing plugin knows what is in them.
pub(super) fn unverified(images: &[ImageSummary]) -> Text {
    let layers = images.iter().flat_map(|image| image.layers.iter().map(move |layer| (image, layer)));
    let lines = layers.filter_map(|(image, layer)| {
        let media_type = layer.layer.unverified.as_ref()?;
        let warning = style::warning("unverified:");
        Some(styled!("{} layer `{}` for {} ({})", warning, layer.layer.name, image.system, media_type))
    });
    section("Layers that seed cannot read, by a grant in [pack]", lines)
}

/// The plugins that decided, as a table.
pub(super) fn plugins(plugins: &[PluginIdentity]) -> Text {
    let mut table = Table::new(&[
        ("PLUGIN", Align::Left),
        ("VERSION", Align::Left),
        ("REFERENCE", Align::Left),
        ("COMPONENT", Align::Left),
    ]);
    for plugin in plugins {
        table.row([
            plugin.name.as_str().into(),
            plugin.version.as_str().into(),
            plugin.reference.as_str().into(),
            styled!("sha256:{}…", plugin.digest.short()),
        ]);
    }
    styled!("\n{}", table.render())
}
