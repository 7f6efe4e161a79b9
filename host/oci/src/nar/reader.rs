//! Reads trees from disk.
//!
//! Every name is opened relative to its directory's descriptor and without following links: a tree that is
//! changed while it is read cannot lead the reader out of it.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, fstat, openat, readlinkat, statat};

use crate::nar::error::{MAX_DEPTH, NarError};
use crate::nar::format::NarHash;
use crate::nar::sink::NarSink;

/// File contents are read in pieces of this size.
const PIECE: usize = 256 << 10;

pub(super) struct Reader<'a> {
    root: &'a Path,
    pub(super) nar: NarHash,
    sink: &'a mut dyn NarSink,
    /// Whether files are read.
    contents: bool,
    piece: Vec<u8>,
    /// Path of the current node, relative to the root.
    path: Vec<u8>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(root: &'a Path, sink: &'a mut dyn NarSink, contents: bool) -> Self {
        let piece = vec![0; if contents { PIECE } else { 0 }];
        Self { root, nar: NarHash::default(), sink, contents, piece, path: Vec::new() }
    }

    pub(super) fn root(&mut self) -> Result<(), NarError> {
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
            self.node(directory.as_fd(), entry.name_on_disk(), entry.kind, depth.saturating_add(1))?;
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
            rest = rest.saturating_sub(length as u64);
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
pub(super) struct DirectoryEntry {
    /// Its name in the NAR.
    pub(super) name: Vec<u8>,
    /// Its name on disk, where that is another one.
    hacked: Option<Vec<u8>>,
    kind: FileType,
}

impl DirectoryEntry {
    /// On macOS, whose file systems ignore case, Nix adds `~nix~case~hack~N` to names that would collide.
    pub(super) fn new(name: &[u8], kind: FileType, case_hack: bool) -> Self {
        const SUFFIX: &[u8] = b"~nix~case~hack~";
        match name.windows(SUFFIX.len()).position(|window| case_hack && window == SUFFIX) {
            Some(start) => Self { name: name[..start].to_vec(), hacked: Some(name.to_vec()), kind },
            None => Self { name: name.to_vec(), hacked: None, kind },
        }
    }

    pub(super) fn name_on_disk(&self) -> &[u8] {
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
