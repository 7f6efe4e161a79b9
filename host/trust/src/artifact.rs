//! Published signature documents: cosign's `.sig` manifest and the referrer that holds a Sigstore bundle.

use seed_model::{Attachment, Descriptor, Digest, Manifest, PayloadFormat, PublicKey};

use crate::bundle::{BUNDLE_MEDIA_TYPE, Bundle, BundleError};
use crate::coverage::{CoverError, SignedImage, covers};
use crate::dsse::split_pae;
use crate::encoding::decode;
use crate::public_key::{self, verify};
use crate::simple_signing::SIMPLE_SIGNING_MEDIA_TYPE;
use crate::statement::Statement;

const SIGNATURE_ANNOTATION: &str = "dev.cosignproject.cosign/signature";
/// Longest layer that is read.
const MAX_LAYER: u64 = 4 << 20;
/// Most bytes of all layers together.
const MAX_LAYERS_TOTAL: u64 = 64 << 20;

/// A signature as a document states it, not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// How the payload names its subject.
    pub format: PayloadFormat,
    /// The exact bytes that were signed.
    pub payload: Vec<u8>,
    /// The signature, raw.
    pub signature: Vec<u8>,
    /// The key that a bundle hints at, as [`public_key::hint`] writes it.
    pub key_hint: Option<String>,
}

impl Claim {
    /// Whether `key` made the signature; a bundle that hints at another key is not tried.
    pub fn is_by(&self, key: &PublicKey) -> bool {
        self.key_hint.as_ref().is_none_or(|hint| *hint == public_key::hint(key))
            && verify(key, &self.payload, &self.signature).is_ok()
    }

    /// The predicate type of the statement that was signed; none for other payloads. An attestation is signed too,
    /// and may say anything about the image: only [`SIGN_PREDICATE_TYPE`](crate::statement::SIGN_PREDICATE_TYPE) vouches for it.
    pub fn predicate_type(&self) -> Option<String> {
        let (_, statement) = split_pae(&self.payload)?;
        Some(Statement::parse(statement).ok()?.predicate_type)
    }
}

