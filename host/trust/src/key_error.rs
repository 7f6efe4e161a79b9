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
    #[error("the file holds no PEM private key")]
    NoPrivateKey,
    /// Malformed PEM.
    #[error("the PEM text is malformed: {0}")]
    Pem(pem::Error),
    /// A kind of key file that is not read.
    #[error("the file holds a `{0}`, which is not a kind of key that can be used")]
    Label(String),
    /// The key is encrypted.
    #[error("the key is encrypted, and no password was given")]
    PasswordNeeded,
    /// The password does not open the key, or the file was changed.
    #[error("the password does not open the key")]
    Password,
    /// The encrypted body is not what cosign writes.
    #[error("the encrypted key is malformed: {0}")]
    EncryptedJson(serde_json::Error),
    /// A field of the encrypted body is not base64 of the right length.
    #[error("the encrypted key is malformed: `{0}` cannot be decoded")]
    EncryptedField(&'static str),
    /// Other algorithms than cosign's.
    #[error("the key is encrypted with {kdf:?} and {cipher:?}, expected `scrypt` and `nacl/secretbox`")]
    Cipher {
        /// Key derivation.
        kdf: String,
        /// Cipher.
        cipher: String,
    },
    /// Cost parameters outside what cosign takes; large ones would exhaust the memory.
    #[error(
        "the key asks for scrypt with N={n}, r={r}, p={p}; allowed are N=32768, 65536 or 131072, r=8, p=1"
    )]
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
    #[error("the key is malformed: {0}")]
    Malformed(String),
    /// The operating system gives no randomness.
    #[error("no randomness from the operating system: {0}")]
    Random(getrandom::Error),
}

impl KeyError {
    /// What the user can do about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::PasswordNeeded => Some(
                "name where the password is, e.g. `password = { env = \"COSIGN_PASSWORD\" }`; it may be empty",
            ),
            Self::Password => {
                Some("check the password; a file's last line break belongs to it unless it is removed")
            }
            Self::NoPrivateKey => {
                Some("make one with `cosign generate-key-pair`, and name the `cosign.key` file")
            }
            Self::Label(_) | Self::Algorithm(_) => {
                Some("use a key of `cosign generate-key-pair`, or a P-256 or Ed25519 key in PKCS#8 PEM")
            }
            _ => None,
        }
    }
}
