//! A file that is being written: locked until it has all its bytes and gets its name.

use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{Mode, OFlags};

use crate::directory::Directory;

/// How the names of partial files in a cache directory begin.
pub const PARTIAL: &str = ".partial-";

/// How the names of those end that [`Partial::claim`] makes.
pub const PARTIAL_SUFFIX: &str = ".seed-partial";

/// The mode of the user's files: as the umask lets.
pub(crate) const SHARED: Mode = Mode::from_bits_retain(0o666);

/// A file that is being written. It has a name of its own, which goes away when this is dropped, and a lock, which ends with
/// the process: [`remove_abandoned`] removes those that nobody holds.
#[derive(Debug)]
pub struct Partial {
    directory: Directory,
    name: OsString,
    file: File,
    /// Whether it has its last name.
    named: bool,
}

impl Partial {
    /// Makes an empty file in `directory`, with a name of its own that begins with `prefix`, and with these permission bits,
    /// less the umask.
    pub(crate) fn new(directory: &Directory, prefix: &str, mode: Mode) -> io::Result<Self> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        loop {
            let count = COUNTER.fetch_add(1, Ordering::Relaxed);
            let name = OsString::from(format!("{prefix}{}-{count}", process::id()));
            let file = match directory.write(&name, OFlags::EXCL, mode) {
                // Another process with this id, of old or in another container.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                file => file?,
            };
            // Between its creation and its lock another process may have taken the file for an abandoned one.
            let locked = lock(&file)?;
            if locked && file.metadata()?.nlink() > 0 {
                return Ok(Self { directory: directory.again(), name, file, named: false });
            }
        }
    }

    /// Makes an empty file that will be `name` in `directory`, which others share: while one process has it, no other
    /// gets it. One that a killed process left is taken over.
    pub fn claim(directory: &Directory, name: &OsStr) -> io::Result<Option<Self>> {
        let partial = claimed(name);
        loop {
            let file = directory.write(&partial, OFlags::empty(), SHARED)?;
            if !lock(&file)? {
                return Ok(None);
            }
            // Whoever had the lock before may have given the file another name meanwhile.
            if is_named(directory, &partial, &file) {
                file.set_len(0)?;
                let directory = directory.again();
                return Ok(Some(Self { directory, name: partial, file, named: false }));
            }
        }
    }

    /// Its name while it is being written.
    pub fn name(&self) -> &OsStr {
        &self.name
    }

    /// The open file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Gives it its last name, after all its bytes are on disk. The name is durable after [`Directory::sync`].
    pub fn persist(self, to: &Directory, name: &OsStr) -> io::Result<()> {
        self.file.sync_all()?;
        self.persist_unsynced(to, name)
    }

    /// The same, for a name that nothing has; else the error is `AlreadyExists`.
    pub fn persist_new(mut self, to: &Directory, name: &OsStr) -> io::Result<()> {
        self.file.sync_all()?;
        self.directory.rename_new(&self.name, to, name)?;
        self.named = true;
        Ok(())
    }

    /// Gives it its last name; after a crash of the machine the content may be anything. For what carries a checksum.
    pub(crate) fn persist_unsynced(mut self, to: &Directory, name: &OsStr) -> io::Result<()> {
        self.directory.rename(&self.name, to, name)?;
        self.named = true;
        Ok(())
    }
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.named {
            // What cannot be removed is removed by the next run.
            let _ = self.directory.unlink(&self.name);
        }
    }
}

/// Removes the files in `directory` whose names begin with `prefix` and that no process holds. What cannot be opened or
/// removed is left to the next run.
pub fn remove_abandoned(directory: &Directory, prefix: &str) -> io::Result<()> {
    for (name, _) in directory.entries()? {
        if name.as_bytes().starts_with(prefix.as_bytes()) {
            remove_if_abandoned(directory, &name);
        }
    }
    Ok(())
}

/// Removes what a killed process left of [`Partial::claim`] for this name.
pub fn remove_abandoned_claim(directory: &Directory, name: &OsStr) {
    remove_if_abandoned(directory, &claimed(name));
}

fn remove_if_abandoned(directory: &Directory, name: &OsStr) {
    let Ok(file) = directory.read(name) else { return };
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    // While this process has the lock, nobody gives the file or its name to anything else.
    if is_file && file.try_lock().is_ok() && is_named(directory, name, &file) {
        let _ = directory.unlink(name);
    }
}

/// The name of a claimed file while it is being written.
pub fn claimed(name: &OsStr) -> OsString {
    let mut partial = OsString::from(".");
    partial.push(name);
    partial.push(PARTIAL_SUFFIX);
    partial
}

/// Locks a file for this process: false where another one has it.
fn lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        // A file system without locks: nothing is taken for abandoned there, as that needs a lock too.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn is_named(directory: &Directory, name: &OsStr, file: &File) -> bool {
    let named = directory.inode(name);
    named.is_ok_and(|named| file.metadata().is_ok_and(|held| held.ino() == named))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_in_the_place_of_a_partial_file_is_not_written_through() {
        let place = tempfile::tempdir().unwrap();
        let victim = place.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        let held = place.path().join("held");
        fs::create_dir(&held).unwrap();
        let directory = Directory::open(&held).unwrap();
        for target in ["../victim", "../new"] {
            symlink(target, held.join(claimed(OsStr::new("tar")))).unwrap();
            assert!(Partial::claim(&directory, OsStr::new("tar")).is_err(), "{target}");
            remove_abandoned_claim(&directory, OsStr::new("tar"));
            assert_eq!(fs::read(&victim).unwrap(), b"precious");
            assert!(!place.path().join("new").exists());
            fs::remove_file(held.join(claimed(OsStr::new("tar")))).unwrap();
        }
        // What takes its last name replaces a link there.
        symlink("../victim", held.join("tar")).unwrap();
        let mut partial = Partial::claim(&directory, OsStr::new("tar")).unwrap().unwrap();
        partial.write_all(b"whole").unwrap();
        partial.persist(&directory, OsStr::new("tar")).unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
        assert!(!held.join("tar").is_symlink());
        assert_eq!(fs::read(held.join("tar")).unwrap(), b"whole");
    }

    #[test]
    fn what_a_killed_run_left_is_emptied_before_it_is_written() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::open(place.path()).unwrap();
        let left = place.path().join(claimed(OsStr::new("tar")));
        fs::write(&left, "a longer text").unwrap();
        let mut partial = Partial::claim(&directory, OsStr::new("tar")).unwrap().unwrap();
        partial.write_all(b"short").unwrap();
        partial.persist(&directory, OsStr::new("tar")).unwrap();
        assert_eq!(fs::read(place.path().join("tar")).unwrap(), b"short");
        assert!(!left.exists());
    }
}
