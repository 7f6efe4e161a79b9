//! What an image holds.

use std::fmt::Write as _;

use seed_engine::inspect::{ImageSummary, Inspection, Signatures, SizedPath};

use super::parts;
use crate::table::{Align, Table};
use crate::{human, style};

/// The image, or all images of an index.
pub(crate) fn inspection(found: &Inspection) -> String {
    let mut text = format!("{}  {}\n", style::bold(&found.place), found.digest);
    text.extend(found.images.iter().map(image));
    let signatures: Vec<String> = found.signatures.iter().flat_map(attached).collect();
    if signatures.is_empty() {
        text.push_str("\nNo signatures found.\n");
    } else {
        text.push_str(&parts::section("Found, not verified", signatures));
    }
    text
}

fn image(image: &ImageSummary) -> String {
    let mut table = Table::new(&[
        ("LAYER", Align::Left),
        ("SIZE", Align::Right),
        ("COMPRESSION", Align::Left),
        ("DIGEST", Align::Left),
    ]);
    for (number, layer) in image.layers.iter().enumerate() {
        let compression = match layer.media_type.rsplit_once(['+', '.']) {
            Some((_, "tar")) => "none",
            Some((_, compression)) => compression,
            None => "-",
        };
        // The default packer names the layer in an annotation; other images just have numbers.
        let name = layer.annotations.iter().find(|(key, _)| key.ends_with(".layer"));
        table.row([
            name.map_or_else(|| (number + 1).to_string(), |(_, name)| name.clone()),
            human::size(layer.size),
            compression.to_owned(),
            format!("sha256:{}…", layer.digest.short()),
        ]);
    }
    let platform = image.platform.as_ref();
    let platform = platform.map_or("unknown platform".to_owned(), |p| format!("{}/{}", p.os, p.architecture));
    let layers = human::count(image.layers.len() as u64, "layer");
    let size = human::size(image.size);
    let mut text = format!("\n  {platform}  {layers}, {size}  {}\n", style::dim(&image.digest.to_string()));
    text.push_str(&table.render());
    for (name, words) in [("entrypoint", &image.entrypoint), ("cmd", &image.cmd)] {
        if !words.is_empty() {
            let _ = writeln!(text, "  {} {}", style::dim(&format!("{name}:")), words.join(" "));
        }
    }
    if let Some(created) = &image.created {
        let _ = writeln!(text, "  {} {created}", style::dim("created:"));
    }
    if let Some(contents) = &image.contents {
        let entries = contents.entries;
        let size = human::size(contents.file_bytes);
        let _ = writeln!(text, "  {} {entries} entries, {size}", style::dim("unpacked:"));
        text.push_str(&parts::section("Largest store paths", contents.store_paths.iter().map(sized)));
        text.push_str(&parts::section("Largest files", contents.files.iter().map(sized)));
    }
    text
}

fn sized(path: &SizedPath) -> String {
    format!("{:>11}  {}", human::size(path.size), path.path)
}

fn attached(signatures: &Signatures) -> Vec<String> {
    let subject = format!("about sha256:{}…", signatures.subject.short());
    let counted = [
        (signatures.cosign_signatures, "cosign signature"),
        (signatures.cosign_attestations, "cosign attestation"),
        (signatures.bundles, "Sigstore bundle"),
    ];
    let counted = counted.into_iter().filter(|(number, _)| *number > 0);
    let counted = counted.map(|(number, noun)| format!("{} {subject}", human::count(number as u64, noun)));
    let others = signatures.others.iter().map(|other| format!("{} {subject}", other.artifact_type));
    counted.chain(others).collect()
}
