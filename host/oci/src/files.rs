//! Writes the user's files for publishing plugins (`publishing.wit`, interface `files`): a directory of exactly
//! these files, or one tar of them. The caller has decided that the plugin may write there.
//!
//! A file gets its name only when all its bytes are on disk. Inside a directory every name is opened from its
//! parent's descriptor without following links, so nothing in it can lead a write elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use rustix::fs::FileType;
use seed_model::{File as OutputFile, FileContent, Hasher, Written};

use crate::beneath::Directory;
use crate::store::{BlobStore, StoreError};
use crate::tar::{EntryType, Header, write_end, write_padding};

/// Contents are copied and compared in pieces of this size.
const PIECE: usize = 256 << 10;

/// Files that are being written have this at their end; one that a killed run left behind is overwritten or removed
/// by the next.
const PARTIAL: &str = ".seed-partial";

/// Why the files were not written. What had been there before is still there, whole.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The operating system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A path that does not stay below its directory, or stands twice.
    #[error("`{path}` cannot be the path of a file to write: {reason}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is something else at the place.
    #[error("`{}` is not what should be there: {reason}", path.display())]
    NotOurs {
        /// The place.
        path: PathBuf,
        /// What is there.
        reason: String,
    },
    /// Another process writes there.
    #[error("another process is writing `{}`", path.display())]
    Busy {
        /// The place.
        path: PathBuf,
    },
    /// A blob cannot be read, or is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FilesError {
    fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// What the user can do about it, where that is known.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("free some space and run again; nothing half-written was kept")
            }
            Self::NotOurs { .. } => Some("choose another path, or remove what is there"),
            Self::Store(error) => error.help(),
            _ => None,
        }
    }
}

/// Makes `path` a directory of exactly `files`, and gives the number of those that were written.
///
/// The file named `marker` comes first, since it says that the directory is ours; the others follow in their order, and
/// the last one only when all before it are durable. Files that are not in the list are removed in the end. A
/// directory that is not empty and has no `marker` is refused.
pub fn write_directory(
    store: &BlobStore,
    path: &Path,
    marker: &str,
    files: &[OutputFile],
) -> Result<Written, FilesError> {
    let tree = Tree::of(files)?;
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
            sync_all(path, &touched)?;
        }
        write_file(store, path, &root, &files[index], &mut written, &mut touched)?;
    }
    sync_all(path, &touched)?;
    tree.remove_others(&root).map_err(FilesError::io("remove old files from", path))?;
    Ok(written)
}

/// Makes `path` an uncompressed tar of `files`, in their order. Nothing is written where it is that already.
pub fn write_tar(store: &BlobStore, path: &Path, files: &[OutputFile]) -> Result<Written, FilesError> {
    Tree::of(files)?;
    let (directory, name) = split(path)?;
    fs::create_dir_all(directory).map_err(FilesError::io("create", directory))?;
    let parent = Directory::open(directory).map_err(FilesError::io("open", directory))?;
    match parent.kind(name).map_err(FilesError::io("look at", path))? {
        Some(FileType::Directory) => {
            return Err(FilesError::NotOurs {
                path: path.to_owned(),
                reason: "it is a directory".to_owned(),
            });
        }
        Some(FileType::RegularFile) if same_tar(store, &parent, path, name, files)? => {
            return Ok(Written { files: 0, unchanged: 1, bytes: 0 });
        }
        _ => {}
    }
    let bytes = replace(&parent, name, path, |out| emit_tar(store, files, out, true))?;
    parent.sync().map_err(FilesError::io("sync", directory))?;
    Ok(Written { files: 1, unchanged: 0, bytes })
}

/// The names of a list of files.
struct Tree<'a> {
    files: BTreeSet<&'a str>,
    directories: BTreeSet<&'a str>,
}

