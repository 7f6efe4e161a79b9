//! Debian roots with other versions of Nix, and the cosigns that come from them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use miette::{Result, miette};

use crate::chroot::{Bind, Root};
use crate::peers::link::link;

/// What stands for the directory that a script's user names.
const DIRECTORY: &str = "@directory@";

/// Debian 13 has Nix 2.26 and cosign 2.5; Debian 14, in preparation, has Nix 2.34 and cosign 3.
const SUITES: [(&str, &str); 2] = [("trixie", "cosign-2"), ("forky", "cosign-3")];

/// Makes the roots, a script that runs commands in each, and links to their cosigns: static Go programs that run
/// outside as well.
pub(super) fn install(directory: &Path) -> Result<()> {
    for (suite, cosign) in SUITES {
        let root = Root::ensure(suite, &["nix-bin", "cosign", "git"])?;
        link(&root.directory().join("usr/bin/cosign"), &directory.join(cosign))?;
        write_script(&root, suite, &script(directory, suite))?;
    }
    Ok(())
}

/// The scripts that run a command in each root.
pub(super) fn scripts(directory: &Path) -> impl Iterator<Item = PathBuf> {
    SUITES.into_iter().map(|(suite, _)| script(directory, suite))
}

fn script(directory: &Path, suite: &str) -> PathBuf {
    directory.join(format!("in-{suite}"))
}

/// Writes `in-SUITE DIRECTORY COMMAND…`, which runs a command in the root, where it sees the directory of this machine
/// at its own path.
fn write_script(root: &Root, suite: &str, path: &Path) -> Result<()> {
    let bind = Bind { source: Path::new(DIRECTORY), target: DIRECTORY };
    let command = root.command(&[bind], "env");
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| quote(&word.to_string_lossy())).collect();
    let text = format!(
        "#!/bin/sh\n# in-{suite} DIRECTORY COMMAND…: runs a command in the Debian root, which sees DIRECTORY.\n\
         directory=$1; shift\nexec {} \"$@\"\n",
        words.join(" ").replace(&quote(DIRECTORY), "\"$directory\"")
    );
    let error = |error| miette!("cannot write {}: {error}", path.display());
    fs::write(path, text).map_err(error)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(error)
}

/// A word as a POSIX shell reads it back.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
