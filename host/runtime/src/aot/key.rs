//! The key of the cache: a secret of one user.

use std::ffi::OsStr;
use std::io::{self, Write};

use seed_disk::{CacheDirectory, DiskError};

const KEY_FILE: &str = "key";

/// The key's size in bytes.
const SIZE: usize = 32;

/// Reads the key, making it where it is missing or damaged.
pub(super) fn key(directory: &CacheDirectory) -> Result<[u8; SIZE], DiskError> {
    if let Some(key) = read(directory)? {
        return Ok(key);
    }
    let io = DiskError::io("write", directory.path().join(KEY_FILE));
    make(directory).map_err(io)?;
    // Another process may have been first: its key counts.
    let gone = DiskError::io("read", directory.path().join(KEY_FILE));
    read(directory)?.ok_or_else(|| gone(io::ErrorKind::NotFound.into()))
}

/// The key, if there is one. A file of another size is what a crash of the machine left: it is removed, and entries
/// under the key that was lost are compiled again.
fn read(directory: &CacheDirectory) -> Result<Option<[u8; SIZE]>, DiskError> {
    let found = match directory.secret(KEY_FILE, SIZE as u64) {
        Ok(None) => return Ok(None),
        Ok(Some(bytes)) => bytes,
        Err(DiskError::Io { source, .. }) if source.kind() == io::ErrorKind::FileTooLarge => Vec::new(),
        Err(error) => return Err(error),
    };
    let key = found.try_into().ok();
    if key.is_none() {
        let io = DiskError::io("remove", directory.path().join(KEY_FILE));
        directory.handle().unlink(OsStr::new(KEY_FILE)).map_err(io)?;
    }
    Ok(key)
}

/// Makes a key that never changes: when there is one already, that one stays.
fn make(directory: &CacheDirectory) -> io::Result<()> {
    let mut key = [0; SIZE];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let mut file = directory.partial().map_err(io::Error::other)?;
    file.write_all(&key)?;
    match file.persist_new(directory.handle(), OsStr::new(KEY_FILE)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|()| directory.handle().sync()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    #[test]
    fn a_key_of_another_size_is_made_anew_unless_it_is_not_private() {
        let parent = tempfile::tempdir().unwrap();
        let directory = CacheDirectory::open(&parent.path().join("aot")).unwrap();
        let first = key(&directory).unwrap();
        assert_eq!(key(&directory).unwrap(), first);
        let path = directory.path().join(KEY_FILE);
        for damaged in [&first[..0], &first[..31], &[first, first].concat()] {
            fs::write(&path, damaged).unwrap();
            let anew = key(&directory).unwrap();
            assert_ne!(anew, first);
            assert_eq!(key(&directory).unwrap(), anew);
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        }
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(key(&directory), Err(DiskError::NotPrivate { .. })));
        assert!(path.exists());
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("elsewhere", &path).unwrap();
        assert!(matches!(key(&directory), Err(DiskError::Io { .. })));
    }
}
