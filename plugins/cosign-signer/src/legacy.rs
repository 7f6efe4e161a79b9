//! The `.sig` tag: a manifest with one layer per signature, each a "simple signing" payload.

use seed_plugin::base64::Engine;
use seed_plugin::base64::engine::general_purpose::STANDARD;
use seed_plugin::oci::{self, JsonDescriptor, Manifest, media_type};
use seed_plugin::signer::{Artifact, Attachment, PayloadFormat, PublicKey, SignRequest, Signature};
use seed_plugin::{StageError, appending, canonical_json, digest};
use serde_json::{Value, json};

use crate::signature::signature;

const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const SIGNATURE_ANNOTATION: &str = "dev.cosignproject.cosign/signature";

/// Signs once per key and repository.
pub(crate) fn sign(
    request: &SignRequest,
    keys: &[PublicKey],
    noted: &mut Vec<Signature>,
) -> Result<Artifact, StageError> {
    let subject = &request.subject.digest;
    let tag = digest::tag(subject)
        .ok_or_else(|| StageError::Failed(format!("`{subject}` is not a SHA-256 digest")))?;
    let mut layers = Vec::new();
    for reference in references(request) {
        let payload = canonical_json::to_vec(&payload(subject, reference))?;
        let descriptor = oci::put(SIMPLE_SIGNING, &payload)?;
        for key in keys {
            let signature = signature(key, PayloadFormat::SimpleSigning, payload.clone(), noted)?;
            let mut layer = JsonDescriptor::from(&descriptor);
            layer.annotations.insert(SIGNATURE_ANNOTATION.to_owned(), STANDARD.encode(signature));
            layers.push(layer);
        }
    }
    let config = oci::put_json(media_type::CONFIG, &appending::configuration(&layers))?;
    let manifest = oci::put_json(media_type::MANIFEST, &Manifest::new((&config).into(), layers))?;
    Ok(Artifact { manifest, attachment: Attachment::AppendingTag(format!("{tag}.sig")) })
}

/// The repositories that the payloads name; the image's name if it goes into files only.
fn references(request: &SignRequest) -> Vec<&str> {
    if request.references.is_empty() {
        let name = request.variables.iter().find(|(name, _)| name == "name");
        return vec![name.map_or("", |(_, value)| value)];
    }
    request.references.iter().map(String::as_str).collect()
}

/// containers/image, `docs/containers-signature.5.md`, with cosign's own type.
fn payload(subject: &str, reference: &str) -> Value {
    json!({
        "critical": {
            "identity": {"docker-reference": reference},
            "image": {"docker-manifest-digest": subject},
            "type": "cosign container image signature",
        },
        "optional": null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_payload_that_cosign_writes() {
        let bytes = canonical_json::to_vec(&payload("sha256:aa", "ghcr.io/org/app")).unwrap();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "{\"critical\":{\"identity\":{\"docker-reference\":\"ghcr.io/org/app\"},\
             \"image\":{\"docker-manifest-digest\":\"sha256:aa\"},\
             \"type\":\"cosign container image signature\"},\"optional\":null}"
        );
    }
}
