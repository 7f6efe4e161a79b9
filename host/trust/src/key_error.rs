//! Why a private key is of no use.

use p256::pkcs8::der::pem;

/// Longest key file that is read. An encrypted P-256 key has 700 bytes.
pub(crate) const MAX_KEY_FILE: usize = 64 << 10;

/// Why a key cannot be read or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Longer than 64 KiB.
    #[error("the key file has {0} bytes, more than {MAX_KEY_FILE}")]
    TooLong(usize),
    /// No private key in PEM form.
    #[error("the file does not contain a PEM private key")]
    NoPrivateKey,
    /// Malformed PEM.
    #[error("malformed PEM: {0}")]
    Pem(pem::Error),
    /// A kind of key file that is not read.
    #[error("the file contains a `{0}`, which is not a supported kind of key")]
    Label(String),
    /// The key is encrypted.
    #[error("the key is encrypted, but no password was given")]
    PasswordNeeded,
    /// The password does not open the key, or the file was changed.
    #[error("wrong password for the key")]
    Password,
    /// The encrypted body is not what cosign writes.
    #[error("malformed encrypted key: {0}")]
    EncryptedJson(serde_json::Error),
    /// A field of the encrypted body is not base64 of the right length.
    #[error("malformed encrypted key: cannot decode `{0}`")]
    EncryptedField(&'static str),
    /// Other algorithms than cosign's.
    #[error("the key is encrypted with {kdf:?} and {cipher:?}, expected `scrypt` and `nacl/secretbox`")]
    Cipher {
        /// Key derivation.
        kdf: String,
        cipher: String,
    },
    /// Cost parameters outside what cosign takes; large ones would exhaust the memory.
    #[error("the key requires scrypt with N={n}, r={r}, p={p}; expected N=32768, 65536 or 131072, r=8, p=1")]
    Scrypt {
        /// CPU and memory cost.
        n: u64,
        /// Block size.
        r: u32,
        /// Parallelism.
        p: u32,
    },
    /// An algorithm other than ECDSA P-256 and Ed25519.
    #[error("the key's algorithm is {0}, expected ECDSA P-256 or Ed25519")]
    Algorithm(String),
    /// A key of the right kind whose content is wrong.
    #[error("malformed key: {0}")]
    Malformed(String),
    /// The operating system gives no randomness.
    #[error("cannot get random bytes from the operating system: {0}")]
    Random(getrandom::Error),
}

impl KeyError {
    /// What the user can do about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::PasswordNeeded => Some(
                "add where to read the password, such as `password = { env = \"COSIGN_PASSWORD\" }`; it may be empty",
            ),
            Self::Password => Some("check the password; a line break at the end of its file is part of it"),
            Self::NoPrivateKey => Some("run `cosign generate-key-pair`, and name the `cosign.key` file"),
            Self::Label(_) | Self::Algorithm(_) => {
                Some("use a key from `cosign generate-key-pair`, or a P-256 or Ed25519 key in PKCS#8 PEM")
            }
            _ => None,
        }
    }
}
