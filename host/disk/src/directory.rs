//! A directory that is held by its descriptor: names in it are opened without following links, so nothing that
//! somebody puts into it leads out of it.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

/// An open directory.
#[derive(Debug)]
pub struct Directory {
    descriptor: Arc<OwnedFd>,
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
        Self { descriptor: Arc::new(descriptor), locked: false }
    }
}

impl Directory {
    /// Opens a directory; its last name may not be a link.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(rustix::fs::openat(CWD, path, FLAGS | OFlags::NOFOLLOW, Mode::empty())?.into())
    }

    /// Opens a directory, wherever links lead to: one that the user named.
    pub fn open_following(path: &Path) -> io::Result<Self> {
        Ok(rustix::fs::openat(CWD, path, FLAGS, Mode::empty())?.into())
    }

    /// Another handle to the same directory, without its lock.
    pub(crate) fn again(&self) -> Self {
        Self { descriptor: Arc::clone(&self.descriptor), locked: false }
    }

    /// Opens a directory in this one.
    pub fn directory(&self, name: &OsStr) -> io::Result<Self> {
        Ok(rustix::fs::openat(&self.descriptor, name, FLAGS | OFlags::NOFOLLOW, Mode::empty())?.into())
    }

    /// Makes a directory in this one for the current user only, unless something has the name.
    pub(crate) fn make_private(&self, name: &OsStr) -> io::Result<()> {
        match rustix::fs::mkdirat(&self.descriptor, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a directory in this one, making it first if need be. Whatever else has the name is an error.
    pub fn enter(&self, name: &OsStr) -> io::Result<Self> {
        Ok(self.open_or_make(name)?)
    }

    /// Opens a directory in this one, making it first if need be. Whatever else has the name is removed.
    pub fn make(&self, name: &OsStr) -> io::Result<Self> {
        loop {
            match self.open_or_make(name) {
                Err(Errno::LOOP | Errno::NOTDIR) => self.unlink(name)?,
                opened => return Ok(opened?),
            }
        }
    }

    fn open_or_make(&self, name: &OsStr) -> rustix::io::Result<Self> {
        loop {
            match rustix::fs::openat(&self.descriptor, name, FLAGS | OFlags::NOFOLLOW, Mode::empty()) {
                Err(Errno::NOENT) => {}
                opened => return opened.map(Self::from),
            }
            match rustix::fs::mkdirat(&self.descriptor, name, Mode::from_raw_mode(0o777)) {
                // What somebody else has made meanwhile is opened as well as what was there before.
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Locks the directory for this process, unless another one has it.
    pub fn try_lock(&mut self) -> io::Result<bool> {
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
    pub fn entries(&self) -> io::Result<Vec<(OsString, FileType)>> {
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
    pub fn kind(&self, name: &OsStr) -> io::Result<Option<FileType>> {
        match rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(status) => Ok(Some(FileType::from_raw_mode(status.st_mode))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a file for reading.
    pub fn read(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(&self.descriptor, name, flags, Mode::empty())?))
    }

    /// Opens a file for writing, with `added` flags, such as those that make it.
    pub(crate) fn write(&self, name: &OsStr, added: OFlags, mode: Mode) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | added;
        Ok(File::from(rustix::fs::openat(&self.descriptor, name, flags, mode)?))
    }

    /// The number by which the file system knows what has this name.
    pub(crate) fn inode(&self, name: &OsStr) -> io::Result<u64> {
        Ok(rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW)?.st_ino)
    }

    /// Gives a file another name in the directory `to`, replacing a file or link that has it.
    pub(crate) fn rename(&self, from: &OsStr, to: &Self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.descriptor, from, &to.descriptor, name)?)
    }

    /// Gives a file another name in the directory `to`, unless something has it.
    pub(crate) fn rename_new(&self, from: &OsStr, to: &Self, name: &OsStr) -> io::Result<()> {
        let (old, new) = (&self.descriptor, &to.descriptor);
        match rustix::fs::renameat_with(old, from, new, name, RenameFlags::NOREPLACE) {
            // File systems that cannot do that can do this.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                rustix::fs::linkat(old, from, new, name, AtFlags::empty())?;
                self.unlink(from)
            }
            renamed => Ok(renamed?),
        }
    }

    /// Removes a file or link, if it is there.
    pub fn unlink(&self, name: &OsStr) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.descriptor, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes whatever has this name, with all that is in it.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        if self.kind(name)? != Some(FileType::Directory) {
            return self.unlink(name);
        }
        let directory = self.directory(name)?;
        for (name, _) in directory.entries()? {
            directory.remove(&name)?;
        }
        Ok(rustix::fs::unlinkat(&self.descriptor, name, AtFlags::REMOVEDIR)?)
    }

    /// Makes the names in it durable.
    pub fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.descriptor)?)
    }

    /// What the file system says about it.
    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        File::from(self.descriptor.try_clone()?).metadata()
    }
}

