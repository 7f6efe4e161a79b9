//! What was verified of an image.

use seed_engine::summary::verify::{ImageContent, NotCounted, VerifiedKey, VerifySummary};
use seed_model::PayloadFormat;
use seed_report::style::{self, Text};
use seed_report::styled;

use crate::human;
use crate::summary::parts;

/// The image, its signers, and what else was found.
pub(crate) fn verified(summary: &VerifySummary) -> Text {
    let image = &summary.image;
    let mut text = styled!("{}  {}  {}\n", style::bold(&image.place), image.digest, style::good("verified"));
    text.push(&parts::section("Complete", image.images.iter().map(complete)));
    text.push(&parts::section("Signed with", summary.keys.iter().map(signed)));
    text.push(&parts::section("Not counted", summary.not_counted.iter().map(not_counted)));
    text
}

fn complete(image: &ImageContent) -> Text {
    let layers = human::count(image.layers.len() as u64, "layer");
    let size = human::size(image.layers.iter().map(|layer| layer.size).fold(0, u64::saturating_add));
    styled!("{}  {}, {}: verified digests, sizes and diff IDs", image.platform, layers, size)
}

fn signed(key: &VerifiedKey) -> Text {
    let form = |format| match format {
        PayloadFormat::SimpleSigning => "cosign signature",
        PayloadFormat::Dsse => "Sigstore bundle",
        PayloadFormat::SubjectDigest | PayloadFormat::SubjectBytes => "signature",
    };
    let forms: Vec<_> = key.signatures.iter().map(|signature| form(signature.format)).collect();
    styled!("{}  sha256:{}…  {}", key.file.display(), key.fingerprint.short(), forms.join(", "))
}

fn not_counted(one: &NotCounted) -> Text {
    let document = one.document.map_or_else(String::new, |digest| format!("sha256:{}…: ", digest.short()));
    styled!("{}{}", document, one.reason)
}
