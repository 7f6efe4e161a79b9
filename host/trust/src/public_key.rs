//! Public keys: reading, writing and checking signatures with them.

use ed25519_dalek::pkcs8::{DecodePublicKey as _, EncodePublicKey as _};
use p256::ecdsa::signature::Verifier as _;
use p256::pkcs8::der::pem::{self, LineEnding};
use seed_model::{Algorithm, Digest, PublicKey};

use crate::encoding;

const LABEL: &str = "PUBLIC KEY";
/// Longest file that is read. A P-256 key has 178 bytes.
const MAX_KEY_FILE: usize = 64 << 10;

/// Why a signature does not count.
#[derive(Debug, thiserror::Error)]
pub enum BadSignature {
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] PublicKeyError),
    /// The bytes are not a signature of the key's algorithm.
    #[error("the signature is not {0}")]
    Malformed(&'static str),
    /// It was made by another key, or over other bytes.
    #[error("the signature is not by the key `{0}` over these bytes")]
    Mismatch(String),
}

/// Why bytes are not a usable public key.
#[derive(Debug, thiserror::Error)]
pub enum PublicKeyError {
    /// Not a `PUBLIC KEY` PEM block.
    #[error("the file does not contain a PEM `PUBLIC KEY`")]
    Pem,
    /// Neither P-256 nor Ed25519, or a malformed point, or one of the few under which anybody can sign.
    #[error("the public key `{0}` is not a SubjectPublicKeyInfo of ECDSA P-256 or Ed25519")]
    Unusable(String),
}

/// Reads a PEM file such as `cosign.pub`. The key that it gives is written canonically, however the file writes it.
pub fn from_pem(name: &str, file: &[u8]) -> Result<PublicKey, PublicKeyError> {
    let decoded = if file.len() > MAX_KEY_FILE { None } else { pem::decode_vec(file).ok() };
    let Some((LABEL, spki)) = decoded else { return Err(PublicKeyError::Pem) };
    let (algorithm, spki) = canonical(&spki).ok_or_else(|| PublicKeyError::Unusable(name.to_owned()))?;
    Ok(PublicKey { name: name.to_owned(), algorithm, spki })
}

/// A key as RFC 5480 and RFC 8410 write it, if it is one that can be used. One key can be written in several ways: a point of
/// P-256 compressed or not, a coordinate of Ed25519 with the field's prime added.
fn canonical(spki: &[u8]) -> Option<(Algorithm, Vec<u8>)> {
    if let Ok(key) = p256::PublicKey::from_public_key_der(spki) {
        return Some((Algorithm::EcdsaP256Sha256, key.to_public_key_der().ok()?.into_vec()));
    }
    let key = ed25519_dalek::VerifyingKey::from_public_key_der(spki).ok()?;
    let key = ed25519_dalek::VerifyingKey::from(key.to_edwards());
    // Of small order: a signature under it fits many payloads, so it is nobody's.
    let key = (!key.is_weak()).then_some(key)?;
    Some((Algorithm::Ed25519, key.to_public_key_der().ok()?.into_vec()))
}

/// Who a key is: two keys are one signer exactly if this is the same. Whatever counts, compares or names signers asks here.
///
/// It is the SHA-256 of the canonical `SubjectPublicKeyInfo`, whatever the key's name and however it was written. A kind of
/// signer that has several keys (the principal of a certificate, the primary key of an `OpenPGP` certificate) has the
/// identity of the whole. A key that cannot be read stands for itself, and nothing is signed with it.
pub fn identity(key: &PublicKey) -> Digest {
    Digest::of(&canonical(&key.spki).map_or_else(|| key.spki.clone(), |(_, spki)| spki))
}

/// Writes a PEM file such as `cosign.pub`.
pub fn to_pem(key: &PublicKey) -> String {
    pem::encode_string(LABEL, LineEnding::LF, &key.spki).expect("the label is valid")
}

/// How Sigstore bundles hint at a key: standard base64 of the SHA-256 of its canonical `SubjectPublicKeyInfo`.
pub fn hint(key: &PublicKey) -> String {
    encoding::encode(identity(key).as_bytes())
}

/// Checks that `signature` was made by `key` over exactly `payload`.
pub fn verify(key: &PublicKey, payload: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
    let unusable = || PublicKeyError::Unusable(key.name.clone());
    let verified = match key.algorithm {
        Algorithm::EcdsaP256Sha256 => {
            let verifying_key =
                p256::ecdsa::VerifyingKey::from_public_key_der(&key.spki).map_err(|_| unusable())?;
            let signature = p256::ecdsa::DerSignature::from_bytes(signature)
                .map_err(|_| BadSignature::Malformed("an ASN.1 DER ECDSA signature"))?;
            verifying_key.verify(payload, &signature).is_ok()
        }
        Algorithm::Ed25519 => {
            let verifying_key =
                ed25519_dalek::VerifyingKey::from_public_key_der(&key.spki).map_err(|_| unusable())?;
            let signature = ed25519_dalek::Signature::from_slice(signature)
                .map_err(|_| BadSignature::Malformed("a 64-byte Ed25519 signature"))?;
            // Strict: refuses the small-order keys under which one signature fits many payloads.
            verifying_key.verify_strict(payload, &signature).is_ok()
        }
    };
    if verified { Ok(()) } else { Err(BadSignature::Mismatch(key.name.clone())) }
}
