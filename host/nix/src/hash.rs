//! The forms in which Nix writes SHA-256 hashes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seed_model::Digest;

/// The alphabet of Nix's base 32: no `e`, `o`, `t`, `u`.
const BASE32: &[u8; 32] = b"0123456789abcdfghijklmnpqrsvwxyz";
const BASE32_LENGTH: usize = 52;
const BASE16_LENGTH: usize = 64;

/// Reads `sha256:` and base 16, base 32 or base 64, the same in base 16 or 32 without `sha256:`, or the form of
/// Subresource Integrity, `sha256-` and base 64. None if it is no SHA-256 in one of these forms.
pub(crate) fn parse_sha256(text: &str) -> Option<Digest> {
    if let Some(base64) = text.strip_prefix("sha256-") {
        return from_base64(base64);
    }
    let digits = text.strip_prefix("sha256:");
    let found = match digits.unwrap_or(text) {
        hex if hex.len() == BASE16_LENGTH => format!("sha256:{hex}").parse().ok(),
        base32 if base32.len() == BASE32_LENGTH => from_base32(base32.as_bytes()),
        _ => None,
    };
    found.or_else(|| from_base64(digits?))
}

fn from_base64(text: &str) -> Option<Digest> {
    let bytes = STANDARD.decode(text).ok()?;
    Some(Digest::from_bytes(bytes.try_into().ok()?))
}

/// Five bits a character, the last character first and the lowest bits first, as `libutil/hash.cc` of Nix has it.
#[expect(clippy::arithmetic_side_effects, reason = "there are at most 52 digits")]
fn from_base32(digits: &[u8]) -> Option<Digest> {
    let mut bytes = [0; 32];
    for (place, digit) in digits.iter().rev().enumerate() {
        let value = u16::try_from(BASE32.iter().position(|letter| letter == digit)?).ok()?;
        let (byte, bit) = (place * 5 / 8, place * 5 % 8);
        let [low, high] = (value << bit).to_le_bytes();
        bytes[byte] |= low;
        match bytes.get_mut(byte + 1) {
            Some(next) => *next |= high,
            None if high != 0 => return None,
            None => {}
        }
    }
    Some(Digest::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of no bytes, as `nix hash to-base16`, `to-base32` and `to-sri` print it.
    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const NIX: &str = "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73";
    const BASE64: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    #[test]
    fn every_form_is_the_same_hash() {
        let forms = [
            HEX.to_owned(),
            NIX.to_owned(),
            format!("sha256:{HEX}"),
            format!("sha256:{NIX}"),
            format!("sha256:{BASE64}"),
            format!("sha256-{BASE64}"),
        ];
        for form in forms {
            assert_eq!(parse_sha256(&form), Some(Digest::of(b"")), "{form}");
        }
    }

    #[test]
    fn invalid_sha256_hashes_are_refused() {
        let overflow = format!("z{}", &NIX[1..]);
        let letter = NIX.replace('k', "e");
        let bad = [
            "",
            "sha256:",
            "sha256-",
            BASE64,
            &HEX[1..],
            &NIX[1..],
            &overflow,
            &letter,
            "sha512-AAAA",
            "md5:00",
        ];
        for text in bad {
            assert_eq!(parse_sha256(text), None, "{text}");
        }
    }
}
