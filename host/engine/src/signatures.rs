//! Who has signed an image, of those whose keys are given.
//!
//! A key is not its file: two files with one key, however each writes it, are refused, so that nobody counts one signer
//! twice. What
//! else is attached (signatures by other keys, attestations, documents that cannot be read) neither helps nor hurts,
//! and is listed with the reason.

use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use seed_model::{Descriptor, Digest, PayloadFormat, PublicKey};
use seed_oci::document::STRICT;
use seed_oci::location::{Document, Location, LocationError};
use seed_oci::verify::signature_documents;
use seed_report::{Kind, Report, visible};
use seed_trust::public_key::{self, PublicKeyError};
use seed_trust::{Claim, SIGN_PREDICATE_TYPE, SignedImage, covers, read_artifact};

use crate::summary::verify::{NotCounted, VerifiedKey, VerifiedSignature};

/// Larger than any key file.
const MAX_KEY_FILE: u64 = 64 << 10;

/// Why the signatures of an image do not do.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum SignatureError {
    /// A key file cannot be read.
    #[error("cannot read the key file {}", path.display())]
    #[diagnostic(
        code("seed::verify::key"),
        help("name the public key: `cosign.pub`, which cosign writes next to `cosign.key`")
    )]
    KeyFile { path: PathBuf, source: io::Error },
    /// A key file holds no usable key.
    #[error("{} is not a public key: {source}", path.display())]
    #[diagnostic(
        code("seed::verify::key"),
        help("name the public key: `cosign.pub`, which cosign writes next to `cosign.key`")
    )]
    Key { path: PathBuf, source: PublicKeyError },
    /// One key in two files.
    #[error("{} and {} hold the same key", first.display(), second.display())]
    #[diagnostic(
        code("seed::verify::same-key"),
        help("leave one out, or name the other signer's key: each key counts once")
    )]
    SameKey {
        /// One file.
        first: PathBuf,
        second: PathBuf,
    },
    /// What is attached cannot be listed.
    #[error("cannot list the signatures of `{reference}`")]
    #[diagnostic(code("seed::verify::signatures"))]
    Signatures { reference: String, source: Box<LocationError> },
    /// A key has not signed.
    #[error("{image} is not signed with {}{}", shown(missing), listed(not_counted))]
    #[diagnostic(
        code("seed::verify::unsigned"),
        help("do not use the image: it is complete, but the owner of the key has not signed it")
    )]
    Unsigned {
        /// The manifest or index.
        image: Digest,
        /// Files of the keys.
        missing: Vec<PathBuf>,
        /// What was found instead.
        not_counted: Vec<NotCounted>,
    },
}

impl Report for SignatureError {
    fn kind(&self) -> Kind {
        match self {
            Self::KeyFile { .. } | Self::Key { .. } | Self::SameKey { .. } => Kind::Usage,
            Self::Signatures { .. } => Kind::Failed,
            Self::Unsigned { .. } => Kind::Signature,
        }
    }
}

fn shown(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", nor with ")
}

/// The most of them that a message has.
const MAX_LISTED: usize = 10;

fn listed(not_counted: &[NotCounted]) -> String {
    if not_counted.is_empty() {
        return "; it has no signatures".to_owned();
    }
    let line = |one: &NotCounted| {
        let document = one.document.map_or_else(String::new, |digest| format!("{digest}: "));
        // Whoever attached it chose some of the words: they make no lines of their own.
        format!("\nnot counted: {document}{}", visible::line(&one.reason))
    };
    let more = match not_counted.len().saturating_sub(MAX_LISTED) {
        0 => String::new(),
        more => format!("\nand {more} more"),
    };
    not_counted.iter().take(MAX_LISTED).map(line).collect::<String>() + &more
}

