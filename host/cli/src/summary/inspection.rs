//! What an image holds. Whoever made it chose the names in it.

use std::fmt::Write as _;

use seed_engine::summary::inspect::{InspectedImage, Inspection, Signatures, SizedPath};
use seed_model::Digest;
use seed_report::{style, visible};

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
pub(crate) fn inspection(found: &Inspection) -> String {
    let mut text = format!("{}  {}\n", style::bold(&found.place), found.digest);
    text.extend(found.images.iter().map(|one| image(one, found.digest)));
    let signatures: Vec<String> = found.signatures.iter().flat_map(attached).collect();
    if signatures.is_empty() {
        text.push_str("\nNo signatures found.\n");
    } else {
        text.push_str(&parts::section("Found, not verified", signatures));
    }
    text
}

/// One image; its digest only where that is not `whole`.
fn image(image: &InspectedImage, whole: Digest) -> String {
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
            name.map_or_else(|| (number + 1).to_string(), |name| visible::line(name)),
            human::size(layer.size),
            visible::line(compression),
            format!("sha256:{}…", layer.digest.short()),
        ]);
    }
    let platform = image.platform.as_ref();
    let platform = platform
        .map_or("unknown platform".to_owned(), |p| visible::line(&format!("{}/{}", p.os, p.architecture)));
    let layers = human::count(image.layers.len() as u64, "layer");
    let size = human::size(image.size);
    let digest = if image.digest == whole { String::new() } else { style::dim(&image.digest.to_string()) };
    let heading = format!("{platform}  {layers}, {size}  {digest}");
    let mut text = format!("\n  {}\n{}", heading.trim_end(), table.render());
    for (name, words) in [("entrypoint", &image.entrypoint), ("cmd", &image.cmd)] {
        if !words.is_empty() {
            let _ =
                writeln!(text, "  {} {}", style::dim(&format!("{name}:")), visible::line(&words.join(" ")));
        }
    }
    if let Some(created) = &image.created {
        let _ = writeln!(text, "  {} {}", style::dim("created:"), visible::line(created));
    }
    for (name, reason) in &image.annotations {
        if let Some(rule) = name.strip_prefix(LEGAL_ANNOTATION) {
            let grant = visible::line(&format!("{rule}: {reason}"));
            let _ = writeln!(text, "  {} {grant}", style::warning("granted:"));
        }
        if name == UNVERIFIED_ANNOTATION {
            let _ = writeln!(text, "  {} layers of {}", style::warning("unverified:"), visible::line(reason));
        }
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
    format!("{:>11}  {}", human::size(path.size), visible::line(&path.path))
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
    let others =
        signatures.others.iter().map(|other| format!("{} {subject}", visible::line(&other.artifact_type)));
    counted.chain(others).collect()
}
