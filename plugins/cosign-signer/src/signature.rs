//! One signature, as the host is told of it.

use seed_plugin::signer::{PayloadFormat, PublicKey, Signature};
use seed_plugin::{StageError, keyring};

/// Signs with one key and notes it for the host, which verifies it.
pub(crate) fn signature(
    key: &PublicKey,
    format: PayloadFormat,
    payload: Vec<u8>,
    noted: &mut Vec<Signature>,
) -> Result<Vec<u8>, StageError> {
    let signature = keyring::sign(&key.name, &payload)?;
    noted.push(Signature { key: key.clone(), format, payload, signature: signature.clone() });
    Ok(signature)
}
