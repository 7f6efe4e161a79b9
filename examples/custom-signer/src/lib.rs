//! ACME's own signature: the digest of the image, signed with every granted key, attached as an artifact of type
//! `application/vnd.acme.signature.v1`, whose layer is the signature and whose annotations say who made it.

use seed_plugin::oci::{self, EMPTY_DOCUMENT, JsonDescriptor, Manifest, media_type};
use seed_plugin::signer::{
    Artifact, Attachment, PayloadFormat, PublicKey, SignRequest, Signature, Signed, Signer,
};
use seed_plugin::{About, Plugin, StageError, keyring};
use serde::Deserialize;

const ARTIFACT_TYPE: &str = "application/vnd.acme.signature.v1";

/// The `config` of this plugin in the pipeline file; the host checks it against `config.schema.json` first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default = "default_team")]
    team: String,
}

fn default_team() -> String {
    "platform".to_owned()
}

struct AcmeSigner;

impl Plugin for AcmeSigner {
    type Config = Config;
    const ABOUT: About = seed_plugin::about!(include_str!("config.schema.json"));
}

impl Signer for AcmeSigner {
    fn sign(config: Config, request: SignRequest) -> Result<Signed, StageError> {
        let mut signed = Signed { artifacts: vec![], signatures: vec![], verify_with: None };
        for name in &request.keys {
            // The private key stays with the host; what it signs is the digest as text.
            let key = keyring::get(name)?;
            let payload = request.subject.digest.clone().into_bytes();
            let signature = keyring::sign(name, &payload)?;
            signed.artifacts.push(artifact(&config, &request, &key, &signature)?);
            // The host verifies each signature that is listed here before anything is published.
            signed.signatures.push(Signature {
                key,
                format: PayloadFormat::SubjectDigest,
                payload,
                signature,
            });
        }
        Ok(signed)
    }
}

seed_plugin::export_signer!(AcmeSigner);

/// The manifest under which registries list the signature as a referrer of the image.
fn artifact(
    config: &Config,
    request: &SignRequest,
    key: &PublicKey,
    signature: &[u8],
) -> Result<Artifact, StageError> {
    let empty = oci::put(media_type::EMPTY, EMPTY_DOCUMENT)?;
    let layer = oci::put(ARTIFACT_TYPE, signature)?;
    let mut manifest = Manifest::new((&empty).into(), vec![(&layer).into()]);
    manifest.artifact_type = Some(ARTIFACT_TYPE.to_owned());
    manifest.subject = Some(JsonDescriptor::from(&request.subject));
    manifest.annotations = annotations(&config.team, &key.name);
    let descriptor = oci::put_json(media_type::MANIFEST, &manifest)?;
    Ok(Artifact { manifest: descriptor, attachment: Attachment::Referrer })
}

fn annotations(team: &str, key: &str) -> std::collections::BTreeMap<String, String> {
    [("com.acme.signature.team", team), ("com.acme.signature.key", key)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_who_signed() {
        let annotations = annotations("platform", "release");
        assert_eq!(annotations["com.acme.signature.team"], "platform");
        assert_eq!(annotations["com.acme.signature.key"], "release");
    }
}
