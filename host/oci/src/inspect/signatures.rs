//! What is attached to a manifest: cosign's tags, Sigstore bundles, other referrers.

use seed_model::Digest;

use crate::ImageError;
use crate::document::{DocumentError, LENIENT, ManifestOrIndex};
use crate::inspect::summary::{Artifact, Signatures};
use crate::location::Location;

/// A layer of a `.sig` tag: one signature.
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// A layer of an `.att` tag: one attestation.
const DSSE: &str = "application/vnd.dsse.envelope.v1+json";
/// Media types of Sigstore bundles begin like this; the version follows.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
/// The most referrers that are opened.
pub(crate) const MAX_REFERRERS: usize = 1000;

/// Looks for everything that is about `subject`.
pub(super) fn attached_to(location: &dyn Location, subject: Digest) -> Result<Signatures, ImageError> {
    let mut found = Signatures {
        subject,
        cosign_signatures: count_layers(location, &format!("{}.sig", subject.tag()), SIMPLE_SIGNING)?,
        cosign_attestations: count_layers(location, &format!("sha256-{}.att", subject.hex()), DSSE)?,
        bundles: 0,
        others: Vec::new(),
    };
    let referrers = location.referrers(subject)?;
    if referrers.len() > MAX_REFERRERS {
        let reason = format!("it has more than {MAX_REFERRERS} entries");
        return Err(DocumentError::wrong("list of referrers of", subject, reason).into());
    }
    for descriptor in referrers {
        // Listings name wrong artifact types (sigstore/cosign#4641): what counts is the manifest itself.
        let manifest = LENIENT.manifest(&descriptor, &location.manifest(&descriptor)?)?;
        match manifest.layers.as_slice() {
            [layer] if layer.media_type.starts_with(BUNDLE) => {
                found.bundles = found.bundles.saturating_add(1);
            }
            _ => found.others.push(Artifact {
                digest: descriptor.digest,
                artifact_type: manifest.artifact_type.unwrap_or(manifest.config.media_type),
            }),
        }
    }
    Ok(found)
}

/// The layers of a media type in the manifest at a tag; 0 without such a tag.
fn count_layers(location: &dyn Location, tag: &str, media_type: &str) -> Result<usize, ImageError> {
    let Some(document) = location.tagged(tag)? else { return Ok(0) };
    match LENIENT.document(&document.descriptor, &document.bytes)? {
        ManifestOrIndex::Manifest(manifest) => {
            Ok(manifest.layers.iter().filter(|l| l.media_type == media_type).count())
        }
        ManifestOrIndex::Index(_) => Ok(0),
    }
}
