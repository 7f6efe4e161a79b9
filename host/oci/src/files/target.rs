//! The place of a directory or file that is written: a name in an open directory, so that nobody who moves directories or
//! puts links in their place meanwhile leads the write elsewhere.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use rustix::fs::FileType;
use seed_disk::{Directory, parent};

use crate::files::error::FilesError;

/// A name in an open directory.
#[derive(Debug)]
pub struct Target {
    pub(super) parent: Directory,
    pub(super) name: OsString,
    /// The whole path, for messages.
    pub(super) path: PathBuf,
}

impl Target {
    /// The place at `path`, whose directories the user named: links to them are followed, and those that are missing are
    /// made. Its last name is not followed when it is written.
    pub fn open(path: &Path) -> Result<Self, FilesError> {
        let Some(name) = path.file_name() else {
            let reason = "it does not end with a file name";
            return Err(FilesError::Path { path: path.display().to_string(), reason });
        };
        let above = parent(path);
        fs::create_dir_all(above).map_err(FilesError::io("create", above))?;
        let parent = Directory::open_following(above).map_err(FilesError::io("open", above))?;
        Ok(Self { parent, name: name.to_owned(), path: path.to_owned() })
    }

    /// The place at `below` in the directory `root`, which the user named. Directories in it are made, and no link is
    /// followed.
    pub fn open_below(root: &Path, below: &Path) -> Result<Self, FilesError> {
        let mut names: Vec<&OsStr> = Vec::new();
        for part in below.components() {
            let Component::Normal(name) = part else {
                let reason = "it must be a relative path of plain names";
                return Err(FilesError::Path { path: below.display().to_string(), reason });
            };
            names.push(name);
        }
        let Some((name, above)) = names.split_last() else { return Self::open(root) };
        fs::create_dir_all(root).map_err(FilesError::io("create", root))?;
        let mut path = root.to_owned();
        let mut parent = Directory::open_following(root).map_err(FilesError::io("open", root))?;
        for name in above {
            path.push(name);
            parent = enter(&parent, name, &path)?;
        }
        path.push(name);
        Ok(Self { parent, name: (*name).to_owned(), path })
    }

    /// Opens the place as a directory, made if need be.
    pub(super) fn directory(&self) -> Result<Directory, FilesError> {
        enter(&self.parent, &self.name, &self.path)
    }
}

/// Opens the directory `name`, which is at `path`, made if need be.
fn enter(parent: &Directory, name: &OsStr, path: &Path) -> Result<Directory, FilesError> {
    let not_ours = |reason: &str| FilesError::NotOurs { path: path.to_owned(), reason: reason.to_owned() };
    parent.enter(name).map_err(|error| match parent.kind(name) {
        Ok(Some(FileType::Symlink)) => not_ours("it is a symbolic link"),
        Ok(Some(kind)) if kind != FileType::Directory => not_ours("it is a file"),
        _ if error.kind() == io::ErrorKind::NotFound => FilesError::io("create", path)(error),
        _ => FilesError::io("open", path)(error),
    })
}
