//! The NAR view of a path on disk: what Nix's archive format keeps of a tree, and its hash.
//!
//! A node is a directory, a symbolic link (its target only) or a regular file (its bytes and whether its owner may
//! execute it). Entries of a directory come in byte order of their names. Nothing else of a file system is seen:
//! no owner, time, link count or extended attribute, so neither can it reach an image.
//!
//! Every name is opened relative to its directory's descriptor and without following links: a tree that is
//! changed while it is read cannot lead the reader out of it.

use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, fstat, openat, readlinkat, statat};
use seed_model::{Digest, Hasher};

/// Directories inside each other; each level holds a file descriptor.
const MAX_DEPTH: usize = 256;

/// File contents are read in pieces of this size.
const PIECE: usize = 256 << 10;

/// Why a tree has no NAR view.
#[derive(Debug, thiserror::Error)]
pub enum NarError {
    /// The operating system refused.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A device, pipe or socket.
    #[error("`{}` is a {kind}: only regular files, directories and symbolic links can be packed", path.display())]
    Type {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// The tree was changed meanwhile.
    #[error("`{}` changed while it was being read", path.display())]
    Changed {
        /// The file or directory.
        path: PathBuf,
    },
    /// Too many directories inside each other.
    #[error("`{}` is more than {MAX_DEPTH} directories deep", path.display())]
    TooDeep {
        /// The directory.
        path: PathBuf,
    },
    /// Two names become one without macOS's case hack.
    #[error("`{}` exists twice, in different case", path.display())]
    CaseCollision {
        /// The second file.
        path: PathBuf,
    },
    /// Whoever receives the tree does not want it.
    #[error("cannot pack `{}`: {reason}", path.display())]
    Refused {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

/// Receives the nodes of a tree, parents first. Paths are relative to the tree's root, which is the empty path.
/// An error's text is what is the matter with the node.
pub(crate) trait NarSink {
    /// A directory; its entries follow.
    fn directory(&mut self, path: &[u8]) -> Result<(), String>;
    /// A symbolic link.
    fn symlink(&mut self, path: &[u8], target: &[u8]) -> Result<(), String>;
    /// A regular file; `size` bytes follow.
    fn file(&mut self, path: &[u8], executable: bool, size: u64) -> Result<(), String>;
    /// The next bytes of that file.
    fn contents(&mut self, _bytes: &[u8]) -> Result<(), String> {
        Ok(())
    }
    /// The end of that file.
    fn file_end(&mut self, _size: u64) -> Result<(), String> {
        Ok(())
    }
}

/// Only the hash is wanted.
impl NarSink for () {
    fn directory(&mut self, _: &[u8]) -> Result<(), String> {
        Ok(())
    }
    fn symlink(&mut self, _: &[u8], _: &[u8]) -> Result<(), String> {
        Ok(())
    }
    fn file(&mut self, _: &[u8], _: bool, _: u64) -> Result<(), String> {
        Ok(())
    }
}

/// The digest and size of the NAR of the tree at `root`: what Nix calls `narHash` and `narSize`.
///
/// `root` itself may be a file or a symbolic link, which is not followed.
pub fn nar_digest(root: &Path) -> Result<(Digest, u64), NarError> {
    read_tree(root, &mut ())
}

/// Lists the tree: `sink` gets every node, files as empty ones, and no file is opened.
pub(crate) fn list_tree(root: &Path, sink: &mut dyn NarSink) -> Result<(), NarError> {
    Reader::new(root, sink, false).root()
}

/// Gives `each` the path of every node below `root`, relative to it, parents first and in byte order of the names. No
/// file is opened and no link is followed.
pub fn list_names(root: &Path, each: &mut dyn FnMut(&[u8])) -> Result<(), NarError> {
    list_tree(root, &mut Names(each))
}

/// Only the names are wanted.
struct Names<'a>(&'a mut dyn FnMut(&[u8]));

impl Names<'_> {
    fn name(&mut self, path: &[u8]) {
        if !path.is_empty() {
            (self.0)(path);
        }
    }
}

impl NarSink for Names<'_> {
    fn directory(&mut self, path: &[u8]) -> Result<(), String> {
        self.name(path);
        Ok(())
    }
    fn symlink(&mut self, path: &[u8], _: &[u8]) -> Result<(), String> {
        self.name(path);
        Ok(())
    }
    fn file(&mut self, path: &[u8], _: bool, _: u64) -> Result<(), String> {
        self.name(path);
        Ok(())
    }
}

