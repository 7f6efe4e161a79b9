//! `seed verify`: an image is whole, and each of the given keys has signed it. Needs no cache.
//!
//! A key is its bytes, not its file: two files with one key are refused, so that nobody counts one signer twice. What
//! else is attached (signatures by other keys, attestations, documents that cannot be read) neither helps nor hurts,
//! and is listed with the reason.

use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::Diagnostic;
use seed_http::DockerConfig;
use seed_model::{Descriptor, Digest, PayloadFormat, PublicKey};
use seed_oci::source::{self, ContentLimits, Document, Reference, ReferenceError, Source, SourceError};
use seed_oci::whole::{WholeError, check_whole, signature_documents};
use seed_trust::public_key::{self, PublicKeyError};
use seed_trust::{Claim, SIGN_PREDICATE_TYPE, SignedImage, covers, read_artifact};
use serde::Serialize;

pub use seed_oci::whole::{ImageContent, LayerContent, WholeImage};

use crate::summary::SCHEMA;

/// Larger than any key file.
const MAX_KEY_FILE: u64 = 64 << 10;

/// What `seed verify` found: all of it is true.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VerifySummary {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What was read and found right.
    pub image: WholeImage,
    /// The given keys, each of which has signed.
    pub keys: Vec<VerifiedKey>,
    /// What else is attached in the place of a signature.
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
    /// Digest of its manifest; none where that could not be had.
    pub document: Option<Digest>,
    /// Why not.
    pub reason: String,
}

/// Why an image is not verified.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum VerifyError {
    /// It is not said where the image is.
    #[error(transparent)]
    #[diagnostic(code("seed::verify::reference"))]
    Reference(#[from] ReferenceError),
    /// A key file cannot be read.
    #[error("the key file {} cannot be read", path.display())]
    #[diagnostic(code("seed::verify::key"), help("`cosign.pub` is the file beside `cosign.key`"))]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A key file holds no usable key.
    #[error("{} is not a public key: {source}", path.display())]
    #[diagnostic(code("seed::verify::key"), help("`cosign.pub` is the file beside `cosign.key`"))]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: PublicKeyError,
    },
    /// One key in two files.
    #[error("{} and {} are the same key", first.display(), second.display())]
    #[diagnostic(
        code("seed::verify::same-key"),
        help("each key counts once: leave one of them out, or name the other signer's key")
    )]
    SameKey {
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// The image cannot be read, or is not whole.
    #[error("`{reference}` is not a whole image, or cannot be read")]
    #[diagnostic(code("seed::verify::image"), help("nothing in it may be relied on"))]
    Image {
        /// The reference.
        reference: String,
        /// Why.
        source: Box<WholeError>,
    },
    /// What is attached cannot be listed.
    #[error("the signatures of `{reference}` cannot be listed")]
    #[diagnostic(code("seed::verify::signatures"))]
    Signatures {
        /// The reference.
        reference: String,
        /// Why.
        source: Box<SourceError>,
    },
    /// A key has not signed.
    #[error("{image} is not signed with {}{}", shown(missing), listed(not_counted))]
    #[diagnostic(
        code("seed::verify::unsigned"),
        help("the image is whole, but whoever holds the key has not vouched for it: do not use it")
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

fn shown(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", nor with ")
}

/// The most of them that a message has.
const MAX_LISTED: usize = 10;

fn listed(not_counted: &[NotCounted]) -> String {
    if not_counted.is_empty() {
        return "; nothing is attached that could be a signature".to_owned();
    }
    let line = |one: &NotCounted| {
        let document = one.document.map_or_else(String::new, |digest| format!("{digest}: "));
        // Whoever attached it chose some of the words: they make no lines of their own.
        format!("\nnot counted: {document}{}", one.reason.replace(char::is_control, " "))
    };
    let more = match not_counted.len().saturating_sub(MAX_LISTED) {
        0 => String::new(),
        more => format!("\nand {more} more"),
    };
    not_counted.iter().take(MAX_LISTED).map(line).collect::<String>() + &more
}

/// Verifies the image that `reference` names (a layout directory, an archive, or `host/repository:tag`): all of it is
/// read and checked, and each of the keys in the files `keys` must have signed its manifest or index. Credentials come
/// from the files of Docker and Podman, when the registry asks. Nothing but that registry is asked.
pub fn verify(reference: &str, keys: &[PathBuf]) -> Result<VerifySummary, VerifyError> {
    let parsed = Reference::parse(reference)?;
    let keys = read_keys(keys)?;
    let image_error =
        |error: WholeError| VerifyError::Image { reference: reference.to_owned(), source: Box::new(error) };
    let credentials = Arc::new(DockerConfig::locate(|name| env::var_os(name)));
    let source = source::open(&parsed, credentials).map_err(|error| image_error(error.into()))?;
    let image = check_whole(source.as_ref(), &ContentLimits::default()).map_err(image_error)?;
    let subject = Descriptor::new(&image.media_type, image.digest, image.size);
    let (keys, not_counted) = signed(source.as_ref(), reference, &subject, &keys)?;
    Ok(VerifySummary { schema: SCHEMA, image, keys, not_counted })
}

