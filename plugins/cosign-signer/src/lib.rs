//! Signs as cosign does, twice for each key: cosign up to 2 reads the legacy `.sig` tag, cosign 3 prefers bundles and
//! ignores the `.sig` tag as soon as somebody else's bundle is there.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking"))]

mod bundle;
mod legacy;
mod signature;

use seed_plugin::signer::{Algorithm, PublicKey, SignRequest, Signed, Signer};
use seed_plugin::{About, Diagnostic, Plugin, StageError, keyring};
use serde::Deserialize;

/// See `config.schema.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Config {
    #[serde(default = "default_public_key")]
    public_key: String,
}

fn default_public_key() -> String {
    "cosign.pub".to_owned()
}

struct CosignSigner;

impl Plugin for CosignSigner {
    type Config = Config;
    const ABOUT: About = seed_plugin::about!(include_str!("config.schema.json"));
}

impl Signer for CosignSigner {
    fn sign(config: Config, request: SignRequest) -> Result<Signed, StageError> {
        let keys = keys(&request)?;
        let mut signatures = Vec::new();
        let mut artifacts = vec![legacy::sign(&request, &keys, &mut signatures)?];
        for key in &keys {
            artifacts.push(bundle::sign(&request, key, &mut signatures)?);
        }
        Ok(Signed { artifacts, signatures, verify_with: Some(verify_command(&config.public_key)) })
    }
}

seed_plugin::export_signer!(CosignSigner);

/// The granted keys, all of a kind that cosign verifies.
fn keys(request: &SignRequest) -> Result<Vec<PublicKey>, StageError> {
    if request.keys.is_empty() {
        let line = "no key granted: add `grants = { keys = [\"NAME\"] }` to this `[[sign]]`, and define `[keys.NAME]`";
        return Err(StageError::Denied(line.to_owned()));
    }
    let keys = request.keys.iter().map(|name| keyring::get(name)).collect::<Result<Vec<_>, _>>()?;
    match keys.iter().find(|key| !matches!(key.algorithm, Algorithm::EcdsaP256Sha256)) {
        // cosign signs and verifies Ed25519 pre-hashed or pure, depending on its other options.
        Some(key) => {
            let message = format!(
                "key `{}` is not an ECDSA P-256 key, the only kind that every version of cosign verifies",
                key.name
            );
            Err(Diagnostic::error("cosign-signer::algorithm", &message)
                .with_help(
                    "run `cosign generate-key-pair` to make one, or use a signing plugin that supports this key",
                )
                .into())
        }
        None => Ok(keys),
    }
}

/// Without a transparency log there is nothing to look up; both major versions of cosign take these words.
fn verify_command(public_key: &str) -> String {
    format!("cosign verify --key {public_key} --insecure-ignore-tlog=true {{reference}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_key_of_the_schema() {
        seed_plugin::testing::knows_every_key::<CosignSigner>();
    }
}