const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn name(text: &str) -> &OsStr {
        OsStr::new(text)
    }

    /// A directory with a file, a directory with a file, and links to both; and a place outside of it.
    fn place() -> (tempfile::TempDir, Directory) {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir_all(place.path().join("held/directory")).unwrap();
        fs::create_dir(place.path().join("outside")).unwrap();
        for file in ["held/file", "held/directory/file", "outside/file"] {
            fs::write(place.path().join(file), "precious").unwrap();
        }
        symlink("../outside/file", place.path().join("held/link")).unwrap();
        symlink("../outside", place.path().join("held/links")).unwrap();
        symlink("../outside/new", place.path().join("held/dangling")).unwrap();
        let directory = Directory::open(&place.path().join("held")).unwrap();
        (place, directory)
    }

    fn precious(place: &tempfile::TempDir) {
        let outside = fs::read_dir(place.path().join("outside")).unwrap();
        assert_eq!(outside.count(), 1, "something was made outside");
        assert_eq!(fs::read(place.path().join("outside/file")).unwrap(), b"precious");
    }

    #[test]
    fn no_name_leads_out_of_a_directory() {
        let (place, held) = place();
        assert!(Directory::open(&place.path().join("held/links")).is_err());
        assert!(Directory::open_following(&place.path().join("held/links")).is_ok());
        assert!(held.directory(name("links")).is_err() && held.directory(name("directory")).is_ok());
        assert!(held.read(name("link")).is_err() && held.read(name("file")).is_ok());
        for link in ["link", "dangling"] {
            assert_eq!(held.kind(name(link)).unwrap(), Some(FileType::Symlink));
            assert!(held.write(name(link), OFlags::empty(), Mode::RWXU).is_err());
            assert!(held.write(name(link), OFlags::TRUNC, Mode::RWXU).is_err());
        }
        assert_ne!(
            held.inode(name("link")).unwrap(),
            rustix::fs::stat(place.path().join("outside/file")).unwrap().st_ino
        );
        assert_eq!(held.kind(name("missing")).unwrap(), None);
        precious(&place);
    }

    #[test]
    fn what_has_the_name_of_a_directory_is_replaced_and_not_followed() {
        let (place, held) = place();
        held.make(name("directory")).unwrap();
        assert!(place.path().join("held/directory/file").exists());
        for taken in ["links", "dangling", "file", "new"] {
            let made = held.make(name(taken)).unwrap();
            made.write(name("file"), OFlags::EXCL, Mode::RWXU).unwrap();
            assert_eq!(held.kind(name(taken)).unwrap(), Some(FileType::Directory), "{taken}");
        }
        precious(&place);
        // Here, what has the name is refused by whoever opens it.
        held.make_private(name("link")).unwrap();
        assert_eq!(held.kind(name("link")).unwrap(), Some(FileType::Symlink));
        held.make_private(name("private")).unwrap();
        let mode = fs::metadata(place.path().join("held/private")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o700);
    }

    #[test]
    fn links_are_removed_and_renamed_and_their_targets_kept() {
        let (place, held) = place();
        held.rename(name("file"), &held, name("link")).unwrap();
        assert_eq!(held.kind(name("link")).unwrap(), Some(FileType::RegularFile));
        held.remove(name("links")).unwrap();
        held.remove(name("directory")).unwrap();
        held.remove(name("missing")).unwrap();
        held.unlink(name("dangling")).unwrap();
        precious(&place);
        let names: Vec<_> = held.entries().unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["link"]);
    }

    #[test]
    fn a_new_name_takes_nothing_from_another() {
        let (place, held) = place();
        for taken in ["directory", "link", "links", "dangling"] {
            let error = held.rename_new(name("file"), &held, name(taken)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{taken}");
        }
        held.rename_new(name("file"), &held, name("new")).unwrap();
        assert_eq!(fs::read(place.path().join("held/new")).unwrap(), b"precious");
        assert_eq!(held.kind(name("file")).unwrap(), None);
        precious(&place);
    }

    #[test]
    fn a_lock_keeps_others_out_until_it_is_dropped() {
        let (place, mut held) = place();
        let mut other = Directory::open(&place.path().join("held")).unwrap();
        assert!(held.try_lock().unwrap() && !other.try_lock().unwrap());
        // A handle without the lock does not end it.
        drop(held.again());
        assert!(!other.try_lock().unwrap());
        drop(held);
        assert!(other.try_lock().unwrap());
    }
}
