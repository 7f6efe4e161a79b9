//! The directory of the cache and its key: private to one user, or refused.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::process::geteuid;
use tempfile::NamedTempFile;

const KEY_FILE: &str = "key";

/// Why the directory for compiled components is refused.
#[derive(Debug, thiserror::Error)]
pub enum AotError {
    /// Others can write into it, or it is not what it seems.
    #[error("the directory for compiled plugins is not private: `{}` {reason}", path.display())]
    NotPrivate {
        /// The directory or its key file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// It cannot be made or read.
    #[error("cannot use the directory for compiled plugins: `{}`: {source}", path.display())]
    Io {
        /// The directory or its key file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl AotError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotPrivate { .. } => {
                "compiled plugins run with all your rights, so nobody else may write here: remove the directory, and seed makes a new one"
                    .to_owned()
            }
            Self::Io { .. } => "choose another place with `SEED_CACHE_DIR`".to_owned(),
        })
    }
}

/// Opens the directory, making it where it is missing, and gives its key.
pub(super) fn open(directory: &Path) -> Result<[u8; 32], AotError> {
    let io = |source| AotError::Io { path: directory.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(io)?;
    let metadata = fs::symlink_metadata(directory).map_err(io)?;
    let refuse = |reason| Err(AotError::NotPrivate { path: directory.to_owned(), reason });
    if !metadata.is_dir() {
        return refuse("is a symbolic link");
    }
    if metadata.uid() != geteuid().as_raw() {
        return refuse("belongs to another user");
    }
    if metadata.mode() & 0o022 != 0 {
        return refuse("can be written by its group or by everybody");
    }
    remove_abandoned(directory);
    key(&directory.join(KEY_FILE))
}

/// Temporary files older than this were left by a process that was killed: writing one takes seconds.
const ABANDONED: Duration = Duration::from_hours(1);

/// How the names of temporary files begin.
const PARTIAL: &str = ".partial-";

/// Removes what killed runs left. What cannot be removed is left to the next run.
fn remove_abandoned(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let is_partial = entry.file_name().to_string_lossy().starts_with(PARTIAL);
        let age = || entry.metadata()?.modified()?.elapsed().map_err(io::Error::other);
        if is_partial && age().is_ok_and(|age| age >= ABANDONED) {
            drop(fs::remove_file(entry.path()));
        }
    }
}

/// A temporary file in the directory, for this user only.
pub(super) fn partial_file(directory: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(PARTIAL).tempfile_in(directory)
}

/// Reads the key, making it where it is missing or damaged.
fn key(path: &Path) -> Result<[u8; 32], AotError> {
    if let Some(key) = read_key(path)? {
        return Ok(key);
    }
    let io = |source| AotError::Io { path: path.to_owned(), source };
    make_key(path).map_err(io)?;
    // Another process may have been first: its key counts.
    read_key(path)?.ok_or_else(|| io(io::ErrorKind::NotFound.into()))
}

/// The key, if there is one. A file of another size is what a crash of the machine left: it is removed, and entries
/// under the key that was lost are compiled again.
fn read_key(path: &Path) -> Result<Option<[u8; 32]>, AotError> {
    let io = |source| AotError::Io { path: path.to_owned(), source };
    let no_follow = OFlags::NOFOLLOW.bits().cast_signed();
    let mut file = match OpenOptions::new().read(true).custom_flags(no_follow).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(io)?,
    };
    let metadata = file.metadata().map_err(io)?;
    let refuse = |reason| Err(AotError::NotPrivate { path: path.to_owned(), reason });
    if !metadata.is_file() {
        return refuse("is not a regular file");
    }
    if metadata.uid() != geteuid().as_raw() {
        return refuse("belongs to another user");
    }
    if metadata.mode() & 0o077 != 0 {
        return refuse("can be read or written by others");
    }
    let mut key = [0; 32];
    if metadata.len() != key.len() as u64 {
        fs::remove_file(path).map_err(io)?;
        return Ok(None);
    }
    file.read_exact(&mut key).map_err(io)?;
    Ok(Some(key))
}

/// Makes a key that never changes: when there is one already, that one stays.
fn make_key(path: &Path) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let mut file = partial_file(directory)?;
    file.write_all(&key)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => File::open(directory)?.sync_all(),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::FileTimes;
    use std::os::unix::fs::PermissionsExt;
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn what_was_left_long_ago_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        open(parent.path()).unwrap();
        let long_ago = SystemTime::now() - 2 * ABANDONED;
        let file = |name: &str, time: SystemTime| {
            let path = parent.path().join(name);
            File::create(&path).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
            path
        };
        let abandoned = file(".partial-old", long_ago);
        let kept = [file(".partial-new", SystemTime::now()), file("0123-45.aot", long_ago)];
        open(parent.path()).unwrap();
        assert!(!abandoned.exists() && kept.iter().all(|path| path.exists()));
    }

    #[test]
    fn a_key_of_another_size_is_made_anew_unless_it_is_not_private() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("aot");
        let first = open(&directory).unwrap();
        assert_eq!(open(&directory).unwrap(), first);
        let path = directory.join(KEY_FILE);
        for damaged in [&first[..0], &first[..31], &[first, first].concat()] {
            fs::write(&path, damaged).unwrap();
            let anew = open(&directory).unwrap();
            assert_ne!(anew, first);
            assert_eq!(open(&directory).unwrap(), anew);
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        }
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(open(&directory), Err(AotError::NotPrivate { .. })));
        assert!(path.exists());
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("elsewhere", &path).unwrap();
        assert!(matches!(open(&directory), Err(AotError::Io { .. })));
    }
}
