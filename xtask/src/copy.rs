//! Copies of the repository.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use miette::{Result, miette};

use crate::git::git;
use crate::paths::repository;

/// Makes `to` a copy of the files of the repository, committed or not, without what `.gitignore` names. A file that is
/// the same already keeps its time, so that cargo builds only what changed.
pub(crate) fn repository_to(to: &Path) -> Result<()> {
    let from = repository();
    let files = tracked(&from)?;
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |error: io::Error| miette!("cannot copy {path}: {error}")
    };
    fs::create_dir_all(to).map_err(failed(to))?;
    for file in &files {
        copy(&from.join(file), &to.join(file)).map_err(failed(file))?;
    }
    remove_others(to, Path::new(""), &files).map_err(failed(to))
}

/// The files by their paths from the root.
fn tracked(from: &Path) -> Result<BTreeSet<PathBuf>> {
    let output = git(from, &["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
    let text = String::from_utf8_lossy(&output);
    let files: BTreeSet<_> = text.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect();
    // What is deleted and not committed is listed too.
    Ok(files.into_iter().filter(|file| from.join(file).symlink_metadata().is_ok()).collect())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    if from.is_symlink() {
        drop(fs::remove_file(to));
        return symlink(fs::read_link(from)?, to);
    }
    if fs::read(to).is_ok_and(|old| fs::read(from).is_ok_and(|new| old == new)) {
        return Ok(());
    }
    fs::copy(from, to).map(drop)
}

/// Removes the files that are not among these.
fn remove_others(root: &Path, directory: &Path, files: &BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(directory))? {
        let entry = entry?;
        let path = directory.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            remove_others(root, &path, files)?;
        } else if !files.contains(&path) {
            fs::remove_file(root.join(&path))?;
        }
    }
    Ok(())
}
