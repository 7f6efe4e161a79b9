//! `cargo xtask wit check`: what is frozen is as it was released, byte for byte.

use std::collections::BTreeSet;
use std::path::Path;

use miette::{Result, bail};

use crate::wit::contract::{Contract, Files};
use crate::wit::{frozen, git};

/// Compares each frozen version with its tag, and one that has no tag yet with `wit/`. The fixtures must fit `wit/` in
/// any case.
pub(crate) fn check(repository: &Path) -> Result<()> {
    let wit = repository.join(frozen::WIT);
    let current = frozen::of(&wit, &Contract::read(&wit)?)?;
    let kept = frozen::versions(repository)?;
    let released: BTreeSet<String> = git::versions(repository)?.into_iter().collect();

    let mut different = Vec::new();
    for version in kept.iter().chain(&released).collect::<BTreeSet<_>>() {
        let (original, place) = if released.contains(version) {
            (git::files(repository, version)?, git::tag(version))
        } else {
            (current.clone(), "wit/, as it has no tag yet".to_owned())
        };
        let directory = frozen::directory(repository, version);
        let files = if kept.contains(version) { frozen::read(&directory)? } else { Files::new() };
        let names = frozen::differences(&original, &files);
        if names.is_empty() {
            println!("{}/{version} is what {place}", frozen::FROZEN);
        }
        different
            .extend(names.into_iter().map(|name| format!("{}/{version}/{name} ({place})", frozen::FROZEN)));
    }
    if !different.is_empty() {
        bail!(
            help = "restore them: a released contract never changes (wit/README.md). If the clone has no \
                    tags, run `git fetch --tags`",
            "frozen files differ from the release:\n  {}",
            different.join("\n  ")
        );
    }
    if kept.is_empty() {
        println!("No version of the contract has been released: nothing is frozen");
    }
    Ok(())
}
