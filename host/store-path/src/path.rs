//! A store path: a directory, a hash and a name.

/// Where store paths are.
const STORE: &str = "/nix/store/";
/// The length of the hash that begins the last component, in characters of Nix's base 32.
const HASH_LENGTH: usize = 32;
/// The longest name that Nix allows, in bytes.
const MAX_NAME: usize = 211;

/// Whether `text` has the form of a store path and nothing more: `/nix/store/`, 32 small letters and digits, a hyphen,
/// and a name of 1 to 211 letters, digits and `+-._?=`.
pub fn is_store_path(text: &str) -> bool {
    let Some((hash, name)) = text.strip_prefix(STORE).and_then(|base| base.split_at_checked(HASH_LENGTH))
    else {
        return false;
    };
    let name = name.strip_prefix('-').unwrap_or_default();
    hash.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
        && (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._?=".contains(&b))
}

/// The name of a store path, without directory and hash: `hello-2.12` of `/nix/store/<hash>-hello-2.12`. All that
/// follows the directory where that has no hash.
pub fn name(store_path: &str) -> &str {
    let usual = store_path.strip_prefix(STORE);
    let base = usual.or_else(|| store_path.rsplit('/').next()).unwrap_or(store_path);
    match base.split_at_checked(HASH_LENGTH) {
        Some((_, rest)) => rest.strip_prefix('-').unwrap_or(base),
        None => base,
    }
}

/// The name of a derivation by its store path: `hello-2.12` of `/nix/store/<hash>-hello-2.12.drv`.
pub fn derivation_name(store_path: &str) -> &str {
    let name = name(store_path);
    name.strip_suffix(".drv").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0c0ffee0c0ffee0c0ffee0c0ffee0c0f";

    #[test]
    fn a_store_path_has_a_hash_and_a_name() {
        for good in ["a", "hello-2.12", "a+b-._?=Z", &"x".repeat(MAX_NAME)] {
            assert!(is_store_path(&format!("/nix/store/{HASH}-{good}")), "{good}");
        }
        let bad = [
            "",
            "/nix/store/",
            "/etc/shadow",
            &format!("/nix/store/{HASH}"),
            &format!("/nix/store/{HASH}-"),
            &format!("/nix/store/{HASH}_a"),
            &format!("/nix/store/{HASH}-a/b"),
            &format!("/nix/store/{HASH}-{}", "x".repeat(MAX_NAME + 1)),
            &format!("/nix/store/{HASH}-a b"),
            &format!("/nix/store/{}-a", HASH.to_uppercase()),
            &format!("/nix/store/{}-a", &HASH[1..]),
            &format!("/gnu/store/{HASH}-a"),
        ];
        for bad in bad {
            assert!(!is_store_path(bad), "{bad}");
        }
    }

    #[test]
    fn names_come_without_directory_and_hash() {
        assert_eq!(name(&format!("/nix/store/{HASH}-hello-2.12")), "hello-2.12");
        assert_eq!(name(&format!("/elsewhere/{HASH}-hello-2.12")), "hello-2.12");
        assert_eq!(name("/nix/store/short"), "short");
        assert_eq!(name(HASH), HASH);
        assert_eq!(name("odd"), "odd");
        assert_eq!(derivation_name(&format!("/nix/store/{HASH}-hello-2.12.drv")), "hello-2.12");
        assert_eq!(derivation_name("odd"), "odd");
    }
}
