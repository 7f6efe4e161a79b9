//! What is kept of a version: the contract, a component for each of its worlds, and the hashes of all.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use miette::{Result, miette};
use sha2::{Digest, Sha256};

use crate::wit::contract::{Contract, Files};
use crate::wit::fixtures;

/// The contract, below the repository.
pub(crate) const WIT: &str = "wit";
/// The versions that are kept, below the repository: a directory for each.
pub(crate) const FROZEN: &str = "wit/frozen";

/// What is to be kept of the contract in `wit`, which was read from there.
pub(crate) fn of(wit: &Path, contract: &Contract) -> Result<Files> {
    let mut files = contract.files.clone();
    for (world, component) in fixtures::build(wit, contract)? {
        files.insert(format!("components/{world}.wasm"), component);
    }
    let line =
        |(name, bytes): (&String, &Vec<u8>)| format!("{}  {name}\n", hex::encode(Sha256::digest(bytes)));
    let sums: String = files.iter().map(line).collect();
    files.insert("SHA256SUMS".to_owned(), sums.into_bytes());
    Ok(files)
}

/// Where a version is kept.
pub(crate) fn directory(repository: &Path, version: &str) -> PathBuf {
    repository.join(FROZEN).join(version)
}

/// The versions that are kept, sorted by name.
pub(crate) fn versions(repository: &Path) -> Result<Vec<String>> {
    let directory = repository.join(FROZEN);
    let mut names = match fs::read_dir(&directory) {
        Ok(entries) => {
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(miette!("cannot read {}: {error}", directory.display())),
    };
    names.sort();
    Ok(names)
}

/// All files below `directory`.
pub(crate) fn read(directory: &Path) -> Result<Files> {
    let mut files = Files::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(current) = pending.pop() {
        let entries =
            fs::read_dir(&current).map_err(|error| miette!("cannot read {}: {error}", current.display()))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                pending.push(path);
                continue;
            }
            let bytes =
                fs::read(&path).map_err(|error| miette!("cannot read {}: {error}", path.display()))?;
            let name = path.strip_prefix(directory).unwrap_or(&path).to_string_lossy().into_owned();
            files.insert(name, bytes);
        }
    }
    Ok(files)
}

/// Writes a version in place of what is there.
pub(crate) fn write(directory: &Path, files: &Files) -> Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory)
            .map_err(|error| miette!("cannot delete {}: {error}", directory.display()))?;
    }
    for (name, bytes) in files {
        let path = directory.join(name);
        let parent = path.parent().unwrap_or(directory);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, bytes))
            .map_err(|error| miette!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

/// The names of files that differ, or that only one of them has.
pub(crate) fn differences(left: &Files, right: &Files) -> Vec<String> {
    let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    names.into_iter().filter(|name| left.get(*name) != right.get(*name)).cloned().collect()
}
