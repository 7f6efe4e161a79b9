//! Sigstore bundles, version 0.3, that hold a DSSE envelope (`sigstore/protobuf-specs`, `sigstore_bundle.proto`).

use seed_model::json;
use serde::Deserialize;

use crate::dsse::{Envelope, EnvelopeError, EnvelopeJson, MAX_ENVELOPE};
use crate::encoding;

/// Media type of such a bundle.
pub const BUNDLE_MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// Most log entries, as in Sigstore's own verifier.
const MAX_LOG_ENTRIES: usize = 32;

/// A DSSE envelope and what helps to verify it.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    /// Standard base64 of the SHA-256 of the key's `SubjectPublicKeyInfo`; a hint, empty when absent.
    pub key_hint: String,
    /// The envelope; it has exactly one signature.
    pub envelope: Envelope,
    /// Transparency log entries, kept but not verified here.
    pub log_entries: Vec<serde_json::Value>,
}

/// Why bytes are not a bundle that a key can verify.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Longer than [`MAX_ENVELOPE`].
    #[error("the bundle has {0} bytes, more than {MAX_ENVELOPE}")]
    TooLong(usize),
    /// Not a bundle's JSON.
    #[error("the bundle is not Sigstore bundle JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Another version.
    #[error("the bundle's `mediaType` is {0:?}, expected `{BUNDLE_MEDIA_TYPE}`")]
    MediaType(String),
    /// A malformed envelope.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Bundles carry exactly one signature.
    #[error("the bundle's envelope has {0} signatures, expected exactly 1")]
    SignatureCount(usize),
    /// cosign 3 refuses a bundle whose signature has a `keyid` that it did not compute itself.
    #[error("the bundle's signature has a `keyid`; it must be left empty")]
    KeyId,
    /// More than 32.
    #[error("the bundle has {0} log entries, more than {MAX_LOG_ENTRIES}")]
    LogEntryCount(usize),
    /// Not base64 of 32 bytes.
    #[error("the bundle's `hint` is not a base64-encoded SHA-256 hash")]
    Hint,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BundleJson {
    media_type: String,
    verification_material: VerificationMaterialJson,
    dsse_envelope: EnvelopeJson,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct VerificationMaterialJson {
    public_key: PublicKeyJson,
    #[serde(default)]
    tlog_entries: Vec<serde_json::Value>,
    #[serde(default, rename = "timestampVerificationData")]
    _timestamps: serde::de::IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PublicKeyJson {
    #[serde(default)]
    hint: String,
}

impl Bundle {
    /// Reads a bundle that was made with a key (not with a certificate), strictly.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > MAX_ENVELOPE {
            return Err(BundleError::TooLong(bytes.len()));
        }
        let bundle: BundleJson = json::parse(bytes)?;
        if bundle.media_type != BUNDLE_MEDIA_TYPE {
            return Err(BundleError::MediaType(bundle.media_type.chars().take(120).collect()));
        }
        let material = bundle.verification_material;
        if material.tlog_entries.len() > MAX_LOG_ENTRIES {
            return Err(BundleError::LogEntryCount(material.tlog_entries.len()));
        }
        let key_hint = material.public_key.hint;
        if !key_hint.is_empty() && encoding::decode(&key_hint).is_none_or(|hash| hash.len() != 32) {
            return Err(BundleError::Hint);
        }
        let envelope = Envelope::try_from(bundle.dsse_envelope)?;
        match envelope.signatures.as_slice() {
            [signature] if signature.keyid.is_empty() => {}
            [_] => return Err(BundleError::KeyId),
            several => return Err(BundleError::SignatureCount(several.len())),
        }
        Ok(Self { key_hint, envelope, log_entries: material.tlog_entries })
    }
}