impl<'a> Tree<'a> {
    fn of(files: &'a [OutputFile]) -> Result<Self, FilesError> {
        let mut tree = Self { files: BTreeSet::new(), directories: BTreeSet::new() };
        for OutputFile { path, .. } in files {
            let bad = |reason| Err(FilesError::Path { path: path.clone(), reason });
            if path.contains('\0') || path.split('/').any(|name| matches!(name, "" | "." | "..")) {
                return bad("it must be relative, of plain names with `/` between them");
            }
            if path.ends_with(PARTIAL) {
                return bad("names with this ending are for files that are being written");
            }
            if !tree.files.insert(path) {
                return bad("it stands twice in the list");
            }
            tree.directories.extend(path.match_indices('/').map(|(end, _)| &path[..end]));
        }
        match tree.files.intersection(&tree.directories).next() {
            Some(path) => {
                let reason = "it is the directory of another file in the list";
                Err(FilesError::Path { path: (*path).to_owned(), reason })
            }
            None => Ok(tree),
        }
    }

    /// Removes what is not in the list.
    fn remove_others(&self, root: &Directory) -> io::Result<()> {
        self.remove_others_in(root, "")
    }

    fn remove_others_in(&self, directory: &Directory, prefix: &str) -> io::Result<()> {
        for (name, kind) in directory.entries()? {
            let path = name.to_str().map(|name| format!("{prefix}{name}"));
            match path {
                Some(path) if kind == FileType::Directory && self.directories.contains(&*path) => {
                    self.remove_others_in(&directory.make(&name)?, &format!("{path}/"))?;
                }
                Some(path) if self.files.contains(&*path) => {}
                _ => directory.remove(&name)?,
            }
        }
        Ok(())
    }
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
    let root = Directory::open(path).map_err(FilesError::io("open", path))?;
    if !root.try_lock().map_err(FilesError::io("lock", path))? {
        return Err(FilesError::Busy { path: path.to_owned() });
    }
    // A run that was killed at its very beginning has left this and nothing else.
    let beginning = partial_name(OsStr::new(marker));
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
    file: &OutputFile,
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

/// Writes a file beside the one that it replaces, syncs it and renames it. Gives its size.
fn replace(
    parent: &Directory,
    name: &OsStr,
    path: &Path,
    emit: impl FnOnce(&mut dyn Write) -> Result<(), EmitError>,
) -> Result<u64, FilesError> {
    let partial = partial_name(name);
    let file = parent.create_locked(&partial).map_err(FilesError::io("create", path))?;
    let file = file.ok_or_else(|| FilesError::Busy { path: path.to_owned() })?;
    let write = || {
        let mut out = io::BufWriter::with_capacity(PIECE, &file);
        emit(&mut out).map_err(|error| error.at(path))?;
        out.flush().map_err(FilesError::io("write", path))?;
        drop(out);
        file.sync_all().map_err(FilesError::io("write", path))?;
        parent.rename(&partial, name).map_err(FilesError::io("write", path))?;
        Ok(file.metadata().map_err(FilesError::io("look at", path))?.len())
    };
    let written = write();
    if written.is_err() {
        // The error that is told is the one that led here.
        drop(parent.unlink(&partial));
    }
    written
}

/// Why content did not go where it should.
enum EmitError {
    /// The blob cannot be read.
    Store(StoreError),
    /// The other side cannot be written, or is not the same.
    Output(io::Error),
}

impl EmitError {
    fn at(self, path: &Path) -> FilesError {
        match self {
            Self::Store(error) => error.into(),
            Self::Output(source) => FilesError::Io { action: "write", path: path.to_owned(), source },
        }
    }
}

/// Gives the content to `out`; with `check`, a blob that is damaged is an error.
fn emit_content(
    store: &BlobStore,
    content: &FileContent,
    out: &mut dyn Write,
    check: bool,
) -> Result<(), EmitError> {
    let digest = match content {
        FileContent::Bytes(bytes) => return out.write_all(bytes).map_err(EmitError::Output),
        FileContent::Blob(digest) => *digest,
    };
    let mut blob = store.file(digest).map_err(EmitError::Store)?;
    let mut hasher = Hasher::new();
    let mut piece = vec![0; PIECE];
    loop {
        let length = blob
            .read(&mut piece)
            .map_err(|error| EmitError::Store(StoreError::io("read", store.path(digest))(error)))?;
        if length == 0 {
            break;
        }
        if check {
            hasher.update(&piece[..length]);
        }
        out.write_all(&piece[..length]).map_err(EmitError::Output)?;
    }
    let found = hasher.finish();
    if check && found != digest {
        return Err(EmitError::Store(StoreError::Corrupt { path: store.path(digest), found }));
    }
    Ok(())
}

fn content_size(store: &BlobStore, content: &FileContent) -> Result<u64, StoreError> {
    match content {
        FileContent::Bytes(bytes) => Ok(bytes.len() as u64),
        FileContent::Blob(digest) => store
            .size(*digest)?
            .ok_or_else(|| StoreError::Missing { digest: *digest, store: store.root().to_owned() }),
    }
}

fn emit_tar(
    store: &BlobStore,
    files: &[OutputFile],
    out: &mut dyn Write,
    check: bool,
) -> Result<(), EmitError> {
    let mut out = out;
    for file in files {
        let size = content_size(store, &file.content).map_err(EmitError::Store)?;
        let header =
            Header { path: file.path.as_bytes(), kind: EntryType::File(size), mode: 0o644, uid: 0, gid: 0 };
        header.write(&mut out).map_err(EmitError::Output)?;
        emit_content(store, &file.content, out, check)?;
        write_padding(&mut out, size).map_err(EmitError::Output)?;
    }
    write_end(&mut out).map_err(EmitError::Output)
}

/// Whether the file at `name` is already the tar of `files`.
fn same_tar(
    store: &BlobStore,
    parent: &Directory,
    path: &Path,
    name: &OsStr,
    files: &[OutputFile],
) -> Result<bool, FilesError> {
    let existing = parent.read(name).map_err(FilesError::io("open", path))?;
    let size = existing.metadata().map_err(FilesError::io("look at", path))?.len();
    same_content(existing, path, size, |out| emit_tar(store, files, out, false))
}

/// Whether `existing` has `size` bytes, and those that `emit` gives.
fn same_content(
    existing: File,
    path: &Path,
    size: u64,
    emit: impl FnOnce(&mut dyn Write) -> Result<(), EmitError>,
) -> Result<bool, FilesError> {
    if existing.metadata().map_err(FilesError::io("look at", path))?.len() != size {
        return Ok(false);
    }
    let mut compare = Compare { existing: BufReader::with_capacity(PIECE, existing), piece: Vec::new() };
    match emit(&mut compare) {
        Ok(()) => compare.at_end().map_err(FilesError::io("read", path)),
        Err(EmitError::Output(_)) => Ok(false),
        Err(error) => Err(error.at(path)),
    }
}

/// Takes bytes as long as they are those of a file.
struct Compare {
    existing: BufReader<File>,
    piece: Vec<u8>,
}

impl Compare {
    fn at_end(&mut self) -> io::Result<bool> {
        Ok(self.existing.read(&mut [0])? == 0)
    }
}

impl Write for Compare {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.resize(bytes.len(), 0);
        self.existing.read_exact(&mut self.piece)?;
        if self.piece == bytes { Ok(bytes.len()) } else { Err(io::Error::other("the contents differ")) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn sync_all(path: &Path, touched: &BTreeMap<String, Directory>) -> Result<(), FilesError> {
    touched.values().try_for_each(|directory| directory.sync().map_err(FilesError::io("sync", path)))
}

/// The directory and the name of a file.
fn split(path: &Path) -> Result<(&Path, &OsStr), FilesError> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        let reason = "it does not end in a name";
        return Err(FilesError::Path { path: path.display().to_string(), reason });
    };
    Ok((if directory.as_os_str().is_empty() { Path::new(".") } else { directory }, name))
}

fn partial_name(name: &OsStr) -> OsString {
    let mut partial = OsString::from(".");
    partial.push(name);
    partial.push(PARTIAL);
    partial
}
