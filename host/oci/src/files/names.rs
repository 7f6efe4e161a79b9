//! The paths of a list of files: checked, and told apart from what else is in a directory.

use std::collections::BTreeSet;
use std::io;

use rustix::fs::FileType;
use seed_disk::{Directory, PARTIAL_SUFFIX};
use seed_model::File;

use crate::files::error::FilesError;

/// The file by which the host knows a directory that it has made. No list may have it.
pub(super) const OWN: &str = ".seed-directory";

/// The names of a list of files.
pub(super) struct Names<'a> {
    files: BTreeSet<&'a str>,
    directories: BTreeSet<&'a str>,
}

impl<'a> Names<'a> {
    pub(super) fn of(files: &'a [File]) -> Result<Self, FilesError> {
        let mut names = Self { files: BTreeSet::new(), directories: BTreeSet::new() };
        for File { path, .. } in files {
            let bad = |reason| Err(FilesError::Path { path: path.clone(), reason });
            if path.contains('\0') || path.split('/').any(|name| matches!(name, "" | "." | "..")) {
                return bad("it must be a relative path of plain names separated by `/`");
            }
            // Some file systems ignore case.
            if path.split('/').next().is_some_and(|name| name.eq_ignore_ascii_case(OWN)) {
                return bad("this name is reserved for the mark of directories that `seed` made");
            }
            if path.ends_with(PARTIAL_SUFFIX) {
                return bad("this file extension is reserved for temporary files");
            }
            if !names.files.insert(path) {
                return bad("the list has it twice");
            }
            names.directories.extend(path.match_indices('/').map(|(end, _)| &path[..end]));
        }
        match names.files.intersection(&names.directories).next() {
            Some(path) => {
                let reason = "it is the directory of another file in the list";
                Err(FilesError::Path { path: (*path).to_owned(), reason })
            }
            None => Ok(names),
        }
    }

    /// Removes what is not in the list.
    pub(super) fn remove_others(&self, root: &Directory) -> io::Result<()> {
        self.remove_others_in(root, "")
    }

    fn remove_others_in(&self, directory: &Directory, prefix: &str) -> io::Result<()> {
        for (name, kind) in directory.entries()? {
            let path = name.to_str().map(|name| format!("{prefix}{name}"));
            match path {
                Some(path) if kind == FileType::Directory && self.directories.contains(&*path) => {
                    self.remove_others_in(&directory.make(&name)?, &format!("{path}/"))?;
                }
                Some(path) if path == OWN || self.files.contains(&*path) => {}
                _ => directory.remove(&name)?,
            }
        }
        Ok(())
    }
}
