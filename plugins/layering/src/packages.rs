//! Packages by name, as far as a closure's metadata tells.

use seed_plugin::selector::{Closure, Part, SelectRequest};

/// Length of the hash part of a store path's name.
const HASH_LENGTH: usize = 32;

/// The name of a store path without its directory and hash: `hello-2.12` of `/nix/store/<hash>-hello-2.12`.
pub fn name(store_path: &str) -> &str {
    let usual = store_path.strip_prefix("/nix/store/");
    let base = usual.or_else(|| store_path.rsplit('/').next()).unwrap_or(store_path);
    match base.split_at_checked(HASH_LENGTH) {
        Some((_, rest)) => rest.strip_prefix('-').unwrap_or(base),
        None => base,
    }
}

/// The name of a package without its version, as Nix's `parseDrvName` finds it: up to the first hyphen that no letter
/// follows.
pub(crate) fn package(name: &str) -> &str {
    &name[..version(name).unwrap_or(name.len())]
}

/// The name of a package and the output, without the version between them: `openssl` and `dev` of `openssl-3.0.14-dev`.
pub(crate) fn output(name: &str) -> (&str, &str) {
    let end = release(name).map_or(name.len(), str::len);
    (package(name), name[end..].trim_start_matches('-'))
}

/// The name of a package with its version, but without the output that may follow: `openssl-3.0.14` of
/// `openssl-3.0.14-dev`. Nothing where there is no version: paths called `source` have nothing to do with each other.
pub(crate) fn release(name: &str) -> Option<&str> {
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

/// Whether a store path is the package `wanted`: its name is that, with or without a version.
pub fn is_package(store_path: &str, wanted: &str) -> bool {
    match name(store_path).strip_prefix(wanted) {
        Some("") => true,
        Some(rest) => {
            rest.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        }
        None => false,
    }
}

/// Every path of the closure that is this package.
pub fn find<'a>(closure: &'a Closure, wanted: &str) -> Vec<&'a str> {
    closure.store_paths().filter(|path| is_package(path, wanted)).collect()
}

/// The packages that were asked for in each layer, by index. Where a layer is an output of a split-output derivation
/// (`nix/mkseed.nix`), its root is a file that lists packages, and the packages are what it refers to.
pub(crate) fn requested(request: &SelectRequest, closure: &Closure) -> Vec<(String, Vec<u32>)> {
    let mut layers = Vec::new();
    for output in closure.outputs() {
        let is_list = request.available.iter().any(|offer| {
            offer.layer == output.layer
                && offer.installables.iter().all(|i| i.part == Part::Output(output.layer.clone()))
        });
        let packages = if is_list {
            let references = |root: &u32| closure.references(*root).iter().copied();
            output
                .roots
                .iter()
                .flat_map(|root| references(root).filter(move |reference| reference != root))
                .collect()
        } else {
            output.roots.clone()
        };
        layers.push((output.layer.clone(), packages));
    }
    layers
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

    #[test]
    fn knows_a_package_by_its_name() {
        let path = "/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-bash-5.2";
        assert!(is_package(path, "bash") && is_package(path, "bash-5.2"));
        assert!(!is_package(path, "bas") && !is_package(path, "5.2"));
        assert!(!is_package("/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-bash-interactive-5.2", "bash"));
    }
}
