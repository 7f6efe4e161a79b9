//! Keys and signatures (`signing.wit`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::descriptor::Descriptor;
use crate::publication::Attachment;

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 over SHA-256, DER signatures.
    EcdsaP256Sha256,
    /// Pure Ed25519, 64-byte signatures.
    Ed25519,
}

/// The public side of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// Its name in the pipeline file.
    pub name: String,
    /// How it signs.
    pub algorithm: Algorithm,
    /// `SubjectPublicKeyInfo`, DER.
    pub spki: Vec<u8>,
}

/// What to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignRequest {
    /// The plugin's configuration, JSON.
    pub config: String,
    /// Granted keys.
    pub keys: Vec<String>,
    /// The manifest or index.
    pub subject: Descriptor,
    /// Where it will be published, `host/repository`.
    pub references: Vec<String>,
    /// RFC 3339 time for `created` fields.
    pub created: String,
    /// Facts of the source.
    pub variables: BTreeMap<String, String>,
}

/// How a payload names its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PayloadFormat {
    /// cosign's simple signing JSON.
    SimpleSigning,
    /// DSSE pre-authentication encoding of an in-toto statement.
    Dsse,
    /// `sha256:…` as text.
    SubjectDigest,
    /// The subject's own bytes.
    SubjectBytes,
}

/// A signature for the host to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The key that made it.
    pub key: PublicKey,
    /// How the payload names the subject.
    pub format: PayloadFormat,
    /// The exact bytes that were signed.
    pub payload: Vec<u8>,
    /// The signature over them.
    pub signature: Vec<u8>,
}

/// A signature in the form in which it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The artifact's manifest.
    pub manifest: Descriptor,
    /// How it is found.
    pub attachment: Attachment,
}

/// What the signing stage gives back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Documents to publish.
    pub artifacts: Vec<Artifact>,
    /// Every signature in them.
    pub signatures: Vec<Signature>,
    /// A command that verifies the image, with `{reference}`.
    pub verify_with: Option<String>,
}
