//! What `seed verify` gives back.

use std::path::PathBuf;

use seed_model::{Digest, PayloadFormat};
use serde::Serialize;

pub use seed_oci::verify::{ImageContent, LayerContent, VerifiedImage};

/// What `seed verify` found: all of it is true.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VerifySummary {
    /// Counts incompatible changes of this form.
    pub schema: u32,
    /// What was read and found right.
    pub image: VerifiedImage,
    /// The given keys, each of which has signed.
    pub keys: Vec<VerifiedKey>,
    /// What else is attached instead of a signature.
    pub not_counted: Vec<NotCounted>,
}

/// A key that has signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VerifiedKey {
    /// Its file, as it was given.
    pub file: PathBuf,
    /// SHA-256 of its `SubjectPublicKeyInfo`.
    pub fingerprint: Digest,
    /// Its signatures of the image, one or more.
    pub signatures: Vec<VerifiedSignature>,
}

/// One signature of the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VerifiedSignature {
    /// How the signed payload names the image.
    pub format: PayloadFormat,
    /// Digest of the manifest that carries it.
    pub document: Digest,
}

/// What does not count as a signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct NotCounted {
    /// Digest of its manifest; none if it could not be read.
    pub document: Option<Digest>,
    pub reason: String,
}

/// The longest reason that is kept, in characters.
const REASON: usize = 1_000;

impl NotCounted {
    /// Whoever attached a document chose some of the words, and may have chosen megabytes of them.
    pub(crate) fn new(document: Option<Digest>, reason: &impl std::fmt::Display) -> Self {
        let reason = reason.to_string();
        let mut kept: String = reason.chars().take(REASON).collect();
        if kept.len() < reason.len() {
            kept.push('…');
        }
        Self { document, reason: kept }
    }
}
