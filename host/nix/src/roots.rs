//! Directories of links that keep paths from the garbage collector.
//!
//! Nix forgets a root when its link is gone, so a run that is killed leaves a directory among the temporary files and
//! nothing else. Whoever uses a directory holds a lock on a file in it, which ends with the process: the next run
//! removes those that nobody holds.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

const PREFIX: &str = "seed-roots-";
const LOCK: &str = "lock";

/// A directory for links, removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Roots {
    directory: TempDir,
    _lock: File,
}

impl Roots {
    /// Makes a directory in `parent`, and removes those of this user that nobody uses any more.
    pub(crate) fn make(parent: &Path) -> io::Result<Self> {
        loop {
            let directory = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
            let lock = match File::create_new(directory.path().join(LOCK)) {
                Ok(lock) => lock,
                // Another run has taken the directory for an abandoned one, before the lock was in it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            // The same again, before the lock was held.
            if lock.try_lock().is_ok() && lock.metadata()?.nlink() > 0 {
                remove_abandoned(parent, lock.metadata()?.uid());
                return Ok(Self { directory, _lock: lock });
            }
        }
    }

    /// Where the link with this number may be made.
    pub(crate) fn link(&self, number: usize) -> PathBuf {
        self.directory.path().join(format!("root-{number}"))
    }
}

/// Removes the directories of `user` in `parent` whose lock nobody holds. What cannot be removed is left to the next run.
fn remove_abandoned(parent: &Path, user: u32) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
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
    fn abandoned_roots_are_removed_and_others_kept() {
        let parent = tempfile::tempdir().unwrap();
        let used = Roots::make(parent.path()).unwrap();
        symlink("/nix/store/x", used.link(0)).unwrap();
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

        let next = Roots::make(parent.path()).unwrap();
        for gone in ["seed-roots-killed", "seed-roots-empty"] {
            assert!(!path(gone).exists(), "{gone}");
        }
        for kept in ["elsewhere/lock", "seed-roots-link/lock", "seed-roots-without-lock"] {
            assert!(path(kept).exists(), "{kept}");
        }
        assert!(used.link(0).is_symlink());
        let used_directory = used.link(0).parent().unwrap().to_owned();
        drop((used, next));
        assert!(!used_directory.exists());
    }
}
