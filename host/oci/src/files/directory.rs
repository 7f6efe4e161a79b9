//! A directory of exactly the files.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;

use rustix::fs::FileType;
use seed_disk::{Directory, partial};
use seed_model::{File, Written};

use crate::files::content::{EmitError, content_size, emit_content, replace, same_content};
use crate::files::error::FilesError;
use crate::files::names::{Names, OWN};
use crate::files::target::Target;
use crate::store::BlobStore;

/// What is in [`OWN`] of a directory whose `marker` says to others what it is.
fn own_content(marker: &str) -> String {
    format!("`seed` made this directory ({marker}) and replaces everything in it.\n")
}

/// Makes `target` a directory of exactly `files`, and gives the number of those that were written. One more file,
/// `.seed-directory`, says that the host made it; it is written before all others. A directory that is not empty and
/// does not have it, for the same `marker`, is refused.
///
/// The file named `marker` comes first; the others follow in their order, and the last one only when all before it are
/// durable. Files that are not in the list are removed in the end.
pub fn write_directory(
    store: &BlobStore,
    target: &Target,
    marker: &str,
    files: &[File],
) -> Result<Written, FilesError> {
    let path = &target.path;
    let names = Names::of(files)?;
    let Some(first) = files.iter().position(|file| file.path == marker) else {
        return Err(FilesError::Path {
            path: marker.to_owned(),
            reason: "the marker is not among the files",
        });
    };
    let root = claim(target, marker)?;
    let mut written = Written::default();
    let mut touched = BTreeSet::new();
    let others = (0..files.len()).filter(|index| *index != first);
    for index in std::iter::once(first).chain(others) {
        if index.saturating_add(1) == files.len() {
            sync_directories(path, &root, &touched)?;
        }
        write_file(store, path, &root, &files[index], &mut written, &mut touched)?;
    }
    sync_directories(path, &root, &touched)?;
    names.remove_others(&root).map_err(FilesError::io("remove old files from", path))?;
    Ok(written)
}

/// Opens and locks the directory at `target`, made if need be, unless it is somebody else's. Then it has [`OWN`].
fn claim(target: &Target, marker: &str) -> Result<Directory, FilesError> {
    let path = &target.path;
    let not_ours = |reason: &str| FilesError::NotOurs { path: path.clone(), reason: reason.to_owned() };
    let mut root = target.directory()?;
    if !root.try_lock().map_err(FilesError::io("lock", path))? {
        return Err(FilesError::Busy { path: path.clone() });
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
    touched: &mut BTreeSet<String>,
) -> Result<(), FilesError> {
    let full = path.join(&file.path);
    let (above, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let parent = descend(root, above).map_err(FilesError::io("create the directory of", &full))?;
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
    touched.insert(above.to_owned());
    Ok(())
}

/// Opens the directory `path` below `root`, made if need be.
fn descend(root: &Directory, path: &str) -> io::Result<Directory> {
    let mut directory = root.make(OsStr::new("."))?;
    for step in path.split('/').filter(|step| !step.is_empty()) {
        directory = directory.make(OsStr::new(step))?;
    }
    Ok(directory)
}

/// One after the other, however many there are: an open directory takes one of a thousand descriptors or so.
fn sync_directories(path: &Path, root: &Directory, touched: &BTreeSet<String>) -> Result<(), FilesError> {
    let sync = |above: &String| descend(root, above)?.sync();
    touched.iter().try_for_each(sync).map_err(FilesError::io("sync", path))
}
