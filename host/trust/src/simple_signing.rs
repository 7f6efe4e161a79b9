//! cosign's "simple signing" payload (`sigstore/cosign`, `specs/SIGNATURE_SPEC.md`).

use std::collections::BTreeMap;

use seed_model::{Digest, json};
use serde::Deserialize;

/// Media type of a layer that holds this payload.
pub const SIMPLE_SIGNING_MEDIA_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const TYPE: &str = "cosign container image signature";

/// Who says what about which image.
#[derive(Clone, Debug, PartialEq)]
pub struct SimpleSigning {
    /// The repository the image was signed for, `host/repository`.
    pub docker_reference: String,
    pub digest: Digest,
    /// Annotations of the signer.
    pub optional: BTreeMap<String, serde_json::Value>,
}

/// Why bytes are not such a payload.
#[derive(Debug, thiserror::Error)]
pub enum SimpleSigningError {
    /// Not its JSON.
    #[error("the payload is not simple signing JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Another `critical.type`. cosign does not look, so we must.
    #[error("the payload's `critical.type` is {0:?}, expected `{TYPE}`")]
    Type(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PayloadJson {
    critical: CriticalJson,
    optional: Option<BTreeMap<String, serde_json::Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CriticalJson {
    identity: IdentityJson,
    image: ImageJson,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct IdentityJson {
    docker_reference: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ImageJson {
    docker_manifest_digest: Digest,
}

impl SimpleSigning {
    /// Reads a payload, strictly: exact `critical.type`, no unknown field, no key twice.
    pub fn parse(bytes: &[u8]) -> Result<Self, SimpleSigningError> {
        let payload: PayloadJson = json::parse(bytes)?;
        if payload.critical.kind != TYPE {
            return Err(SimpleSigningError::Type(payload.critical.kind.chars().take(80).collect()));
        }
        Ok(Self {
            docker_reference: payload.critical.identity.docker_reference,
            digest: payload.critical.image.docker_manifest_digest,
            optional: payload.optional.unwrap_or_default(),
        })
    }
}
