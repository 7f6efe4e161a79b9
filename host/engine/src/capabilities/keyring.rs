//! Granted keys: private bytes stay here.

use std::collections::BTreeMap;
use std::fmt;

use seed_model::{PublicKey, StageError};
use seed_runtime::capabilities::Keyring;
use seed_trust::PrivateKey;

/// The keys that one plugin may use.
pub(crate) struct RunKeyring {
    keys: BTreeMap<String, PrivateKey>,
}

impl RunKeyring {
    pub(crate) fn new(keys: BTreeMap<String, PrivateKey>) -> Self {
        Self { keys }
    }

    /// The public sides, sorted by name.
    pub(crate) fn public_keys(&self) -> Vec<PublicKey> {
        self.keys.iter().map(|(name, key)| key.public(name)).collect()
    }

    fn key(&self, name: &str) -> Result<&PrivateKey, StageError> {
        self.keys.get(name).ok_or_else(|| {
            let names: Vec<_> =
                self.keys.keys().map(String::as_str).chain([name]).map(|name| format!("{name:?}")).collect();
            StageError::Denied(format!(
                "the key `{}`: no `keys` grant names it; to allow it, write grants = {{ keys = [{}] }}",
                name.escape_debug(),
                names.join(", ")
            ))
        })
    }
}

impl fmt::Debug for RunKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys.keys()).finish()
    }
}

impl Keyring for RunKeyring {
    fn get(&self, name: &str) -> Result<PublicKey, StageError> {
        Ok(self.key(name)?.public(name))
    }

    fn sign(&self, name: &str, payload: &[u8]) -> Result<Vec<u8>, StageError> {
        Ok(self.key(name)?.sign(payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_granted_keys_sign() {
        let key = PrivateKey::generate().unwrap();
        let keyring = RunKeyring::new(BTreeMap::from([("release".to_owned(), key)]));
        let signature = keyring.sign("release", b"payload").unwrap();
        seed_trust::verify(&keyring.get("release").unwrap(), b"payload", &signature).unwrap();
        let denied = keyring.sign("root", b"payload").unwrap_err();
        insta::assert_snapshot!(denied, @r#"not granted: the key `root`: no `keys` grant names it; to allow it, write grants = { keys = ["release", "root"] }"#);
        assert_eq!(format!("{keyring:?}"), r#"{"release"}"#);
    }
}
