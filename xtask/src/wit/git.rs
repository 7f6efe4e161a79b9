//! What the repository's tags have.

use std::path::Path;

use miette::Result;

use crate::git::git;
use crate::wit::contract::Files;
use crate::wit::frozen::FROZEN;

/// Begins the name of the tag of a version of the contract.
const PREFIX: &str = "wit-v";

/// The tag of a version of the contract.
pub(crate) fn tag(version: &str) -> String {
    format!("{PREFIX}{version}")
}

/// The versions of the contract that have a tag.
pub(crate) fn versions(repository: &Path) -> Result<Vec<String>> {
    let output = git(repository, &["tag", "--list", &tag("*")])?;
    let text = String::from_utf8_lossy(&output);
    Ok(text.lines().filter_map(|tag| tag.strip_prefix(PREFIX)).map(str::to_owned).collect())
}

/// What the tag of a version has in the directory of that version.
pub(crate) fn files(repository: &Path, version: &str) -> Result<Files> {
    let (tag, directory) = (tag(version), format!("{FROZEN}/{version}/"));
    let list = git(repository, &["ls-tree", "-r", "-z", "--name-only", &tag, "--", &directory])?;
    let list = String::from_utf8_lossy(&list);
    let files = list.split_terminator('\0').map(|path| {
        let bytes = git(repository, &["cat-file", "blob", &format!("{tag}:{path}")])?;
        Ok((path.strip_prefix(&directory).unwrap_or(path).to_owned(), bytes))
    });
    files.collect()
}
