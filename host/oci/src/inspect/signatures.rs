//! What is attached to a manifest: cosign's tags, Sigstore bundles, other referrers.

use seed_model::{Descriptor, Digest};
use serde::Serialize;

use super::InspectError;
use super::manifest::{Document, Manifest, parse};
use crate::source::Source;

/// A layer of a `.sig` tag: one signature.
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// A layer of an `.att` tag: one attestation.
const DSSE: &str = "application/vnd.dsse.envelope.v1+json";
/// Media types of Sigstore bundles begin like this; the version follows.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
/// The most referrers that are opened.
pub(crate) const MAX_REFERRERS: usize = 1000;

/// What was found for one manifest or index. None of it has been verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Signatures {
    /// The manifest or index that they are about.
    pub subject: Digest,
    /// Signatures at cosign's tag `sha256-….sig`.
    pub cosign_signatures: usize,
    /// Attestations at cosign's tag `sha256-….att`.
    pub cosign_attestations: usize,
    /// Sigstore bundles among the referrers.
    pub bundles: usize,
    /// Other referrers.
    pub others: Vec<Artifact>,
}

/// Another referrer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Artifact {
    /// Digest of its manifest.
    pub digest: Digest,
    /// Its artifact type: its own, or else the media type of its configuration.
    pub artifact_type: String,
}

impl Signatures {
    /// Whether there is nothing.
    pub const fn is_empty(&self) -> bool {
        self.cosign_signatures == 0
            && self.cosign_attestations == 0
            && self.bundles == 0
            && self.others.is_empty()
    }
}

/// Looks for everything that is about `subject`.
pub(super) fn attached_to(source: &dyn Source, subject: Digest) -> Result<Signatures, InspectError> {
    let mut found = Signatures {
        subject,
        cosign_signatures: count_layers(source, &format!("sha256-{}.sig", subject.hex()), SIMPLE_SIGNING)?,
        cosign_attestations: count_layers(source, &format!("sha256-{}.att", subject.hex()), DSSE)?,
        bundles: 0,
        others: Vec::new(),
    };
    let referrers = source.referrers(subject)?;
    if referrers.len() > MAX_REFERRERS {
        return Err(InspectError::Document {
            what: "the referrers of",
            digest: subject,
            place: source.place(),
            reason: format!("there are more than {MAX_REFERRERS}"),
        });
    }
    for descriptor in referrers {
        // Listings name wrong artifact types (sigstore/cosign#4641): what counts is the manifest itself.
        let manifest = manifest(source, &descriptor)?;
        match manifest.layers.as_slice() {
            [layer] if layer.media_type.starts_with(BUNDLE) => found.bundles += 1,
            _ => found.others.push(Artifact {
                digest: descriptor.digest,
                artifact_type: manifest.artifact_type.unwrap_or(manifest.config.media_type),
            }),
        }
    }
    Ok(found)
}

fn manifest(source: &dyn Source, descriptor: &Descriptor) -> Result<Manifest, InspectError> {
    match parse(source, descriptor, &source.manifest(descriptor)?)? {
        Document::Manifest(manifest) => Ok(*manifest),
        Document::Index(_) => Err(InspectError::Document {
            what: "referrer",
            digest: descriptor.digest,
            place: source.place(),
            reason: "it is an index, not a manifest".to_owned(),
        }),
    }
}

/// The layers of a media type in the manifest at a tag; 0 without such a tag.
fn count_layers(source: &dyn Source, tag: &str, media_type: &str) -> Result<usize, InspectError> {
    let Some(document) = source.tagged(tag)? else { return Ok(0) };
    match parse(source, &document.descriptor, &document.bytes)? {
        Document::Manifest(manifest) => {
            Ok(manifest.layers.iter().filter(|l| l.media_type == media_type).count())
        }
        Document::Index(_) => Ok(0),
    }
}
