//! The files of the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// What is made, not written.
const MADE: [&str; 4] = [".git", "target", "result", "prebuilt"];

/// The directory that holds everything.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Reads a text file by its path from the root.
pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below `directory` that has one of these extensions, by its path from the root, sorted.
pub(crate) fn files(directory: &str, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&root().join(directory), extensions, &mut found);
    assert!(!found.is_empty(), "no {extensions:?} in {directory}");
    found.sort();
    found
}

fn collect(directory: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_symlink() || MADE.contains(&name) {
            continue;
        }
        if path.is_dir() {
            collect(&path, extensions, found);
        } else if path.extension().is_some_and(|extension| extensions.iter().any(|known| extension == *known))
        {
            found.push(path.strip_prefix(root()).unwrap().to_owned());
        }
    }
}
