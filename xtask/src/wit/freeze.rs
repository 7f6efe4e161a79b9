//! `cargo xtask wit freeze VERSION`: keeps the contract as it is, for ever.

use std::path::Path;

use miette::{Result, bail};

use crate::wit::contract::Contract;
use crate::wit::{frozen, git};

/// Writes `wit/frozen/VERSION`. Until the version has its tag, this can be repeated.
pub(crate) fn freeze(repository: &Path, version: &str) -> Result<()> {
    let wit = repository.join(frozen::WIT);
    let contract = Contract::read(&wit)?;
    if contract.version != version {
        bail!(
            help = "first set the version in wit/types.wit and in CONTRACT (host/runtime/src/inspect.rs)",
            "wit/ is version {} of the contract, not {version}",
            contract.version
        );
    }
    if git::versions(repository)?.iter().any(|released| released == version) {
        bail!(
            help = "a changed contract needs a new version: see wit/README.md",
            "version {version} of the contract is already released, with the tag {}",
            git::tag(version)
        );
    }
    let directory = frozen::directory(repository, version);
    let files = frozen::of(&wit, &contract)?;
    frozen::write(&directory, &files)?;
    println!("{} has {} files", directory.display(), files.len());
    println!("Commit it, and tag the commit: git tag --sign {}", git::tag(version));
    Ok(())
}
