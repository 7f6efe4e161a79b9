//! Interfaces `keyring` and `signing`.

use seed_model as model;

use super::types::{TEXT, descriptor, pairs};
use crate::error::InvalidOutput;
use crate::text::printable;
use crate::v0_1::bindings::exports::seed::pipeline::signing as wit;
use crate::v0_1::bindings::seed::pipeline::keyring;

impl From<&model::SignRequest> for wit::Request {
    fn from(model: &model::SignRequest) -> Self {
        Self {
            config: model.config.clone(),
            keys: model.keys.clone(),
            subject: (&model.subject).into(),
            references: model.references.clone(),
            created: model.created.clone(),
            variables: pairs(&model.variables),
        }
    }
}

impl From<model::PublicKey> for keyring::PublicKey {
    fn from(model: model::PublicKey) -> Self {
        Self {
            name: model.name,
            algorithm: match model.algorithm {
                model::Algorithm::EcdsaP256Sha256 => keyring::Algorithm::EcdsaP256Sha256,
                model::Algorithm::Ed25519 => keyring::Algorithm::Ed25519,
            },
            spki: model.spki,
        }
    }
}

impl From<keyring::PublicKey> for model::PublicKey {
    fn from(wit: keyring::PublicKey) -> Self {
        Self {
            name: wit.name,
            algorithm: match wit.algorithm {
                keyring::Algorithm::EcdsaP256Sha256 => model::Algorithm::EcdsaP256Sha256,
                keyring::Algorithm::Ed25519 => model::Algorithm::Ed25519,
            },
            spki: wit.spki,
        }
    }
}

/// Signatures from a component.
pub(in crate::v0_1) fn signed(wit: wit::Signed) -> Result<model::Signed, InvalidOutput> {
    let artifact = |(i, artifact): (usize, wit::Artifact)| {
        Ok(model::Artifact {
            manifest: descriptor(&format!("artifacts[{i}].manifest"), artifact.manifest)?,
            attachment: artifact.attachment.into(),
        })
    };
    let signature = |signature: wit::Signature| model::Signature {
        key: signature.key.into(),
        format: match signature.format {
            wit::PayloadFormat::SimpleSigning => model::PayloadFormat::SimpleSigning,
            wit::PayloadFormat::Dsse => model::PayloadFormat::Dsse,
            wit::PayloadFormat::SubjectDigest => model::PayloadFormat::SubjectDigest,
            wit::PayloadFormat::SubjectBytes => model::PayloadFormat::SubjectBytes,
        },
        payload: signature.payload,
        signature: signature.signature,
    };
    Ok(model::Signed {
        artifacts: wit
            .artifacts
            .into_iter()
            .enumerate()
            .map(artifact)
            .collect::<Result<_, InvalidOutput>>()?,
        signatures: wit.signatures.into_iter().map(signature).collect(),
        verify_with: wit.verify_with.map(|command| printable(&command, TEXT)),
    })
}
