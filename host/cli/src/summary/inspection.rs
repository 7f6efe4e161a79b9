//! What an image holds. Whoever made it chose the names in it.

use seed_engine::summary::inspect::{InspectedImage, Inspection, Signatures, SizedPath};
use seed_model::Digest;
use seed_report::style::{self, Text};
use seed_report::styled;

use crate::human;
use crate::summary::parts;
use crate::table::{Align, Table};

/// Where the default packer writes a layer's name. Layers of other images are numbered.
const LAYER_ANNOTATION: &str = "io.github.seed-oci.layer";

/// Where the host writes why the image has content whose licence restricts redistribution, followed by what it is.
const LEGAL_ANNOTATION: &str = "io.github.seed-oci.legal.";

/// Where the host writes which of the image's layers it could not read.
const UNVERIFIED_ANNOTATION: &str = "io.github.seed-oci.unverified-layers";

/// The image, or all images of an index.
pub(crate) fn inspection(found: &Inspection) -> Text {
    let mut text = styled!("{}  {}\n", style::bold(&found.place), found.digest);
    text.extend(found.images.iter().map(|one| image(one, found.digest)));
    let signatures: Vec<Text> = found.signatures.iter().flat_map(attached).collect();
    if signatures.is_empty() {
        text.push(&styled!("\nNo signatures found.\n"));
    } else {
        text.push(&parts::section("Found, not verified", signatures));
    }
    text
}

/// One image; its digest only where that is not `whole`.
fn image(image: &InspectedImage, whole: Digest) -> Text {
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
        let name = layer.annotations.get(LAYER_ANNOTATION);
        table.row([
            name.map_or_else(|| (number + 1).to_string().into(), |name| name.as_str().into()),
            human::size(layer.size).into(),
            compression.into(),
            styled!("sha256:{}…", layer.digest.short()),
        ]);
    }
    let platform = image.platform.as_ref();
    let platform = platform.map_or("unknown platform".to_owned(), |p| format!("{}/{}", p.os, p.architecture));
    let layers = human::count(image.layers.len() as u64, "layer");
    let size = human::size(image.size);
    let digest = if image.digest == whole { Text::default() } else { style::dim(image.digest) };
    let heading = styled!("{}  {}, {}  {}", platform, layers, size, digest).trimmed();
    let mut text = styled!("\n  {}\n{}", heading, table.render());
    for (name, words) in [("entrypoint", &image.entrypoint), ("cmd", &image.cmd)] {
        if !words.is_empty() {
            text.push(&styled!("  {} {}\n", style::dim(format!("{name}:")), words.join(" ")));
        }
    }
    if let Some(created) = &image.created {
        text.push(&styled!("  {} {}\n", style::dim("created:"), created));
    }
    for (name, reason) in &image.annotations {
        if let Some(rule) = name.strip_prefix(LEGAL_ANNOTATION) {
            text.push(&styled!("  {} {}: {}\n", style::warning("granted:"), rule, reason));
        }
        if name == UNVERIFIED_ANNOTATION {
            text.push(&styled!("  {} layers of {}\n", style::warning("unverified:"), reason));
        }
    }
    if let Some(contents) = &image.contents {
        let entries = contents.entries;
        let size = human::size(contents.file_bytes);
        text.push(&styled!("  {} {} entries, {}\n", style::dim("unpacked:"), entries, size));
        text.push(&parts::section("Largest store paths", contents.store_paths.iter().map(sized)));
        text.push(&parts::section("Largest files", contents.files.iter().map(sized)));
    }
    text
}

fn sized(path: &SizedPath) -> Text {
    styled!("{:>11}  {}", human::size(path.size), path.path)
}

fn attached(signatures: &Signatures) -> Vec<Text> {
    let subject = format!("about sha256:{}…", signatures.subject.short());
    let counted = [
        (signatures.cosign_signatures, "cosign signature"),
        (signatures.cosign_attestations, "cosign attestation"),
        (signatures.bundles, "Sigstore bundle"),
    ];
    let counted = counted.into_iter().filter(|(number, _)| *number > 0);
    let counted = counted.map(|(number, noun)| styled!("{} {}", human::count(number as u64, noun), subject));
    let others = signatures.others.iter().map(|other| styled!("{} {}", other.artifact_type, subject));
    counted.chain(others).collect()
}
