//! Signature documents of real cosigns, and forged ones.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::io;

use seed_model::{Attachment, Descriptor, Digest, Manifest, PayloadFormat, PublicKey};
use seed_trust::{ArtifactError, SignedImage, check_artifact, covers, dsse, public_key, read_artifact};
use serde_json::{Value, json};

macro_rules! fixture {
    ($path:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/", $path)).as_slice()
    };
}

const SUBJECT: &[u8] = fixture!("subject.json");
const REPOSITORY: &str = "127.0.0.1:5971/org/app";

/// A signature document with its blobs.
#[derive(Clone)]
struct Document {
    manifest: Value,
    attachment: Attachment,
    blobs: BTreeMap<Digest, Vec<u8>>,
    key: PublicKey,
}

impl Document {
    fn of_cosign_2() -> Self {
        let payload = fixture!("cosign-2.5.0/simple-signing.json");
        Self {
            manifest: serde_json::from_slice(fixture!("cosign-2.5.0/sig-manifest.json")).unwrap(),
            attachment: Attachment::AppendingTag(format!("sha256-{}.sig", Digest::of(SUBJECT).hex())),
            blobs: BTreeMap::from([(Digest::of(payload), payload.to_vec())]),
            key: public_key::from_pem("release", fixture!("cosign-2.5.0/cosign.pub")).unwrap(),
        }
    }

    fn of_cosign_3() -> Self {
        let bundle = fixture!("cosign-3.1.1/bundle.json");
        Self {
            manifest: serde_json::from_slice(fixture!("cosign-3.1.1/referrer-manifest.json")).unwrap(),
            attachment: Attachment::Referrer,
            blobs: BTreeMap::from([(Digest::of(bundle), bundle.to_vec())]),
            key: public_key::from_pem("release", fixture!("cosign-3.1.1/cosign.pub")).unwrap(),
        }
    }

    fn read(&self, digest: &Digest) -> io::Result<Vec<u8>> {
        self.blobs.get(digest).cloned().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such blob"))
    }

    fn manifest(&self) -> Manifest {
        serde_json::from_value(self.manifest.clone()).unwrap()
    }

    fn check(&self, subject: &[u8], repository: &str) -> Result<Option<usize>, ArtifactError> {
        let descriptor = Descriptor::of("application/vnd.oci.image.manifest.v1+json", subject);
        let image = SignedImage { descriptor: &descriptor, references: &[repository.to_owned()] };
        check_artifact(
            &self.manifest(),
            &self.attachment,
            &image,
            std::slice::from_ref(&self.key),
            &mut |digest, _| self.read(digest),
        )
    }

    /// The same with its manifest changed.
    fn with_manifest(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.manifest);
        self
    }

    /// The same with its one blob changed, and the descriptor made to fit.
    fn with_blob(mut self, change: impl FnOnce(&mut Value)) -> Self {
        let mut blob: Value = serde_json::from_slice(self.blobs.values().next().unwrap()).unwrap();
        change(&mut blob);
        let blob = blob.to_string().into_bytes();
        let digest = Digest::of(&blob);
        let size = blob.len();
        self.blobs = BTreeMap::from([(digest, blob)]);
        self.with_manifest(|manifest| {
            manifest["layers"][0]["digest"] = json!(digest);
            manifest["layers"][0]["size"] = json!(size);
        })
    }
}

#[test]
fn documents_of_both_cosigns_hold() {
    assert_eq!(Document::of_cosign_2().check(SUBJECT, REPOSITORY).unwrap(), Some(1));
    assert_eq!(Document::of_cosign_3().check(SUBJECT, REPOSITORY).unwrap(), Some(1));
}

#[test]
fn a_document_of_another_kind_is_left_to_its_plugin() {
    let document = Document::of_cosign_3().with_manifest(|manifest| {
        manifest["artifactType"] = json!("application/vnd.acme.signature");
        manifest["layers"][0]["mediaType"] = json!("application/vnd.acme.signature");
    });
    assert_eq!(document.check(SUBJECT, REPOSITORY).unwrap(), None);
    assert!(read_artifact(&document.manifest(), &mut |digest, _| document.read(digest)).unwrap().is_none());
}

