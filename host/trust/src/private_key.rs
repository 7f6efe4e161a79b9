//! Private keys: reading, making and using them.

use std::fmt;

use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
use p256::ecdsa::signature::Signer as _;
use p256::pkcs8::der::pem::{self, LineEnding};
use p256::pkcs8::{EncodePrivateKey as _, ObjectIdentifier, PrivateKeyInfoRef};
use seed_model::{Algorithm, PublicKey};
use zeroize::Zeroizing;

use crate::encrypted;
use crate::key_error::{KeyError, MAX_KEY_FILE};

/// `id-ecPublicKey`, `prime256v1` (RFC 5480) and `id-Ed25519` (RFC 8410).
const ECDSA_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ED25519_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const ENCRYPTED_LABELS: [&str; 2] = ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"];

/// A private key. Its memory is wiped when it is dropped, and it prints only its algorithm.
pub struct PrivateKey(Secret);

enum Secret {
    EcdsaP256(p256::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

impl PrivateKey {
    /// Reads a PEM key file: cosign's encrypted form, or plain PKCS#8 (P-256, Ed25519) or SEC 1 (P-256).
    ///
    /// `password` is only looked at for an encrypted key, where the empty password is a password too.
    pub fn load(file: &[u8], password: Option<&[u8]>) -> Result<Self, KeyError> {
        let (label, body) = read_pem(file)?;
        match label.as_str() {
            label if ENCRYPTED_LABELS.contains(&label) => {
                Self::from_pkcs8(&encrypted::open(&body, password.ok_or(KeyError::PasswordNeeded)?)?)
            }
            "PRIVATE KEY" => Self::from_pkcs8(&body),
            "EC PRIVATE KEY" => p256::SecretKey::from_sec1_der(&body)
                .map(|key| Self(Secret::EcdsaP256(key.into())))
                .map_err(|error| KeyError::Malformed(error.to_string())),
            other => Err(KeyError::Label(other.chars().take(80).collect())),
        }
    }

    /// Whether [`Self::load`] will need a password for this file.
    pub fn is_encrypted(file: &[u8]) -> bool {
        read_pem(file).is_ok_and(|(label, _)| ENCRYPTED_LABELS.contains(&label.as_str()))
    }

    /// Makes a new ECDSA P-256 key, the kind that cosign makes.
    pub fn generate() -> Result<Self, KeyError> {
        loop {
            let mut bytes = Zeroizing::new([0; 32]);
            getrandom::fill(bytes.as_mut()).map_err(KeyError::Random)?;
            // Of 2^32 numbers, all but one are below the order of the curve.
            if let Ok(key) = p256::ecdsa::SigningKey::from_slice(bytes.as_ref()) {
                return Ok(Self(Secret::EcdsaP256(key)));
            }
        }
    }

    /// The key as an encrypted cosign key file (`cosign.key`). Salt and nonce are new each time.
    pub fn to_encrypted_pem(&self, password: &[u8]) -> Result<String, KeyError> {
        let der = match &self.0 {
            Secret::EcdsaP256(key) => p256::SecretKey::from(key.as_nonzero_scalar()).to_pkcs8_der(),
            Secret::Ed25519(key) => key.to_pkcs8_der(),
        }
        .expect("a valid key always encodes");
        let body = encrypted::seal(der.as_bytes(), password)?;
        Ok(pem::encode_string(ENCRYPTED_LABELS[0], LineEnding::LF, &body).expect("the label is valid"))
    }

    /// The public side, under the name that the pipeline file gives the key.
    pub fn public(&self, name: &str) -> PublicKey {
        let (algorithm, spki) = match &self.0 {
            Secret::EcdsaP256(key) => {
                (Algorithm::EcdsaP256Sha256, p256::PublicKey::from(key.verifying_key()).to_public_key_der())
            }
            Secret::Ed25519(key) => (Algorithm::Ed25519, key.verifying_key().to_public_key_der()),
        };
        let spki = spki.expect("a valid key always encodes").into_vec();
        PublicKey { name: name.to_owned(), algorithm, spki }
    }

    /// Signs `payload`: ECDSA over its SHA-256 with the nonce of RFC 6979, as ASN.1 DER; or pure Ed25519, 64 bytes.
    /// Both are deterministic.
    pub fn sign(&self, payload: &[u8]) -> Vec<u8> {
        match &self.0 {
            Secret::EcdsaP256(key) => {
                let signature: p256::ecdsa::DerSignature = key.sign(payload);
                signature.as_bytes().to_vec()
            }
            Secret::Ed25519(key) => key.sign(payload).to_bytes().to_vec(),
        }
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let malformed = |error: p256::pkcs8::Error| KeyError::Malformed(error.to_string());
        let info =
            PrivateKeyInfoRef::try_from(der).map_err(|error| KeyError::Malformed(error.to_string()))?;
        match info.algorithm.oids() {
            Ok((ECDSA_OID, Some(P256_OID))) => p256::SecretKey::try_from(info)
                .map(|key| Self(Secret::EcdsaP256(key.into())))
                .map_err(malformed),
            Ok((ED25519_OID, None)) => ed25519_dalek::SigningKey::from_pkcs8_der(der)
                .map(|key| Self(Secret::Ed25519(key)))
                .map_err(|error| KeyError::Malformed(error.to_string())),
            Ok((algorithm, curve)) => {
                let curve = curve.map_or_else(String::new, |curve| format!(" with {curve}"));
                Err(KeyError::Algorithm(format!("{algorithm}{curve}")))
            }
            Err(_) => Err(KeyError::Algorithm(info.algorithm.oid.to_string())),
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Secret::EcdsaP256(_) => "PrivateKey(ECDSA P-256)",
            Secret::Ed25519(_) => "PrivateKey(Ed25519)",
        })
    }
}

/// Finds the first PEM block that is a private key: `openssl ecparam -genkey` puts its parameters before it.
fn read_pem(file: &[u8]) -> Result<(String, Zeroizing<Vec<u8>>), KeyError> {
    if file.len() > MAX_KEY_FILE {
        return Err(KeyError::TooLong(file.len()));
    }
    let text = std::str::from_utf8(file).map_err(|_| KeyError::NoPrivateKey)?;
    let start = text
        .match_indices("-----BEGIN ")
        .find(|(start, _)| {
            text[*start..].lines().next().is_some_and(|line| line.trim_end().ends_with(" KEY-----"))
        })
        .ok_or(KeyError::NoPrivateKey)?
        .0;
    let (label, body) = pem::decode_vec(&file[start..]).map_err(KeyError::Pem)?;
    Ok((label.to_owned(), Zeroizing::new(body)))
}
