//! A directory of exactly the files.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use rustix::fs::FileType;
use seed_disk::{Directory, partial};
use seed_model::{File, Written};

use crate::files::content::{content_size, emit_content, replace, same_content};
use crate::files::error::FilesError;
use crate::files::names::Names;
use crate::store::BlobStore;

/// Makes `path` a directory of exactly `files`, and gives the number of those that were written.
///
/// The file named `marker` comes first, since it says that the directory is ours; the others follow in their order, and
/// the last one only when all before it are durable. Files that are not in the list are removed in the end. A
/// directory that is not empty and has no `marker` is refused.
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
        if index + 1 == files.len() {
            sync_directories(path, &touched)?;
        }
        write_file(store, path, &root, &files[index], &mut written, &mut touched)?;
    }
    sync_directories(path, &touched)?;
    names.remove_others(&root).map_err(FilesError::io("remove old files from", path))?;
    Ok(written)
}

/// Opens and locks the directory at `path`, made if need be, unless it is somebody else's.
fn claim(path: &Path, marker: &str) -> Result<Directory, FilesError> {
    let not_ours = |reason: String| FilesError::NotOurs { path: path.to_owned(), reason };
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(not_ours("it is a symbolic link".to_owned()));
    }
    fs::create_dir_all(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => not_ours("it is a file".to_owned()),
        _ => FilesError::io("create", path)(error),
    })?;
    let mut root = Directory::open(path).map_err(FilesError::io("open", path))?;
    if !root.try_lock().map_err(FilesError::io("lock", path))? {
        return Err(FilesError::Busy { path: path.to_owned() });
    }
    // A run that was killed at its very beginning has left this and nothing else.
    let beginning = partial::claimed(OsStr::new(marker));
    let mut entries = root.entries().map_err(FilesError::io("list", path))?;
    entries.retain(|(name, _)| *name != beginning);
    let ours = entries.iter().any(|(name, kind)| name == marker && *kind == FileType::RegularFile);
    if entries.is_empty() || ours {
        Ok(root)
    } else {
        Err(not_ours(format!("the directory is not empty and has no file `{marker}`")))
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
                written.unchanged += 1;
                return Ok(());
            }
        }
        Some(FileType::Directory) => parent.remove(name).map_err(FilesError::io("replace", &full))?,
        _ => {}
    }
    written.bytes += replace(&parent, name, &full, |out| emit(out, true))?;
    written.files += 1;
    touched.insert(above.to_owned(), parent);
    Ok(())
}

fn sync_directories(path: &Path, touched: &BTreeMap<String, Directory>) -> Result<(), FilesError> {
    touched.values().try_for_each(|directory| directory.sync().map_err(FilesError::io("sync", path)))
}