/// Checks that each of `keys` has signed `subject`, which `reference` names. Also gives what is attached and does not count.
pub(crate) fn signed(
    source: &dyn Source,
    reference: &str,
    subject: &Descriptor,
    keys: &[(PathBuf, PublicKey)],
) -> Result<(Vec<VerifiedKey>, Vec<NotCounted>), VerifyError> {
    let mut found = Found {
        signatures: keys.iter().map(|_| Vec::new()).collect(),
        keys: keys.iter().map(|(_, key)| key).collect(),
        not_counted: Vec::new(),
    };
    let documents = signature_documents(source, subject.digest).map_err(|error| VerifyError::Signatures {
        reference: reference.to_owned(),
        source: Box::new(error),
    })?;
    for document in documents {
        found.add(source, document, subject);
    }
    let Found { signatures, not_counted, .. } = found;
    let verified = keys.iter().zip(signatures).map(|((file, key), signatures)| VerifiedKey {
        file: file.clone(),
        fingerprint: Digest::of(&key.spki),
        signatures,
    });
    let (keys, missing): (Vec<_>, Vec<_>) = verified.partition(|key| !key.signatures.is_empty());
    if missing.is_empty() {
        return Ok((keys, not_counted));
    }
    let missing = missing.into_iter().map(|key| key.file).collect();
    Err(VerifyError::Unsigned { image: subject.digest, missing, not_counted })
}

/// Reads key files; one key in two of them is refused.
pub(crate) fn read_keys(files: &[PathBuf]) -> Result<Vec<(PathBuf, PublicKey)>, VerifyError> {
    let mut keys: Vec<(PathBuf, PublicKey)> = Vec::new();
    for path in files {
        let key = read_key(path)?;
        if let Some((first, _)) = keys.iter().find(|(_, other)| other.spki == key.spki) {
            return Err(VerifyError::SameKey { first: first.clone(), second: path.clone() });
        }
        keys.push((path.clone(), key));
    }
    Ok(keys)
}

fn read_key(path: &Path) -> Result<PublicKey, VerifyError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_KEY_FILE + 1).read_to_end(&mut bytes))
        .map_err(|source| VerifyError::KeyFile { path: path.to_owned(), source })?;
    public_key::from_pem(&path.display().to_string(), &bytes)
        .map_err(|source| VerifyError::Key { path: path.to_owned(), source })
}

/// What the attached documents come to.
struct Found<'a> {
    keys: Vec<&'a PublicKey>,
    /// By key.
    signatures: Vec<Vec<VerifiedSignature>>,
    not_counted: Vec<NotCounted>,
}

impl Found<'_> {
    fn add(&mut self, source: &dyn Source, document: Result<Document, SourceError>, subject: &Descriptor) {
        let Document { descriptor, bytes } = match document {
            Ok(document) => document,
            Err(error) => {
                self.not_counted.push(NotCounted { document: None, reason: error.to_string() });
                return;
            }
        };
        let mut read = |digest: &Digest, size: u64| {
            let mut bytes = Vec::new();
            let blob = Descriptor::new("application/octet-stream", *digest, size);
            source.copy(&blob, &mut bytes).map_err(io::Error::other)?;
            Ok(bytes)
        };
        let document = descriptor.digest;
        match read_artifact(&bytes, &mut read) {
            // Neither cosign's manifest nor a bundle: something about the image that is no signature.
            Ok(None) => {}
            Ok(Some(claims)) => {
                for claim in claims {
                    match self.judge(&claim, subject) {
                        Ok(key) => {
                            self.signatures[key].push(VerifiedSignature { format: claim.format, document });
                        }
                        Err(reason) => self.not_counted.push(NotCounted { document: Some(document), reason }),
                    }
                }
            }
            Err(error) => {
                self.not_counted.push(NotCounted { document: Some(document), reason: error.to_string() });
            }
        }
    }

    /// The key that has signed `subject` with this, or why it does not count.
    fn judge(&self, claim: &Claim, subject: &Descriptor) -> Result<usize, String> {
        let by = self.keys.iter().position(|key| claim.is_by(key));
        let key = by.ok_or("it was made with none of the given keys")?;
        // What is signed is the image, in whichever repository a copy of it lies.
        let image = SignedImage { descriptor: subject, references: &[] };
        covers(claim.format, &claim.payload, &image).map_err(|error| error.to_string())?;
        match claim.predicate_type() {
            Some(kind) if claim.format == PayloadFormat::Dsse && kind != SIGN_PREDICATE_TYPE => {
                Err(format!("it attests `{}`, which does not vouch for the image", kind.escape_debug()))
            }
            _ => Ok(key),
        }
    }
}
