//! Packages by name, as far as a closure's metadata tells.

use seed_plugin::selector::{Closure, Part, SelectRequest};
use seed_store_path::name;

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
    fn knows_a_package_by_its_name() {
        let path = "/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-bash-5.2";
        assert!(is_package(path, "bash") && is_package(path, "bash-5.2"));
        assert!(!is_package(path, "bas") && !is_package(path, "5.2"));
        assert!(!is_package("/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-bash-interactive-5.2", "bash"));
    }
}