/// Reads the tree once: gives its nodes to `sink`, and returns the digest and size of its NAR.
pub(crate) fn read_tree(root: &Path, sink: &mut dyn NarSink) -> Result<(Digest, u64), NarError> {
    let mut reader = Reader::new(root, sink, true);
    reader.root()?;
    Ok((reader.nar.hasher.finish(), reader.nar.size))
}

/// A string of a NAR: its length, its bytes, padding.
pub(crate) fn put_string<E>(text: &[u8], mut put: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    let length = text.len() as u64;
    put(&length.to_le_bytes())?;
    put(text)?;
    put_padding(length, put)
}

/// Zeros up to the next multiple of eight.
pub(crate) fn put_padding<E>(length: u64, mut put: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    let rest = usize::try_from(length % 8).expect("less than 8");
    if rest == 0 { Ok(()) } else { put(&[0; 8][rest..]) }
}

/// Hashes a NAR that is never stored.
#[derive(Default)]
struct NarHash {
    hasher: Hasher,
    size: u64,
}

impl NarHash {
    fn bytes(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
    }

    fn padding(&mut self, length: u64) {
        let Ok(()) = put_padding::<Infallible>(length, |bytes| {
            self.bytes(bytes);
            Ok(())
        });
    }

    fn string(&mut self, text: &[u8]) {
        let Ok(()) = put_string::<Infallible>(text, |bytes| {
            self.bytes(bytes);
            Ok(())
        });
    }

    fn strings(&mut self, texts: &[&[u8]]) {
        for text in texts {
            self.string(text);
        }
    }
}

struct Reader<'a> {
    root: &'a Path,
    nar: NarHash,
    sink: &'a mut dyn NarSink,
    /// Whether files are read.
    contents: bool,
    piece: Vec<u8>,
    /// Path of the current node, relative to the root.
    path: Vec<u8>,
}

impl<'a> Reader<'a> {
    fn new(root: &'a Path, sink: &'a mut dyn NarSink, contents: bool) -> Self {
        let piece = vec![0; if contents { PIECE } else { 0 }];
        Self { root, nar: NarHash::default(), sink, contents, piece, path: Vec::new() }
    }

    fn root(&mut self) -> Result<(), NarError> {
        self.nar.string(b"nix-archive-1");
        // The root's name is resolved as usual, except that the root itself may be a link.
        self.node(CWD, self.root.as_os_str().as_bytes(), FileType::Unknown, 0)
    }

