//! Checks what a signing plugin gave back, before anything of it is published.

use std::io;

use seed_model::{Artifact, Attachment, Descriptor, Digest, PublicKey, Signature, Signed};
use seed_trust::public_key::identity;
use seed_trust::{ArtifactError, BadSignature, CoverError, SignedImage, check_artifact, covers, verify};

use crate::capabilities::RunBlobs;
use crate::stages::artifact::{ContentError, SignedArtifact, content};
use crate::summary::SignatureSummary;

/// What is wrong with a signature.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// There is none.
    #[error("it made no signature")]
    None,
    /// The name of a key that somebody else has.
    #[error("the signature names the key `{0}` of [keys], which the plugin was not granted")]
    NotGranted(String),
    /// The key is not the one that the name stands for.
    #[error("the signature names the key `{0}` but has another public key")]
    OtherKey(String),
    /// One key under two names, which would count as two signers.
    #[error("it signed with one key under two names, `{first}` and `{second}`")]
    SameKey { first: String, second: String },
    /// The signature is wrong.
    #[error("the signature of the key `{name}` does not verify: {error}")]
    Verify { name: String, error: BadSignature },
    /// The payload is about something else.
    #[error("the payload signed by the key `{name}` does not cover the image: {error}")]
    Cover { name: String, error: CoverError },
    /// A document that is found from something else.
    #[error("a document that it attached does not have the subject {0}")]
    Referrer(Digest),
    /// A document at a tag that is not one for documents about the subject.
    #[error("it attached a document at the tag `{}`, which is not a tag for documents about the image", .0.escape_debug())]
    Tag(String),
    /// Something else at the tag for signatures.
    #[error("what it attached at the tag `{0}` are not signatures")]
    NotSignatures(String),
    /// A document to publish is wrong.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// A document to publish is incomplete.
    #[error(transparent)]
    Content(#[from] ContentError),
}

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    /// The manifest or index.
    pub(crate) descriptor: &'a Descriptor,
    /// The system of an image; none for an index.
    pub(crate) system: Option<&'a str>,
    /// Where it will be published.
    pub(crate) references: &'a [String],
}

/// What a plugin signed, checked.
#[derive(Debug, Default)]
pub(crate) struct SignedSubject {
    pub(crate) artifacts: Vec<SignedArtifact>,
    pub(crate) signatures: Vec<SignatureSummary>,
    pub(crate) verify_with: Option<String>,
}

/// Checks all that the plugin called `plugin` gave back. `keys` are what the names of its signatures' keys stand for.
pub(super) fn check(
    blobs: &RunBlobs,
    subject: Subject<'_>,
    plugin: &str,
    signed: Signed,
    keys: &[PublicKey],
) -> Result<SignedSubject, Refusal> {
    check_signatures(subject, &signed.signatures, keys)?;
    let image = image(subject);
    let mut artifacts = Vec::new();
    for artifact in signed.artifacts {
        artifacts.push(check_document(blobs, subject, &image, artifact, keys)?);
    }
    let signatures = signed.signatures.into_iter().map(|signature| SignatureSummary {
        plugin: plugin.to_owned(),
        key: signature.key.name,
        subject: subject.descriptor.digest,
    });
    Ok(SignedSubject { artifacts, signatures: signatures.collect(), verify_with: signed.verify_with })
}

/// Checks signatures, at least one, of which each is by the key at its place in `keys`.
pub(super) fn check_signatures(
    subject: Subject<'_>,
    signatures: &[Signature],
    keys: &[PublicKey],
) -> Result<(), Refusal> {
    if signatures.is_empty() {
        return Err(Refusal::None);
    }
    let image = image(subject);
    for (number, (signature, key)) in signatures.iter().zip(keys).enumerate() {
        check_signature(signature, key, &image)?;
        let is_same = |other: &&PublicKey| other.name != key.name && identity(other) == identity(key);
        if let Some(first) = keys[..number].iter().find(is_same) {
            return Err(Refusal::SameKey { first: first.name.clone(), second: key.name.clone() });
        }
    }
    Ok(())
}

