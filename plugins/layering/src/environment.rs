//! The environment of the container.

use seed_plugin::selector::{Closure, SelectRequest, SourceKind};

use crate::config::Config;
use crate::{darwin, packages};

/// Layers whose packages are for building, not for running.
pub(crate) const NOT_IN_PATH: [&str; 4] = ["inputs", "checks", "devShells", "overlays"];

/// How many directories `PATH` holds at most: about 64 bytes each, and Linux takes 128 KiB for one variable.
const MAX_PATH_DIRECTORIES: usize = 512;

/// `PATH` of images that are made from plain directories: what Docker sets if an image says nothing.
const DIRECTORIES_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// `NAME=value` for every variable, sorted by name.
pub(crate) fn environment(config: &Config, request: &SelectRequest, closure: &Closure) -> Vec<String> {
    if darwin::is_darwin(request) {
        return Vec::new();
    }
    let mut variables = config.env.clone();
    variables.entry("PATH".to_owned()).or_insert_with(|| search_path(request, closure));
    variables.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

/// The `bin` directories of the requested packages, those of the last layers first: an application may shadow what
/// its base brings. Whether a package has a `bin` cannot be seen here; one that is missing does no harm.
fn search_path(request: &SelectRequest, closure: &Closure) -> String {
    if matches!(request.source, SourceKind::Directories) {
        return DIRECTORIES_PATH.to_owned();
    }
    let mut directories: Vec<String> = Vec::new();
    for (layer, requested) in packages::requested(request, closure).into_iter().rev() {
        if NOT_IN_PATH.contains(&layer.as_str()) {
            continue;
        }
        for index in requested {
            let directory = format!("{}/bin", closure.store_path(index));
            if directories.len() < MAX_PATH_DIRECTORIES && !directories.contains(&directory) {
                directories.push(directory);
            }
        }
    }
    // For links such as `/bin/sh`.
    directories.push("/bin".to_owned());
    directories.join(":")
}
