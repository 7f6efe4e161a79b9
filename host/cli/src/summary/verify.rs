//! What was verified of an image.

use seed_engine::summary::verify::{ImageContent, NotCounted, VerifiedKey, VerifySummary};
use seed_model::PayloadFormat;
use seed_report::{style, visible};

use crate::human;
use crate::summary::parts;

/// The image, its signers, and what else was found.
pub(crate) fn verified(summary: &VerifySummary) -> String {
    let image = &summary.image;
    let mut text = format!("{}  {}  {}\n", style::bold(&image.place), image.digest, style::good("verified"));
    text.push_str(&parts::section("Complete", image.images.iter().map(complete)));
    text.push_str(&parts::section("Signed with", summary.keys.iter().map(signed)));
    text.push_str(&parts::section("Not counted", summary.not_counted.iter().map(not_counted)));
    text
}

fn complete(image: &ImageContent) -> String {
    let layers = human::count(image.layers.len() as u64, "layer");
    let size = human::size(image.layers.iter().map(|layer| layer.size).fold(0, u64::saturating_add));
    let platform = visible::line(&image.platform.to_string());
    format!("{platform}  {layers}, {size}: verified digests, sizes and diff IDs")
}

fn signed(key: &VerifiedKey) -> String {
    let form = |format| match format {
        PayloadFormat::SimpleSigning => "cosign signature",
        PayloadFormat::Dsse => "Sigstore bundle",
        PayloadFormat::SubjectDigest | PayloadFormat::SubjectBytes => "signature",
    };
    let forms: Vec<_> = key.signatures.iter().map(|signature| form(signature.format)).collect();
    format!("{}  sha256:{}…  {}", key.file.display(), key.fingerprint.short(), forms.join(", "))
}

fn not_counted(one: &NotCounted) -> String {
    let document = one.document.map_or_else(String::new, |digest| format!("sha256:{}…: ", digest.short()));
    format!("{document}{}", visible::line(&one.reason))
}