fn image(subject: Subject<'_>) -> SignedImage<'_> {
    SignedImage { descriptor: subject.descriptor, references: subject.references }
}

fn check_signature(signature: &Signature, key: &PublicKey, image: &SignedImage<'_>) -> Result<(), Refusal> {
    let name = || signature.key.name.clone();
    if signature.key.name != key.name || identity(&signature.key) != identity(key) {
        return Err(Refusal::OtherKey(name()));
    }
    verify(key, &signature.payload, &signature.signature)
        .map_err(|error| Refusal::Verify { name: name(), error })?;
    covers(signature.format, &signature.payload, image)
        .map_err(|error| Refusal::Cover { name: name(), error })
}

/// Checks a document that is published: complete, and, where its kind is known, signed by `keys`.
fn check_document(
    blobs: &RunBlobs,
    subject: Subject<'_>,
    image: &SignedImage<'_>,
    artifact: Artifact,
    keys: &[PublicKey],
) -> Result<SignedArtifact, Refusal> {
    let (content, manifest) = content(blobs, &artifact.manifest)?;
    check_attached(&artifact.attachment, manifest.subject.as_ref(), subject.descriptor)?;
    let store = blobs.store();
    let mut read =
        |digest: &seed_model::Digest, limit: u64| store.document(*digest, limit).map_err(io::Error::other);
    let known = check_artifact(&manifest, &artifact.attachment, image, keys, &mut read)?;
    match &artifact.attachment {
        Attachment::AppendingTag(tag) if known.is_none() && tag.ends_with(SIGNATURES) => {
            Err(Refusal::NotSignatures(tag.clone()))
        }
        _ => Ok(()),
    }?;
    Ok(SignedArtifact { content, subject: subject.descriptor.digest, attachment: artifact.attachment })
}

/// How cosign's tag for signatures ends.
const SIGNATURES: &str = ".sig";

/// Checks that a document is attached to the subject and to nothing else: a tag of another form could be one that
/// people pull.
fn check_attached(
    attachment: &Attachment,
    refers_to: Option<&Descriptor>,
    subject: &Descriptor,
) -> Result<(), Refusal> {
    let is_subject = |found: &Descriptor| {
        (&found.media_type, found.digest, found.size) == (&subject.media_type, subject.digest, subject.size)
    };
    match attachment {
        Attachment::Referrer if refers_to.is_some_and(is_subject) => Ok(()),
        Attachment::Referrer => Err(Refusal::Referrer(subject.digest)),
        Attachment::AppendingTag(tag) => {
            let prefix = format!("{}.", subject.digest.tag());
            let is_word = |end: &str| !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_lowercase());
            let is_ours = tag.strip_prefix(&prefix).is_some_and(is_word);
            if is_ours && refers_to.is_none() { Ok(()) } else { Err(Refusal::Tag(tag.clone())) }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use insta::assert_snapshot;
    use seed_model::PayloadFormat;
    use seed_oci::BlobStore;
    use seed_runtime::capabilities::{Blobs, Keyring};
    use seed_trust::PrivateKey;

    use super::*;
    use crate::capabilities::RunKeyring;

    struct Case {
        _directory: tempfile::TempDir,
        blobs: RunBlobs,
        keyring: RunKeyring,
        subject: Descriptor,
    }

    impl Case {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let keys = ["other", "release"].map(|name| (name.to_owned(), PrivateKey::generate().unwrap()));
            Self {
                blobs: RunBlobs::new(BlobStore::open(directory.path()).unwrap()),
                keyring: RunKeyring::new(BTreeMap::from(keys)),
                subject: Descriptor::of("application/vnd.oci.image.manifest.v1+json", b"{}"),
                _directory: directory,
            }
        }

        fn key(&self, name: &str) -> PublicKey {
            self.keyring.get(name).unwrap()
        }

        /// A good signature by `release`, without documents.
        fn signed(&self) -> Signed {
            let payload = self.subject.digest.to_string().into_bytes();
            let signature = Signature {
                key: self.key("release"),
                format: PayloadFormat::SubjectDigest,
                signature: self.keyring.sign("release", &payload).unwrap(),
                payload,
            };
            Signed { artifacts: Vec::new(), signatures: vec![signature], verify_with: None }
        }

        fn check(&self, signed: Signed) -> Result<SignedSubject, Refusal> {
            self.check_with(signed, &[self.key("release")])
        }

        fn check_with(&self, signed: Signed, keys: &[PublicKey]) -> Result<SignedSubject, Refusal> {
            let subject = Subject { descriptor: &self.subject, system: None, references: &[] };
            check(&self.blobs, subject, "signer", signed, keys)
        }

        fn error(&self, change: impl FnOnce(&mut Signed)) -> String {
            let mut signed = self.signed();
            change(&mut signed);
            self.check(signed).unwrap_err().to_string().replace(&self.subject.digest.hex(), "SUBJECT")
        }

        fn artifact(&self, manifest: &[u8]) -> Artifact {
            self.blobs.put(manifest).unwrap();
            Artifact {
                manifest: Descriptor::of("application/vnd.oci.image.manifest.v1+json", manifest),
                attachment: Attachment::Referrer,
            }
        }
    }

    #[test]
    fn good_signatures_pass() {
        let case = Case::new();
        let signed = case.check(case.signed()).unwrap();
        assert_eq!(signed.signatures[0].key, "release");
        assert_eq!(signed.signatures[0].subject, case.subject.digest);
    }

    #[test]
    fn wrong_signatures_are_refused() {
        let case = Case::new();
        let errors = [
            case.error(|signed| signed.signatures.clear()),
            case.error(|signed| signed.signatures[0].key = case.key("other")),
            case.error(|signed| signed.signatures[0].key.spki = case.key("other").spki),
            case.error(|signed| signed.signatures[0].signature = case.keyring.sign("other", b"x").unwrap()),
            case.error(|signed| {
                signed.signatures[0].signature = case.keyring.sign("release", b"something else").unwrap();
                signed.signatures[0].payload = b"something else".to_vec();
            }),
        ];
        assert_snapshot!(errors.join("\n"));
    }

    #[test]
    fn one_key_under_two_names_is_one_signer() {
        let case = Case::new();
        let mut signed = case.signed();
        let mut again = signed.signatures[0].clone();
        again.key.name = "backup".to_owned();
        signed.signatures.push(again.clone());
        let error = case.check_with(signed, &[case.key("release"), again.key]).unwrap_err();
        assert_snapshot!(error, @"it signed with one key under two names, `release` and `backup`");
    }

    #[test]
    fn documents_must_be_whole_and_of_this_run() {
        let case = Case::new();
        let config = Descriptor::of("application/vnd.oci.empty.v1+json", b"{}");
        let manifest = |config: &Descriptor| {
            let document = serde_json::json!({
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": config,
                "layers": [],
                "subject": case.subject,
            });
            document.to_string().into_bytes()
        };
        let foreign = case.blobs.store().put(b"of another run").unwrap();
        let unknown = Artifact {
            manifest: Descriptor::new("application/vnd.oci.image.manifest.v1+json", foreign, 1),
            attachment: Attachment::Referrer,
        };
        let missing = case.artifact(&manifest(&Descriptor::of("x", b"never put")));
        let garbage = case.artifact(b"garbage");
        let mut longer = case.artifact(&manifest(&config));
        longer.manifest.size += 1;
        case.blobs.put(b"{}").unwrap();
        let errors = [unknown, missing, garbage, longer]
            .map(|artifact| case.error(|signed| signed.artifacts.push(artifact)));
        assert_snapshot!(errors.join("\n"));
        let whole = case.artifact(&manifest(&config));
        let mut signed = case.signed();
        signed.artifacts.push(whole);
        assert_eq!(case.check(signed).unwrap().artifacts[0].content.blobs, [config]);
    }
}
