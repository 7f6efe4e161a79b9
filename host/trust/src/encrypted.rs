//! cosign's encrypted key files: scrypt and `NaCl`'s secretbox (`secure-systems-lab/go-securesystemslib`, `encrypted`).

use crypto_secretbox::aead::{Aead, KeyInit};
use crypto_secretbox::{Key, Nonce, XSalsa20Poly1305};
use seed_model::json;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::encoding;
use crate::key_error::KeyError;

/// scrypt's cost as log₂ N. Go's library takes only these three, so that a key file cannot ask for all memory.
const LOG_COSTS: std::ops::RangeInclusive<u8> = 15..=17;
/// What cosign writes.
const LOG_COST: u8 = 16;
const BLOCK_SIZE: u32 = 8;
const PARALLELISM: u32 = 1;
const SALT_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 24;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kdf {
    name: String,
    params: ScryptParams,
    salt: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScryptParams {
    #[serde(rename = "N")]
    cost: u64,
    r: u32,
    p: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cipher {
    name: String,
    nonce: String,
}

/// Opens the body of an encrypted key file; gives PKCS#8 DER.
pub(crate) fn open(body: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let sealed: Sealed = json::parse(body).map_err(KeyError::EncryptedJson)?;
    let params = &sealed.kdf.params;
    if sealed.kdf.name != "scrypt" || sealed.cipher.name != "nacl/secretbox" {
        return Err(KeyError::Cipher {
            kdf: shorten(&sealed.kdf.name),
            cipher: shorten(&sealed.cipher.name),
        });
    }
    let log_cost = LOG_COSTS.into_iter().find(|log_cost| 1 << log_cost == params.cost);
    let (Some(log_cost), BLOCK_SIZE, PARALLELISM) = (log_cost, params.r, params.p) else {
        return Err(KeyError::Scrypt { n: params.cost, r: params.r, p: params.p });
    };
    let field = |name, text: &str| encoding::decode(text).ok_or(KeyError::EncryptedField(name));
    let salt = field("kdf.salt", &sealed.kdf.salt)?;
    let nonce: [u8; NONCE_LENGTH] = field("cipher.nonce", &sealed.cipher.nonce)?
        .try_into()
        .map_err(|_| KeyError::EncryptedField("cipher.nonce"))?;
    let ciphertext = field("ciphertext", &sealed.ciphertext)?;
    cipher(password, &salt, log_cost)
        .decrypt(&Nonce::from(nonce), ciphertext.as_slice())
        .map(Zeroizing::new)
        .map_err(|_| KeyError::Password)
}

/// Seals PKCS#8 DER with fresh salt and nonce; gives the body of an encrypted key file.
pub(crate) fn seal(der: &[u8], password: &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut salt = [0; SALT_LENGTH];
    let mut nonce = [0; NONCE_LENGTH];
    getrandom::fill(&mut salt).map_err(KeyError::Random)?;
    getrandom::fill(&mut nonce).map_err(KeyError::Random)?;
    let ciphertext = cipher(password, &salt, LOG_COST)
        .encrypt(&Nonce::from(nonce), der)
        .expect("secretbox takes any message that fits in memory");
    let sealed = Sealed {
        kdf: Kdf {
            name: "scrypt".to_owned(),
            params: ScryptParams { cost: 1 << LOG_COST, r: BLOCK_SIZE, p: PARALLELISM },
            salt: encoding::encode(&salt),
        },
        cipher: Cipher { name: "nacl/secretbox".to_owned(), nonce: encoding::encode(&nonce) },
        ciphertext: encoding::encode(&ciphertext),
    };
    Ok(serde_json::to_vec(&sealed).expect("strings and numbers always serialise"))
}

fn cipher(password: &[u8], salt: &[u8], log_cost: u8) -> XSalsa20Poly1305 {
    let params =
        scrypt::Params::new(log_cost, BLOCK_SIZE, PARALLELISM).expect("the cost is one of LOG_COSTS");
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(password, salt, &params, key.as_mut()).expect("32 bytes is a valid output length");
    XSalsa20Poly1305::new(Key::from_slice(key.as_ref()))
}

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}
