//! The Sigstore bundle, version 0.3, as a referrer: what `cosign sign` of version 3 writes. The signature is over an
//! in-toto statement that has the image as its subject and says nothing else.

use std::collections::BTreeMap;

use seed_plugin::base64::Engine;
use seed_plugin::base64::engine::general_purpose::STANDARD;
use seed_plugin::dsse::{Envelope, IN_TOTO_PAYLOAD_TYPE, pre_authentication_encoding};
use seed_plugin::oci::{self, EMPTY_DOCUMENT, JsonDescriptor, Manifest, media_type};
use seed_plugin::signer::{Artifact, Attachment, PayloadFormat, PublicKey, SignRequest, Signature};
use seed_plugin::statement::Statement;
use seed_plugin::{Descriptor, StageError, canonical_json};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::signature::signature;

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";

/// A bundle. cosign parses it strictly: no other field may be added.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    dsse_envelope: Envelope,
    media_type: &'static str,
    verification_material: VerificationMaterial,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct VerificationMaterial {
    public_key: PublicKeyHint,
}

#[derive(Debug, Serialize)]
struct PublicKeyHint {
    hint: String,
}

/// Signs with one key.
pub(crate) fn sign(
    request: &SignRequest,
    key: &PublicKey,
    noted: &mut Vec<Signature>,
) -> Result<Artifact, StageError> {
    let subject = &request.subject;
    let statement = Statement::about(&subject.digest, PREDICATE, serde_json::Map::new())
        .ok_or_else(|| StageError::Failed(format!("`{}` is not a SHA-256 digest", subject.digest)))?;
    let payload = canonical_json::to_vec(&statement)?;
    let signed = pre_authentication_encoding(IN_TOTO_PAYLOAD_TYPE, &payload);
    let signature = signature(key, PayloadFormat::Dsse, signed, noted)?;

    let layer = oci::put_json(BUNDLE, &bundle(key, &payload, &signature))?;
    let mut config = oci::put(media_type::EMPTY, EMPTY_DOCUMENT)?;
    config.artifact_type = Some(BUNDLE.to_owned());
    let document = manifest(subject, &request.created, &config, &layer);
    let mut manifest = oci::put_json(media_type::MANIFEST, &document)?;
    manifest.artifact_type = document.artifact_type;
    manifest.annotations = document.annotations.into_iter().collect();
    Ok(Artifact { manifest, attachment: Attachment::Referrer })
}

fn bundle(key: &PublicKey, payload: &[u8], signature: &[u8]) -> Bundle {
    let hint = STANDARD.encode(Sha256::digest(&key.spki));
    Bundle {
        dsse_envelope: Envelope::new(IN_TOTO_PAYLOAD_TYPE, payload, signature),
        media_type: BUNDLE,
        verification_material: VerificationMaterial { public_key: PublicKeyHint { hint } },
    }
}

fn manifest(subject: &Descriptor, created: &str, config: &Descriptor, layer: &Descriptor) -> Manifest {
    let annotation = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    let mut manifest = Manifest::new(config.into(), vec![layer.into()]);
    manifest.artifact_type = Some(BUNDLE.to_owned());
    // Nothing but type, digest and size: the subject's annotations are not ours to repeat.
    manifest.subject = Some(JsonDescriptor {
        media_type: subject.media_type.clone(),
        digest: subject.digest.clone(),
        size: subject.size,
        artifact_type: None,
        platform: None,
        annotations: BTreeMap::new(),
        other: BTreeMap::new(),
    });
    manifest.annotations = [
        ("dev.sigstore.bundle.content", "dsse-envelope"),
        ("dev.sigstore.bundle.predicateType", PREDICATE),
        ("org.opencontainers.image.created", created),
    ]
    .map(annotation)
    .into();
    manifest
}

#[cfg(test)]
mod tests {
    use seed_plugin::signer::Algorithm;

    use super::*;

    fn descriptor(digit: &str, media_type: &str) -> Descriptor {
        Descriptor {
            media_type: media_type.to_owned(),
            digest: format!("sha256:{}", digit.repeat(64)),
            size: 2,
            artifact_type: None,
            platform: None,
            annotations: vec![("not".to_owned(), "repeated".to_owned())],
        }
    }

    fn text<T: Serialize>(document: &T) -> String {
        String::from_utf8(canonical_json::to_vec(document).unwrap()).unwrap()
    }

    #[test]
    fn writes_a_bundle_without_key_id() {
        let key =
            PublicKey { name: "k".to_owned(), algorithm: Algorithm::EcdsaP256Sha256, spki: b"spki".to_vec() };
        let expected = "{\"dsseEnvelope\":{\"payload\":\"e30=\",\"payloadType\":\"application/vnd.in-toto+json\",\
             \"signatures\":[{\"sig\":\"c2ln\"}]},\
             \"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\
             \"verificationMaterial\":{\"publicKey\":{\"hint\":\"b+7MjBbFVR2f6z61934tp3O/aL2e+cUpJ86yyG5WiSs=\"}}}";
        assert_eq!(text(&bundle(&key, b"{}", b"sig")), expected);
    }

    #[test]
    fn writes_the_manifest_of_a_referrer() {
        let mut config = descriptor("c", media_type::EMPTY);
        config.annotations.clear();
        config.artifact_type = Some(BUNDLE.to_owned());
        let mut layer = descriptor("1", BUNDLE);
        layer.annotations.clear();
        let subject = descriptor("5", media_type::MANIFEST);
        let expected = format!(
            "{{\"annotations\":{{\"dev.sigstore.bundle.content\":\"dsse-envelope\",\
             \"dev.sigstore.bundle.predicateType\":\"https://sigstore.dev/cosign/sign/v1\",\
             \"org.opencontainers.image.created\":\"1970-01-01T00:00:01Z\"}},\
             \"artifactType\":\"{BUNDLE}\",\
             \"config\":{{\"artifactType\":\"{BUNDLE}\",\"digest\":\"sha256:{c}\",\
             \"mediaType\":\"application/vnd.oci.empty.v1+json\",\"size\":2}},\
             \"layers\":[{{\"digest\":\"sha256:{l}\",\"mediaType\":\"{BUNDLE}\",\"size\":2}}],\
             \"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"schemaVersion\":2,\
             \"subject\":{{\"digest\":\"sha256:{s}\",\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\
             \"size\":2}}}}",
            c = "c".repeat(64),
            l = "1".repeat(64),
            s = "5".repeat(64),
        );
        assert_eq!(text(&manifest(&subject, "1970-01-01T00:00:01Z", &config, &layer)), expected);
    }
}