/// Checks that each of `keys` has signed `subject`, which `reference` names. Also gives what is attached and does not count.
pub(crate) fn signed(
    location: &dyn Location,
    reference: &str,
    subject: &Descriptor,
    keys: &[(PathBuf, PublicKey)],
) -> Result<(Vec<VerifiedKey>, Vec<NotCounted>), SignatureError> {
    let mut found = Evidence {
        signatures: keys.iter().map(|_| Vec::new()).collect(),
        keys: keys.iter().map(|(_, key)| key).collect(),
        not_counted: Vec::new(),
    };
    let documents = signature_documents(location, subject.digest).map_err(|error| {
        SignatureError::Signatures { reference: reference.to_owned(), source: Box::new(error) }
    })?;
    for document in documents {
        found.add(location, document, subject);
    }
    let Evidence { signatures, not_counted, .. } = found;
    let verified = keys.iter().zip(signatures).map(|((file, key), signatures)| VerifiedKey {
        file: file.clone(),
        fingerprint: public_key::identity(key),
        signatures,
    });
    let (keys, missing): (Vec<_>, Vec<_>) = verified.partition(|key| !key.signatures.is_empty());
    if missing.is_empty() {
        return Ok((keys, not_counted));
    }
    let missing = missing.into_iter().map(|key| key.file).collect();
    Err(SignatureError::Unsigned { image: subject.digest, missing, not_counted })
}

/// Reads key files; one key in two of them is refused.
pub(crate) fn read_keys(files: &[PathBuf]) -> Result<Vec<(PathBuf, PublicKey)>, SignatureError> {
    let mut keys: Vec<(PathBuf, PublicKey)> = Vec::new();
    for path in files {
        let key = read_key(path)?;
        if let Some((first, _)) =
            keys.iter().find(|(_, other)| public_key::identity(other) == public_key::identity(&key))
        {
            return Err(SignatureError::SameKey { first: first.clone(), second: path.clone() });
        }
        keys.push((path.clone(), key));
    }
    Ok(keys)
}

fn read_key(path: &Path) -> Result<PublicKey, SignatureError> {
    let bytes = seed_disk::read_bounded(path, MAX_KEY_FILE)
        .map_err(|source| SignatureError::KeyFile { path: path.to_owned(), source })?;
    public_key::from_pem(&path.display().to_string(), &bytes)
        .map_err(|source| SignatureError::Key { path: path.to_owned(), source })
}

/// What the attached documents come to.
struct Evidence<'a> {
    keys: Vec<&'a PublicKey>,
    /// By key.
    signatures: Vec<Vec<VerifiedSignature>>,
    not_counted: Vec<NotCounted>,
}

impl Evidence<'_> {
    fn add(
        &mut self,
        location: &dyn Location,
        document: Result<Document, LocationError>,
        subject: &Descriptor,
    ) {
        let Document { descriptor, bytes } = match document {
            Ok(document) => document,
            Err(error) => {
                self.not_counted.push(NotCounted::new(None, &error));
                return;
            }
        };
        let mut read = |digest: &Digest, size: u64| {
            let mut bytes = Vec::new();
            let blob = Descriptor::new("application/octet-stream", *digest, size);
            location.copy(&blob, &mut bytes).map_err(io::Error::other)?;
            Ok(bytes)
        };
        let document = descriptor.digest;
        let manifest = match STRICT.manifest(&descriptor, &bytes) {
            Ok(manifest) => manifest,
            Err(error) => {
                self.not_counted.push(NotCounted::new(Some(document), &error));
                return;
            }
        };
        match read_artifact(&manifest, &mut read) {
            // Neither cosign's manifest nor a bundle: something about the image that is no signature.
            Ok(None) => {}
            Ok(Some(claims)) => {
                for claim in claims {
                    match self.judge(&claim, subject) {
                        Ok(key) => {
                            self.signatures[key].push(VerifiedSignature { format: claim.format, document });
                        }
                        Err(reason) => self.not_counted.push(NotCounted::new(Some(document), &reason)),
                    }
                }
            }
            Err(error) => {
                self.not_counted.push(NotCounted::new(Some(document), &error));
            }
        }
    }

    /// The key that has signed `subject` with this, or why it does not count.
    fn judge(&self, claim: &Claim, subject: &Descriptor) -> Result<usize, String> {
        let by = self.keys.iter().position(|key| claim.is_by(key));
        let key = by.ok_or("none of the given keys made it")?;
        // What is signed is the image, in whichever repository a copy of it lies.
        let image = SignedImage { descriptor: subject, references: &[] };
        covers(claim.format, &claim.payload, &image).map_err(|error| error.to_string())?;
        match claim.predicate_type() {
            Some(kind) if claim.format == PayloadFormat::Dsse && kind != SIGN_PREDICATE_TYPE => {
                Err(format!("its predicate type `{}` is not a signature of the image", kind.escape_debug()))
            }
            _ => Ok(key),
        }
    }
}
