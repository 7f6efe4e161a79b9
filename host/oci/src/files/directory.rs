//! A directory of exactly the files.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use rustix::fs::FileType;
use seed_disk::{Directory, partial};
use seed_model::{File, Written};

use crate::files::content::{EmitError, content_size, emit_content, replace, same_content};
use crate::files::error::FilesError;
use crate::files::names::{Names, OWN};
use crate::store::BlobStore;

/// What is in [`OWN`] of a directory whose `marker` says to others what it is.
fn own_content(marker: &str) -> String {
    format!("`seed` made this directory ({marker}) and replaces everything in it.\n")
}

/// Makes `path` a directory of exactly `files`, and gives the number of those that were written. One more file,
/// `.seed-directory`, says that the host made it; it is written before all others. A directory that is not empty and
/// does not have it, for the same `marker`, is refused.
///
/// The file named `marker` comes first; the others follow in their order, and the last one only when all before it are
/// durable. Files that are not in the list are removed in the end.
pub fn write_directory(
    store: &BlobStore,
    path: &Path,
    marker: &str,
    files: &[File],
) -> Result<Written, FilesError> {
    let names = Names::of(files)?;
    let Some(first) = files.iter().position(|file| file.path == marker) else {
        return Err(FilesError::Path {
            path: marker.to_owned(),
            reason: "the marker is not among the files",
        });
    };
    let root = claim(path, marker)?;
    let mut written = Written::default();
    let mut touched = BTreeMap::new();
    let others = (0..files.len()).filter(|index| *index != first);
    for index in std::iter::once(first).chain(others) {
        if index.saturating_add(1) == files.len() {
            sync_directories(path, &touched)?;
        }
        write_file(store, path, &root, &files[index], &mut written, &mut touched)?;
    }
    sync_directories(path, &touched)?;
    names.remove_others(&root).map_err(FilesError::io("remove old files from", path))?;
    Ok(written)
}

/// Opens and locks the directory at `path`, made if need be, unless it is somebody else's. Then it has [`OWN`].
fn claim(path: &Path, marker: &str) -> Result<Directory, FilesError> {
    let not_ours = |reason: &str| FilesError::NotOurs { path: path.to_owned(), reason: reason.to_owned() };
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(not_ours("it is a symbolic link"));
    }
    fs::create_dir_all(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => not_ours("it is a file"),
        _ => FilesError::io("create", path)(error),
    })?;
    let mut root = Directory::open(path).map_err(FilesError::io("open", path))?;
    if !root.try_lock().map_err(FilesError::io("lock", path))? {
        return Err(FilesError::Busy { path: path.to_owned() });
    }
    let (own, content) = (OsStr::new(OWN), own_content(marker));
    let full = path.join(OWN);
    let mut entries = root.entries().map_err(FilesError::io("list", path))?;
    // A run that was killed at its very beginning has left this and nothing else.
    entries.retain(|(name, _)| *name != partial::claimed(own));
    if entries.is_empty() {
        replace(&root, own, &full, |out| out.write_all(content.as_bytes()).map_err(EmitError::Output))?;
        root.sync().map_err(FilesError::io("sync", path))?;
        return Ok(root);
    }
    if !entries.iter().any(|(name, kind)| name == own && *kind == FileType::RegularFile) {
        return Err(not_ours("the directory is not empty, and `seed` did not make it"));
    }
    let existing = root.read(own).map_err(FilesError::io("open", &full))?;
    let emit = |out: &mut dyn Write| out.write_all(content.as_bytes()).map_err(EmitError::Output);
    if same_content(existing, &full, content.len() as u64, emit)? {
        Ok(root)
    } else {
        Err(not_ours("`seed` made the directory for something else"))
    }
}

/// Writes one file below `root`, unless it has its content already.
fn write_file(
    store: &BlobStore,
    path: &Path,
    root: &Directory,
    file: &File,
    written: &mut Written,
    touched: &mut BTreeMap<String, Directory>,
) -> Result<(), FilesError> {
    let full = path.join(&file.path);
    let (above, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let mut parent = root.make(OsStr::new(".")).map_err(FilesError::io("open", path))?;
    for step in above.split('/').filter(|step| !step.is_empty()) {
        parent = parent.make(OsStr::new(step)).map_err(FilesError::io("create the directory of", &full))?;
    }
    let name = OsStr::new(name);
    let emit = |out: &mut dyn Write, check| emit_content(store, &file.content, out, check);
    match parent.kind(name).map_err(FilesError::io("look at", &full))? {
        Some(FileType::RegularFile) => {
            let existing = parent.read(name).map_err(FilesError::io("open", &full))?;
            let size = content_size(store, &file.content)?;
            if same_content(existing, &full, size, |out| emit(out, false))? {
                written.unchanged = written.unchanged.saturating_add(1);
                return Ok(());
            }
        }
        Some(FileType::Directory) => parent.remove(name).map_err(FilesError::io("replace", &full))?,
        _ => {}
    }
    let size = replace(&parent, name, &full, |out| emit(out, true))?;
    written.bytes = written.bytes.saturating_add(size);
    written.files = written.files.saturating_add(1);
    touched.insert(above.to_owned(), parent);
    Ok(())
}

fn sync_directories(path: &Path, touched: &BTreeMap<String, Directory>) -> Result<(), FilesError> {
    touched.values().try_for_each(|directory| directory.sync().map_err(FilesError::io("sync", path)))
}
