//! What the name of a store path says of the package: its name, version and output, as far as Nix's conventions tell.

/// The name of a package without its version, as Nix's `parseDrvName` finds it: up to the first hyphen that no letter
/// follows.
pub fn package(name: &str) -> &str {
    &name[..version(name).unwrap_or(name.len())]
}

/// The name of a package and the output, without the version between them: `openssl` and `dev` of `openssl-3.0.14-dev`.
/// The output is empty where the name has none.
pub fn output(name: &str) -> (&str, &str) {
    let end = release(name).map_or(name.len(), str::len);
    (package(name), name[end..].trim_start_matches('-'))
}

/// The name of a package with its version, but without the output that may follow: `openssl-3.0.14` of
/// `openssl-3.0.14-dev`. Nothing where there is no version: paths called `source` have nothing to do with each other.
pub fn release(name: &str) -> Option<&str> {
    let start = version(name)? + 1;
    let output =
        name[start..].match_indices('-').map(|(at, _)| start + at).find(|at| is_letter(name, at + 1));
    Some(&name[..output.unwrap_or(name.len())])
}

/// Where the hyphen before the version is.
fn version(name: &str) -> Option<usize> {
    name.match_indices('-').map(|(at, _)| at).find(|at| !is_letter(name, at + 1))
}

/// Whether a letter, or nothing, is at this place.
fn is_letter(name: &str, at: usize) -> bool {
    name.as_bytes().get(at).is_none_or(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_names_apart() {
        let parts = |name| (package(name), release(name));
        assert_eq!(output("openssl-3.0.14-dev"), ("openssl", "dev"));
        assert_eq!(output("openssl-3.0.14"), ("openssl", ""));
        assert_eq!(output("source"), ("source", ""));
        assert_eq!(parts("openssl-3.0.14-dev"), ("openssl", Some("openssl-3.0.14")));
        assert_eq!(parts("python3.12-numpy-1.26.4"), ("python3.12-numpy", Some("python3.12-numpy-1.26.4")));
        assert_eq!(parts("gcc-13.2.0-1-lib"), ("gcc", Some("gcc-13.2.0-1")));
        assert_eq!(parts("source"), ("source", None));
        assert_eq!(parts("hello-seed-"), ("hello-seed-", None));
    }
}