#[test]
fn forged_sig_manifests_are_refused_with_the_reason() {
    let two = Document::of_cosign_2;
    let mut foreign = two();
    foreign.key = Document::of_cosign_3().key;
    let mut other_tag = two();
    other_tag.attachment = Attachment::AppendingTag("latest".to_owned());
    let mut as_referrer = two();
    as_referrer.attachment = Attachment::Referrer;
    let mut missing = two();
    missing.blobs.clear();
    let mut lying = two();
    lying.blobs.values_mut().for_each(|blob| blob.push(b' '));
    let mut flipped = two();
    flipped.blobs.values_mut().for_each(|blob| blob[10] ^= 1);
    let cases = [
        (".sig by another key", foreign.check(SUBJECT, REPOSITORY)),
        (".sig for another repository", two().check(SUBJECT, "example.org/other")),
        (".sig under another image", two().check(b"{}", REPOSITORY)),
        (".sig at another tag", other_tag.check(SUBJECT, REPOSITORY)),
        (".sig as a referrer", as_referrer.check(SUBJECT, REPOSITORY)),
        (".sig without its payload", missing.check(SUBJECT, REPOSITORY)),
        (".sig with more bytes", lying.check(SUBJECT, REPOSITORY)),
        (".sig with other bytes", flipped.check(SUBJECT, REPOSITORY)),
        (
            ".sig with a changed payload",
            two().with_blob(|b| b["optional"] = json!({"a": "b"})).check(SUBJECT, REPOSITORY),
        ),
        (
            ".sig without annotation",
            two().with_manifest(|m| m["layers"][0]["annotations"] = json!({})).check(SUBJECT, REPOSITORY),
        ),
        (
            ".sig with a huge layer",
            two().with_manifest(|m| m["layers"][0]["size"] = json!(1_u64 << 40)).check(SUBJECT, REPOSITORY),
        ),
        (
            ".sig with a stray layer",
            two()
                .with_manifest(|m| {
                    let mut stray = m["layers"][0].clone();
                    stray["mediaType"] = json!("text/plain");
                    m["layers"].as_array_mut().unwrap().push(stray);
                })
                .check(SUBJECT, REPOSITORY),
        ),
    ];
    let shown = cases.map(|(name, result)| format!("{name}: {}", result.unwrap_err()));
    insta::assert_snapshot!(shown.join("\n"), @r#"
    .sig by another key: a signature in the document is not by any of the keys release
    .sig for another repository: the payload is for the repository "127.0.0.1:5971/org/app", expected example.org/other
    .sig under another image: the signature is attached to sha256-61f0f4a485b0503b6ac076c7171318d89d69211f3b58dc86a861a68c8112e0e9.sig, not to sha256-44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a.sig
    .sig at another tag: the signature is attached to latest, not to sha256-61f0f4a485b0503b6ac076c7171318d89d69211f3b58dc86a861a68c8112e0e9.sig
    .sig as a referrer: the signature is attached to a subject, not to the tag sha256-61f0f4a485b0503b6ac076c7171318d89d69211f3b58dc86a861a68c8112e0e9.sig
    .sig without its payload: cannot read the signature layer sha256:ac49cdb410e26862fd81e720dbbdda0bc8e39112c211a0b4513e88c6454d90be: no such blob
    .sig with more bytes: the signature layer sha256:ac49cdb410e26862fd81e720dbbdda0bc8e39112c211a0b4513e88c6454d90be does not match its descriptor
    .sig with other bytes: the signature layer sha256:ac49cdb410e26862fd81e720dbbdda0bc8e39112c211a0b4513e88c6454d90be does not match its descriptor
    .sig with a changed payload: a signature in the document is not by any of the keys release
    .sig without annotation: the signature layer sha256:ac49cdb410e26862fd81e720dbbdda0bc8e39112c211a0b4513e88c6454d90be has no base64 annotation `dev.cosignproject.cosign/signature`
    .sig with a huge layer: the signature layer sha256:ac49cdb410e26862fd81e720dbbdda0bc8e39112c211a0b4513e88c6454d90be has 1099511627776 bytes, more than the limit
    .sig with a stray layer: the signature layer sha256:ac49cdb410e26862fd81e720dbbdda0bc8e39112c211a0b4513e88c6454d90be has the media type "text/plain", expected `application/vnd.dev.cosign.simplesigning.v1+json`
    "#);
}

#[test]
fn forged_bundles_are_refused_with_the_reason() {
    let three = Document::of_cosign_3;
    let mut foreign = three();
    foreign.key = Document::of_cosign_2().key;
    let cases = [
        ("bundle by another key", foreign.check(SUBJECT, REPOSITORY)),
        ("bundle under another image", three().check(b"{}", REPOSITORY)),
        (
            "bundle moved to another image",
            three()
                .with_manifest(|m| {
                    m["subject"]["digest"] = json!(Digest::of(b"{}"));
                    m["subject"]["size"] = json!(2);
                })
                .check(b"{}", REPOSITORY),
        ),
        (
            "bundle without subject",
            three()
                .with_manifest(|m| _ = m.as_object_mut().unwrap().remove("subject"))
                .check(SUBJECT, REPOSITORY),
        ),
        (
            "bundle with two layers",
            three()
                .with_manifest(|m| {
                    let layer = m["layers"][0].clone();
                    m["layers"].as_array_mut().unwrap().push(layer);
                })
                .check(SUBJECT, REPOSITORY),
        ),
        (
            "bundle with a wrong hint",
            three()
                .with_blob(|b| b["verificationMaterial"]["publicKey"]["hint"] = json!("A".repeat(43)))
                .check(SUBJECT, REPOSITORY),
        ),
        (
            "bundle with a keyid",
            three()
                .with_blob(|b| b["dsseEnvelope"]["signatures"][0]["keyid"] = json!("me"))
                .check(SUBJECT, REPOSITORY),
        ),
        (
            "bundle with two signatures",
            three()
                .with_blob(|b| {
                    let signature = b["dsseEnvelope"]["signatures"][0].clone();
                    b["dsseEnvelope"]["signatures"].as_array_mut().unwrap().push(signature);
                })
                .check(SUBJECT, REPOSITORY),
        ),
        (
            "bundle with another payload type",
            three()
                .with_blob(|b| b["dsseEnvelope"]["payloadType"] = json!("text/plain"))
                .check(SUBJECT, REPOSITORY),
        ),
        (
            "bundle of another version",
            three()
                .with_blob(|b| b["mediaType"] = json!("application/vnd.dev.sigstore.bundle.v0.2+json"))
                .check(SUBJECT, REPOSITORY),
        ),
        (
            "bundle with an unknown field",
            three().with_blob(|b| b["more"] = json!(1)).check(SUBJECT, REPOSITORY),
        ),
    ];
    let shown = cases.map(|(name, result)| format!("{name}: {}", result.unwrap_err()));
    insta::assert_snapshot!(shown.join("\n"), @r#"
    bundle by another key: a signature in the document is not by any of the keys release
    bundle under another image: the signature is attached to application/vnd.oci.image.manifest.v1+json sha256:61f0f4a485b0503b6ac076c7171318d89d69211f3b58dc86a861a68c8112e0e9 of 192 bytes, not to application/vnd.oci.image.manifest.v1+json sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a of 2 bytes
    bundle moved to another image: the payload's subject is sha256:61f0f4a485b0503b6ac076c7171318d89d69211f3b58dc86a861a68c8112e0e9, expected sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a
    bundle without subject: the signature is attached to nothing, not to application/vnd.oci.image.manifest.v1+json sha256:61f0f4a485b0503b6ac076c7171318d89d69211f3b58dc86a861a68c8112e0e9 of 192 bytes
    bundle with two layers: the signature manifest has 2 layers, expected 1
    bundle with a wrong hint: a signature in the document is not by any of the keys release
    bundle with a keyid: the bundle's signature has a `keyid`; it must be left empty
    bundle with two signatures: the bundle's envelope has 2 signatures, expected exactly 1
    bundle with another payload type: a signature in the document is not by any of the keys release
    bundle of another version: the bundle's `mediaType` is "application/vnd.dev.sigstore.bundle.v0.2+json", expected `application/vnd.dev.sigstore.bundle.v0.3+json`
    bundle with an unknown field: the bundle is not Sigstore bundle JSON: unknown field `more`, expected one of `mediaType`, `verificationMaterial`, `dsseEnvelope` at line 1 column 665
    "#);
}

#[test]
fn a_payload_covers_only_what_it_names() {
    let digest = Digest::of(SUBJECT);
    let statement = |edit: &dyn Fn(&mut Value)| {
        let mut statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {"sha256": digest.hex()}}],
            "predicateType": "https://sigstore.dev/cosign/sign/v1",
            "predicate": {},
        });
        edit(&mut statement);
        dsse::pae("application/vnd.in-toto+json", statement.to_string().as_bytes())
    };
    let signing = |edit: &dyn Fn(&mut Value)| {
        let mut payload: Value =
            serde_json::from_slice(fixture!("cosign-2.5.0/simple-signing.json")).unwrap();
        edit(&mut payload);
        payload.to_string().into_bytes()
    };
    let (simple, dsse) = (PayloadFormat::SimpleSigning, PayloadFormat::Dsse);
    let cases = [
        ("simple signing", simple, signing(&|_| {})),
        ("podman's type", simple, signing(&|p| p["critical"]["type"] = json!("atomic container signature"))),
        ("an unknown field", simple, signing(&|p| p["critical"]["more"] = json!(1))),
        (
            "another image",
            simple,
            signing(&|p| p["critical"]["image"]["docker-manifest-digest"] = json!(Digest::of(b""))),
        ),
        (
            "an upper-case digest",
            simple,
            signing(&|p| {
                p["critical"]["image"]["docker-manifest-digest"] =
                    json!(format!("sha256:{}", digest.hex().to_uppercase()));
            }),
        ),
        ("a statement", dsse, statement(&|_| {})),
        ("a statement v0.1", dsse, statement(&|s| s["_type"] = json!("https://in-toto.io/Statement/v0.1"))),
        ("a nonsense type", dsse, statement(&|s| s["_type"] = json!("nonsense"))),
        ("a string predicate", dsse, statement(&|s| s["predicate"] = json!("text"))),
        ("a prefixed digest", dsse, statement(&|s| s["subject"][0]["digest"]["sha256"] = json!(digest))),
        ("only sha512", dsse, statement(&|s| s["subject"][0]["digest"] = json!({"sha512": "00"}))),
        (
            "another image",
            dsse,
            statement(&|s| s["subject"][0]["digest"]["sha256"] = json!(Digest::of(b"").hex())),
        ),
        (
            "a decoy beside it",
            dsse,
            statement(&|s| {
                let subject = s["subject"][0].clone();
                s["subject"].as_array_mut().unwrap().push(subject);
            }),
        ),
        ("a bare statement", dsse, statement(&|_| {})[42..].to_vec()),
        ("the digest", PayloadFormat::SubjectDigest, digest.to_string().into_bytes()),
        ("the digest and a line break", PayloadFormat::SubjectDigest, format!("{digest}\n").into_bytes()),
        ("the bytes", PayloadFormat::SubjectBytes, SUBJECT.to_vec()),
        ("other bytes", PayloadFormat::SubjectBytes, b"{}".to_vec()),
        ("5 MiB", PayloadFormat::SubjectBytes, vec![0; 5 << 20]),
    ];
    let descriptor = Descriptor::of("application/vnd.oci.image.manifest.v1+json", SUBJECT);
    let image = SignedImage { descriptor: &descriptor, references: &[] };
    let mut shown = Vec::new();
    for (name, format, payload) in cases {
        let verdict = covers(format, &payload, &image)
            .map_or_else(|error| error.to_string(), |()| "covered".to_owned());
        shown.push(format!("{format:?}, {name}: {verdict}"));
    }
    insta::assert_snapshot!(shown.join("\n"), @r#"
    SimpleSigning, simple signing: covered
    SimpleSigning, podman's type: the payload's `critical.type` is "atomic container signature", expected `cosign container image signature`
    SimpleSigning, an unknown field: the payload is not simple signing JSON: unknown field `more`, expected one of `identity`, `image`, `type` at line 1 column 227
    SimpleSigning, another image: the payload's subject is sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, expected sha256:61f0f4a485b0503b6ac076c7171318d89d69211f3b58dc86a861a68c8112e0e9
    SimpleSigning, an upper-case digest: the payload is not simple signing JSON: `sha256:61F0F4A485B0503B6AC076C7171318D89D69211F3B58DC86A861A68C8112E0E9` is not a digest: expected `sha256:` and 64 lower-case hexadecimal digits at line 1 column 178
    Dsse, a statement: covered
    Dsse, a statement v0.1: covered
    Dsse, a nonsense type: the statement's `_type` is "nonsense", expected `https://in-toto.io/Statement/v1`
    Dsse, a string predicate: the payload is not an in-toto statement: invalid type: string "text", expected a map at line 1 column 216
    Dsse, a prefixed digest: the statement's subject has no `sha256` digest of 64 lower-case hexadecimal digits
    Dsse, only sha512: the statement's subject has no `sha256` digest of 64 lower-case hexadecimal digits
    Dsse, another image: the payload's subject is sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, expected sha256:61f0f4a485b0503b6ac076c7171318d89d69211f3b58dc86a861a68c8112e0e9
    Dsse, a decoy beside it: the statement has 2 subjects, expected exactly 1
    Dsse, a bare statement: the payload is not the DSSE pre-authentication encoding of `application/vnd.in-toto+json`
    SubjectDigest, the digest: covered
    SubjectDigest, the digest and a line break: the payload is not the text `sha256:61f0f4a485b0503b6ac076c7171318d89d69211f3b58dc86a861a68c8112e0e9`
    SubjectBytes, the bytes: covered
    SubjectBytes, other bytes: the payload is not the bytes of sha256:61f0f4a485b0503b6ac076c7171318d89d69211f3b58dc86a861a68c8112e0e9
    SubjectBytes, 5 MiB: the payload has 5242880 bytes, more than 4194304
    "#);
}
