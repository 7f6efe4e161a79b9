//! The contract as `wit/` has it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use miette::{Result, miette};
use wit_parser::{PackageId, Resolve};

/// Files by their names below a directory.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The contract, read and parsed.
pub(crate) struct Contract {
    /// Its files as they are, by name.
    pub(crate) files: Files,
    pub(crate) resolve: Resolve,
    pub(crate) package: PackageId,
    /// The version of its package, such as `0.1.0`.
    pub(crate) version: String,
}

impl Contract {
    /// Reads the files `*.wit` of `directory`.
    pub(crate) fn read(directory: &Path) -> Result<Self> {
        let error = |error: String| miette!("cannot read the contract in {}: {error}", directory.display());
        let mut files = Files::new();
        for entry in fs::read_dir(directory).map_err(|e| error(e.to_string()))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().extension().is_some_and(|extension| extension == "wit") {
                files.insert(name, fs::read(entry.path()).map_err(|e| error(e.to_string()))?);
            }
        }
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(directory).map_err(|e| error(format!("{e:#}")))?;
        let version = resolve.packages[package].name.version.as_ref().map(ToString::to_string);
        let version = version.ok_or_else(|| error("its package has no version".to_owned()))?;
        Ok(Self { files, resolve, package, version })
    }
}