/// Why a signature document is refused.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// A bundle has one layer.
    #[error("the signature manifest has {0} layers, expected 1")]
    LayerCount(usize),
    /// A layer, or all together, longer than allowed.
    #[error("the signature layer {digest} has {size} bytes, more than the limit")]
    LayerTooLong { digest: Digest, size: u64 },
    /// A layer of an unexpected type among signatures.
    #[error("the signature layer {digest} has the media type {media_type:?}, expected `{expected}`")]
    LayerType {
        digest: Digest,
        media_type: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A layer cannot be read.
    #[error("cannot read the signature layer {digest}: {source}")]
    Read { digest: Digest, source: std::io::Error },
    /// A layer's bytes are not what its descriptor says.
    #[error("the signature layer {0} does not match its descriptor")]
    LayerContent(Digest),
    /// A layer without its signature annotation.
    #[error("the signature layer {0} has no base64 annotation `{SIGNATURE_ANNOTATION}`")]
    NoSignature(Digest),
    /// A malformed bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Found under another image.
    #[error("the signature is attached to {found}, not to {expected}")]
    OtherSubject {
        /// What it is attached to: a digest, or a tag.
        found: String,
        /// What it should be attached to.
        expected: String,
    },
    /// No given key made a signature in it.
    #[error("a signature in the document is not by any of the keys {}", .0.join(", "))]
    NotByKeys(Vec<String>),
    /// A signature over something else.
    #[error(transparent)]
    Cover(#[from] CoverError),
}

/// Reads a blob by digest, at most the given number of bytes.
pub type ReadBlob<'a> = dyn FnMut(&Digest, u64) -> std::io::Result<Vec<u8>> + 'a;

/// Takes a signature document apart: its manifest, read strictly, and the blobs through `read`, whose digests are checked.
///
/// Gives `None` for a document of any other kind, such as a custom signer's.
pub fn read_artifact(
    manifest: &Manifest,
    read: &mut ReadBlob<'_>,
) -> Result<Option<Vec<Claim>>, ArtifactError> {
    if is_known(manifest) { claims(manifest, read).map(Some) } else { Ok(None) }
}

/// Checks a signature document that is about to be published: it is attached to `image`, and every signature in it
/// was made by one of `keys` over a payload that covers `image`.
///
/// Gives the number of signatures checked, or `None` for a document of a kind that is not known here; its signatures
/// can only be checked as the signing plugin lists them, with [`verify`] and [`covers`].
pub fn check_artifact(
    manifest: &Manifest,
    attachment: &Attachment,
    image: &SignedImage<'_>,
    keys: &[PublicKey],
    read: &mut ReadBlob<'_>,
) -> Result<Option<usize>, ArtifactError> {
    if !is_known(manifest) {
        return Ok(None);
    }
    check_attached(manifest, attachment, image.descriptor)?;
    let claims = claims(manifest, read)?;
    for claim in &claims {
        if !keys.iter().any(|key| claim.is_by(key)) {
            return Err(ArtifactError::NotByKeys(keys.iter().map(|key| key.name.clone()).collect()));
        }
        covers(claim.format, &claim.payload, image)?;
    }
    Ok(Some(claims.len()))
}

/// Whether it is one of the two kinds that are known here.
fn is_known(manifest: &Manifest) -> bool {
    is_bundle(manifest) || manifest.layers.iter().any(|l| l.media_type == SIMPLE_SIGNING_MEDIA_TYPE)
}

fn is_bundle(manifest: &Manifest) -> bool {
    manifest.artifact_type.as_deref() == Some(BUNDLE_MEDIA_TYPE)
        || manifest.layers.iter().any(|layer| layer.media_type == BUNDLE_MEDIA_TYPE)
}

fn check_attached(
    manifest: &Manifest,
    attachment: &Attachment,
    image: &Descriptor,
) -> Result<(), ArtifactError> {
    let (found, expected) = match attachment {
        Attachment::AppendingTag(tag) if !is_bundle(manifest) => {
            (tag.clone(), format!("{}.sig", image.digest.tag()))
        }
        Attachment::Referrer if is_bundle(manifest) => {
            let describe =
                |media_type: &str, digest: Digest, size| format!("{media_type} {digest} of {size} bytes");
            let found = manifest.subject.as_ref().map_or_else(
                || "nothing".to_owned(),
                |subject| describe(&subject.media_type, subject.digest, subject.size),
            );
            (found, describe(&image.media_type, image.digest, image.size))
        }
        Attachment::AppendingTag(tag) => {
            (format!("the tag {tag}"), format!("{} as a referrer", image.digest))
        }
        Attachment::Referrer => ("a subject".to_owned(), format!("the tag {}.sig", image.digest.tag())),
    };
    if found == expected { Ok(()) } else { Err(ArtifactError::OtherSubject { found, expected }) }
}

fn claims(manifest: &Manifest, read: &mut ReadBlob<'_>) -> Result<Vec<Claim>, ArtifactError> {
    if is_bundle(manifest) {
        let [layer] = manifest.layers.as_slice() else {
            return Err(ArtifactError::LayerCount(manifest.layers.len()));
        };
        let bundle = Bundle::parse(&read_layer(layer, BUNDLE_MEDIA_TYPE, read)?)?;
        let payload = bundle.envelope.pae();
        let key_hint = Some(bundle.key_hint).filter(|hint| !hint.is_empty());
        let signatures = bundle.envelope.signatures.into_iter();
        return Ok(signatures
            .map(|found| Claim {
                format: PayloadFormat::Dsse,
                payload: payload.clone(),
                signature: found.signature,
                key_hint: key_hint.clone(),
            })
            .collect());
    }
    let mut total = 0_u64;
    let mut claims = Vec::new();
    for layer in &manifest.layers {
        total = total.saturating_add(layer.size);
        if total > MAX_LAYERS_TOTAL {
            return Err(ArtifactError::LayerTooLong { digest: layer.digest, size: layer.size });
        }
        let payload = read_layer(layer, SIMPLE_SIGNING_MEDIA_TYPE, read)?;
        let signature = layer.annotations.get(SIGNATURE_ANNOTATION).and_then(|text| decode(text));
        let signature = signature.ok_or(ArtifactError::NoSignature(layer.digest))?;
        claims.push(Claim { format: PayloadFormat::SimpleSigning, payload, signature, key_hint: None });
    }
    Ok(claims)
}

fn read_layer(
    layer: &Descriptor,
    expected: &'static str,
    read: &mut ReadBlob<'_>,
) -> Result<Vec<u8>, ArtifactError> {
    if layer.media_type != expected {
        let media_type = layer.media_type.chars().take(120).collect();
        return Err(ArtifactError::LayerType { digest: layer.digest, media_type, expected });
    }
    if layer.size > MAX_LAYER {
        return Err(ArtifactError::LayerTooLong { digest: layer.digest, size: layer.size });
    }
    let bytes = read(&layer.digest, layer.size)
        .map_err(|source| ArtifactError::Read { digest: layer.digest, source })?;
    if bytes.len() as u64 != layer.size || Digest::of(&bytes) != layer.digest {
        return Err(ArtifactError::LayerContent(layer.digest));
    }
    Ok(bytes)
}