    /// Reads the node `name` of `parent`, of which the directory said that it is of type `kind`.
    fn node(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        kind: FileType,
        depth: usize,
    ) -> Result<(), NarError> {
        let kind = match kind {
            FileType::Unknown => {
                let status =
                    statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|error| self.io(error))?;
                FileType::from_raw_mode(status.st_mode)
            }
            known => known,
        };
        self.nar.string(b"(");
        match kind {
            FileType::RegularFile if self.contents => self.file(parent, name)?,
            FileType::RegularFile => {
                self.sink.file(&self.path, false, 0).map_err(|reason| self.refused(reason))?;
            }
            FileType::Symlink => {
                let target = readlinkat(parent, name, Vec::new()).map_err(|error| self.io(error))?;
                self.nar.strings(&[b"type", b"symlink", b"target", target.as_bytes()]);
                self.sink.symlink(&self.path, target.as_bytes()).map_err(|reason| self.refused(reason))?;
            }
            FileType::Directory => self.directory(parent, name, depth)?,
            other => return Err(NarError::Type { path: self.full_path(), kind: type_name(other) }),
        }
        self.nar.string(b")");
        Ok(())
    }

    fn directory(&mut self, parent: BorrowedFd<'_>, name: &[u8], depth: usize) -> Result<(), NarError> {
        if depth == MAX_DEPTH {
            return Err(NarError::TooDeep { path: self.full_path() });
        }
        let directory = self.open(parent, name, OFlags::DIRECTORY)?;
        self.nar.strings(&[b"type", b"directory"]);
        self.sink.directory(&self.path).map_err(|reason| self.refused(reason))?;
        for entry in self.entries(&directory)? {
            let length = self.path.len();
            if length > 0 {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(&entry.name);
            self.nar.strings(&[b"entry", b"(", b"name", &entry.name, b"node"]);
            self.node(directory.as_fd(), entry.name_on_disk(), entry.kind, depth + 1)?;
            self.nar.string(b")");
            self.path.truncate(length);
        }
        Ok(())
    }

    /// The entries of a directory in byte order of their names.
    fn entries(&self, directory: &OwnedFd) -> Result<Vec<DirectoryEntry>, NarError> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(directory).map_err(|error| self.io(error))? {
            let entry = entry.map_err(|error| self.io(error))?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                entries.push(DirectoryEntry::new(name, entry.file_type(), cfg!(target_os = "macos")));
            }
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        if let Some(twice) = entries.windows(2).find(|pair| pair[0].name == pair[1].name) {
            let name = Path::new(std::ffi::OsStr::from_bytes(twice[1].name_on_disk()));
            return Err(NarError::CaseCollision { path: self.full_path().join(name) });
        }
        Ok(entries)
    }

    fn file(&mut self, parent: BorrowedFd<'_>, name: &[u8]) -> Result<(), NarError> {
        // Without NONBLOCK, a pipe put in the file's place would stop us here for ever.
        let file = self.open(parent, name, OFlags::NONBLOCK)?;
        let status = fstat(&file).map_err(|error| self.io(error))?;
        if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
            return Err(NarError::Changed { path: self.full_path() });
        }
        let executable = status.st_mode & Mode::XUSR.as_raw_mode() != 0;
        let size = u64::try_from(status.st_size).expect("the kernel gives no negative size");

        self.nar.strings(&[b"type", b"regular"]);
        if executable {
            self.nar.strings(&[b"executable", b""]);
        }
        self.nar.string(b"contents");
        self.nar.bytes(&size.to_le_bytes());
        self.sink.file(&self.path, executable, size).map_err(|reason| self.refused(reason))?;

        let mut file = File::from(file);
        let mut rest = size;
        while rest > 0 {
            let want = usize::try_from(rest).unwrap_or(PIECE).min(PIECE);
            let length = match file.read(&mut self.piece[..want]) {
                Ok(0) => return Err(NarError::Changed { path: self.full_path() }),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(NarError::Io { path: self.full_path(), source }),
            };
            self.nar.bytes(&self.piece[..length]);
            self.sink.contents(&self.piece[..length]).map_err(|reason| self.refused(reason))?;
            rest -= length as u64;
        }
        self.nar.padding(size);
        self.sink.file_end(size).map_err(|reason| self.refused(reason))
    }

    fn open(&self, parent: BorrowedFd<'_>, name: &[u8], flags: OFlags) -> Result<OwnedFd, NarError> {
        let flags = flags | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(parent, name, flags, Mode::empty()).map_err(|error| match error {
            // It was something else when its directory was listed.
            rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR => {
                NarError::Changed { path: self.full_path() }
            }
            error => self.io(error),
        })
    }

    fn full_path(&self) -> PathBuf {
        if self.path.is_empty() {
            self.root.to_owned()
        } else {
            self.root.join(Path::new(std::ffi::OsStr::from_bytes(&self.path)))
        }
    }

    fn io(&self, error: rustix::io::Errno) -> NarError {
        NarError::Io { path: self.full_path(), source: error.into() }
    }

    fn refused(&self, reason: String) -> NarError {
        NarError::Refused { path: self.full_path(), reason }
    }
}

/// A name in a directory.
struct DirectoryEntry {
    /// Its name in the NAR.
    name: Vec<u8>,
    /// Its name on disk, where that is another one.
    hacked: Option<Vec<u8>>,
    kind: FileType,
}

impl DirectoryEntry {
    /// On macOS, whose file systems ignore case, Nix adds `~nix~case~hack~N` to names that would collide.
    fn new(name: &[u8], kind: FileType, case_hack: bool) -> Self {
        const SUFFIX: &[u8] = b"~nix~case~hack~";
        match name.windows(SUFFIX.len()).position(|window| case_hack && window == SUFFIX) {
            Some(start) => Self { name: name[..start].to_vec(), hacked: Some(name.to_vec()), kind },
            None => Self { name: name.to_vec(), hacked: None, kind },
        }
    }

    fn name_on_disk(&self) -> &[u8] {
        self.hacked.as_ref().unwrap_or(&self.name)
    }
}

fn type_name(kind: FileType) -> &'static str {
    match kind {
        FileType::Fifo => "named pipe",
        FileType::Socket => "socket",
        FileType::CharacterDevice => "character device",
        FileType::BlockDevice => "block device",
        _ => "file of an unknown type",
    }
}

#[cfg(test)]
mod tests;
