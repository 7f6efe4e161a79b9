//! Directories for what is needed during one run: links that keep paths from the garbage collector, store paths on their
//! way into the store.
//!
//! Whoever uses a directory holds a lock on a file in it, which ends with the process. So a run that is killed leaves its
//! directory until the next run, which removes those that nobody holds.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tempfile::TempDir;

const LOCK: &str = "lock";

/// A directory that is removed when this is dropped, or by a later run. The name `lock` in it is taken.
#[derive(Debug)]
pub struct Scratch {
    directory: TempDir,
    _lock: File,
}

impl Scratch {
    /// Makes a directory in `parent` whose name begins with `prefix`, and removes those of this user that nobody uses any
    /// more.
    pub fn make(parent: &Path, prefix: &str) -> io::Result<Self> {
        loop {
            let directory = tempfile::Builder::new().prefix(prefix).tempdir_in(parent)?;
            let lock = match File::create_new(directory.path().join(LOCK)) {
                Ok(lock) => lock,
                // Another run has taken the directory for an abandoned one, before the lock was in it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            // The same again, before the lock was held.
            if lock.try_lock().is_ok() && lock.metadata()?.nlink() > 0 {
                remove_abandoned(parent, prefix, lock.metadata()?.uid());
                return Ok(Self { directory, _lock: lock });
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Removes the directories of `user` in `parent` whose lock nobody holds. What cannot be removed is left to the next run.
fn remove_abandoned(parent: &Path, prefix: &str, user: u32) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_ours = entry.file_name().to_string_lossy().starts_with(prefix)
            // Not through a link, which anybody can make in a directory for temporary files.
            && fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir() && found.uid() == user);
        if !is_ours {
            continue;
        }
        match File::open(path.join(LOCK)) {
            Ok(lock) if lock.try_lock().is_ok() => drop(fs::remove_dir_all(&path)),
            // Held, or not to be opened.
            Ok(_) => {}
            // One that was just made, or that was killed just then: gone only if nothing is in it.
            Err(_) => drop(fs::remove_dir(&path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn abandoned_directories_are_removed_and_others_kept() {
        let parent = tempfile::tempdir().unwrap();
        let used = Scratch::make(parent.path(), "seed-roots-").unwrap();
        symlink("/nix/store/x", used.path().join("root")).unwrap();
        let path = |name: &str| parent.path().join(name);
        fs::create_dir(path("seed-roots-killed")).unwrap();
        File::create(path("seed-roots-killed/lock")).unwrap();
        symlink("/nix/store/y", path("seed-roots-killed/root")).unwrap();
        fs::create_dir(path("seed-roots-empty")).unwrap();
        fs::create_dir(path("elsewhere")).unwrap();
        File::create(path("elsewhere/lock")).unwrap();
        symlink(path("elsewhere"), path("seed-roots-link")).unwrap();
        fs::create_dir(path("seed-roots-without-lock")).unwrap();
        symlink("/nix/store/z", path("seed-roots-without-lock/root")).unwrap();

        let next = Scratch::make(parent.path(), "seed-roots-").unwrap();
        for gone in ["seed-roots-killed", "seed-roots-empty"] {
            assert!(!path(gone).exists(), "{gone}");
        }
        for kept in ["elsewhere/lock", "seed-roots-link/lock", "seed-roots-without-lock"] {
            assert!(path(kept).exists(), "{kept}");
        }
        assert!(used.path().join("root").is_symlink());
        let used_directory = used.path().to_owned();
        drop((used, next));
        assert!(!used_directory.exists());
    }
}
