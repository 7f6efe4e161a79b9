//! Digests as text.

/// The 64 hexadecimal digits of `sha256:<hex>`; nothing for any other text, upper-case digits included.
pub fn hex(digest: &str) -> Option<&str> {
    let hex = digest.strip_prefix("sha256:")?;
    (hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))).then_some(hex)
}

/// The tag under which artifacts of this digest are found if there is no referrers API, and the stem of cosign's
/// tags: `sha256-<hex>`.
pub fn tag(digest: &str) -> Option<String> {
    hex(digest).map(|hex| format!("sha256-{hex}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_only_canonical_sha256() {
        let hex64 = "0123456789abcdef".repeat(4);
        assert_eq!(hex(&format!("sha256:{hex64}")), Some(hex64.as_str()));
        assert_eq!(tag(&format!("sha256:{hex64}")), Some(format!("sha256-{hex64}")));
        assert_eq!(hex(&format!("sha256:{}", hex64.to_uppercase())), None);
        assert_eq!(hex(&format!("sha512:{hex64}")), None);
        assert_eq!(hex("sha256:00"), None);
    }
}
