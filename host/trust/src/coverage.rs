//! Whether signed bytes are about a certain image.

use seed_model::{Descriptor, Digest, PayloadFormat};

use crate::dsse;
use crate::simple_signing::{SimpleSigning, SimpleSigningError};
use crate::statement::{IN_TOTO_PAYLOAD_TYPE, Statement, StatementError};

/// Longest payload that is looked at: 4 MiB, as long as what the keyring signs.
const MAX_PAYLOAD: usize = 4 << 20;

/// The image that a signature has to be about.
#[derive(Clone, Copy, Debug)]
pub struct SignedImage<'a> {
    /// Its manifest or index.
    pub descriptor: &'a Descriptor,
    /// Where it is published, as `host/repository`; empty if any repository will do.
    pub references: &'a [String],
}

/// Why a payload does not cover a subject.
#[derive(Debug, thiserror::Error)]
pub enum CoverError {
    /// Longer than 4 MiB.
    #[error("the payload has {0} bytes, more than {MAX_PAYLOAD}")]
    TooLong(usize),
    /// Not a simple signing payload.
    #[error(transparent)]
    SimpleSigning(#[from] SimpleSigningError),
    /// Not the pre-authentication encoding of an in-toto statement.
    #[error("the payload is not the DSSE pre-authentication encoding of `{IN_TOTO_PAYLOAD_TYPE}`")]
    NotDsse,
    /// Not a statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// More than the one subject that a signature is about.
    #[error("the statement has {0} subjects, expected exactly 1")]
    SubjectCount(usize),
    /// No usable digest.
    #[error("the statement's subject has no `sha256` digest of 64 lower-case hexadecimal digits")]
    NoDigest,
    /// About something else.
    #[error("the payload's subject is {signed}, expected {expected}")]
    OtherSubject {
        /// What it is about.
        signed: Digest,
        /// What it should be about.
        expected: Digest,
    },
    /// For a repository that was not asked for.
    #[error("the payload is for the repository {signed:?}, expected {}", expected.join(" or "))]
    OtherRepository {
        /// The repository in the payload.
        signed: String,
        /// Where the image is published.
        expected: Vec<String>,
    },
    /// Not the text of the subject's digest.
    #[error("the payload is not the text `{0}`")]
    NotTheDigest(Digest),
    /// Not the subject's bytes.
    #[error("the payload is not the bytes of {0}")]
    NotTheBytes(Digest),
}

/// Checks that `payload`, the exact bytes that were signed, covers `image` in the way that `format` says.
///
/// It is stricter than cosign, which compares only the digest: the types must be exact, a statement must have one
/// subject, and a simple signing payload must be for a repository where the image is published.
pub fn covers(format: PayloadFormat, payload: &[u8], image: &SignedImage<'_>) -> Result<(), CoverError> {
    if payload.len() > MAX_PAYLOAD {
        return Err(CoverError::TooLong(payload.len()));
    }
    let expected = image.descriptor.digest;
    let signed = match format {
        PayloadFormat::SimpleSigning => {
            let payload = SimpleSigning::parse(payload)?;
            check_repository(&payload.docker_reference, image.references)?;
            payload.digest
        }
        PayloadFormat::Dsse => subject_of_statement(payload)?,
        PayloadFormat::SubjectDigest if payload == expected.to_string().as_bytes() => expected,
        PayloadFormat::SubjectDigest => return Err(CoverError::NotTheDigest(expected)),
        PayloadFormat::SubjectBytes => {
            let digest = Digest::of(payload);
            if digest != expected {
                return Err(CoverError::NotTheBytes(expected));
            }
            digest
        }
    };
    if signed == expected { Ok(()) } else { Err(CoverError::OtherSubject { signed, expected }) }
}

fn check_repository(signed: &str, expected: &[String]) -> Result<(), CoverError> {
    if expected.is_empty() || expected.iter().any(|repository| repository == signed) {
        return Ok(());
    }
    let signed = signed.chars().take(200).collect();
    Err(CoverError::OtherRepository { signed, expected: expected.to_vec() })
}

fn subject_of_statement(payload: &[u8]) -> Result<Digest, CoverError> {
    let (payload_type, body) = dsse::split_pae(payload).ok_or(CoverError::NotDsse)?;
    if payload_type != IN_TOTO_PAYLOAD_TYPE {
        return Err(CoverError::NotDsse);
    }
    let statement = Statement::parse(body)?;
    let [subject] = statement.subject.as_slice() else {
        return Err(CoverError::SubjectCount(statement.subject.len()));
    };
    let hex = subject.digest.get("sha256").ok_or(CoverError::NoDigest)?;
    format!("sha256:{hex}").parse().map_err(|_| CoverError::NoDigest)
}
