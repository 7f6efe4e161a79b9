//! A directory that is held by its descriptor: names in it are opened without following links, so nothing that
//! somebody puts into it leads out of it.

use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

use rustix::fs::{AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

/// An open directory.
#[derive(Debug)]
pub(crate) struct Directory {
    descriptor: OwnedFd,
    /// Whether it is locked for this process.
    locked: bool,
}

/// A process that this one has just forked still has the descriptor, so closing it would not end the lock yet.
impl Drop for Directory {
    fn drop(&mut self) {
        if self.locked {
            // If it fails, the lock ends a moment later, with the other process's copy.
            let _ = rustix::fs::flock(&self.descriptor, FlockOperation::Unlock);
        }
    }
}

impl From<OwnedFd> for Directory {
    fn from(descriptor: OwnedFd) -> Self {
        Self { descriptor, locked: false }
    }
}

impl Directory {
    /// Opens a directory; its last name may not be a link.
    pub(crate) fn open(path: &std::path::Path) -> io::Result<Self> {
        Ok(rustix::fs::openat(CWD, path, Self::flags(), Mode::empty())?.into())
    }

    /// Opens a directory in this one, making it first if need be. Whatever else has the name is removed.
    pub(crate) fn make(&self, name: &OsStr) -> io::Result<Self> {
        loop {
            match rustix::fs::openat(&self.descriptor, name, Self::flags(), Mode::empty()) {
                Ok(directory) => return Ok(directory.into()),
                Err(Errno::NOENT) => {
                    match rustix::fs::mkdirat(&self.descriptor, name, Mode::from_raw_mode(0o777)) {
                        Ok(()) | Err(Errno::EXIST) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                Err(Errno::LOOP | Errno::NOTDIR) => self.unlink(name)?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Locks the directory for this process, unless another one has it.
    pub(crate) fn try_lock(&mut self) -> io::Result<bool> {
        match rustix::fs::flock(&self.descriptor, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                self.locked = true;
                Ok(true)
            }
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The names in it, sorted, and what each is.
    pub(crate) fn entries(&self) -> io::Result<Vec<(OsString, FileType)>> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.descriptor)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => self.kind(name)?.unwrap_or(FileType::Unknown),
                known => known,
            };
            entries.push((name.to_owned(), kind));
        }
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(entries)
    }

    /// What has this name, if anything has.
    pub(crate) fn kind(&self, name: &OsStr) -> io::Result<Option<FileType>> {
        match rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(status) => Ok(Some(FileType::from_raw_mode(status.st_mode))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a file for reading.
    pub(crate) fn read(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(&self.descriptor, name, flags, Mode::empty())?))
    }

    /// Makes an empty file for writing, locked for this process, unless another process has it so. One that a killed
    /// process left behind is taken over.
    pub(crate) fn create_locked(&self, name: &OsStr) -> io::Result<Option<File>> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        loop {
            let file =
                File::from(rustix::fs::openat(&self.descriptor, name, flags, Mode::from_raw_mode(0o666))?);
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // Whoever had the lock before may have given the file another name meanwhile.
            let named = rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW);
            if named.is_ok_and(|named| file.metadata().is_ok_and(|held| held.ino() == named.st_ino)) {
                file.set_len(0)?;
                return Ok(Some(file));
            }
        }
    }

    /// Gives a file another name, replacing a file or link that has it.
    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.descriptor, from, &self.descriptor, to)?)
    }

    /// Removes a file or link, if it is there.
    pub(crate) fn unlink(&self, name: &OsStr) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.descriptor, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes whatever has this name, with all that is in it.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        if self.kind(name)? != Some(FileType::Directory) {
            return self.unlink(name);
        }
        let directory = Self::from(rustix::fs::openat(&self.descriptor, name, Self::flags(), Mode::empty())?);
        for (name, _) in directory.entries()? {
            directory.remove(&name)?;
        }
        Ok(rustix::fs::unlinkat(&self.descriptor, name, AtFlags::REMOVEDIR)?)
    }

    /// Makes the names in it durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.descriptor)?)
    }

    fn flags() -> OFlags {
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
    }
}
