//! The key of a cache: a secret of one user, under which this user's `seed` authenticates what it keeps.
//!
//! What the cache holds is believed only if it carries an HMAC-SHA256 under this key. So what another user wrote, or what was
//! restored from another cache without its key, is as good as missing.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Write};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::cache::CacheDirectory;
use crate::error::DiskError;
use crate::partial::PARTIAL;

const KEY_FILE: &str = "key";

/// The key's size in bytes.
const SIZE: usize = 32;

/// An HMAC-SHA256.
pub type Code = [u8; 32];

/// Authenticates with the key of one cache. It never prints the key.
#[derive(Clone)]
pub struct Authenticator {
    key: [u8; SIZE],
}

impl CacheDirectory {
    /// What authenticates the content of this directory and of all others of the cache. The key is in the outermost one, and
    /// is made where it is missing or damaged. One that others can read or write is refused.
    pub fn authenticator(&self) -> Result<Authenticator, DiskError> {
        let directory = self.root();
        if let Some(key) = read(directory)? {
            return Ok(Authenticator { key });
        }
        directory.remove_abandoned(PARTIAL)?;
        let io = DiskError::io("write", directory.path().join(KEY_FILE));
        make(directory).map_err(io)?;
        // Another process may have been first: its key counts.
        let gone = DiskError::io("read", directory.path().join(KEY_FILE));
        let key = read(directory)?.ok_or_else(|| gone(io::ErrorKind::NotFound.into()))?;
        Ok(Authenticator { key })
    }
}

impl Authenticator {
    /// The code over all `parts`, one after the other. The first says what the code is for, and no two contents may have
    /// the same bytes: write lengths, or parts of fixed lengths.
    pub fn code<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> Code {
        self.mac(parts).finalize().into_bytes().into()
    }

    /// Whether `code` is that over `parts`. It takes the same time wherever they differ.
    pub fn verify<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>, code: &[u8]) -> bool {
        self.mac(parts).verify_slice(code).is_ok()
    }

    fn mac<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        parts.into_iter().for_each(|part| mac.update(part));
        mac
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator(…)")
    }
}

/// The key, if there is one. A file of another size is what a crash of the machine left: it is removed, and what was
/// authenticated with the key that was lost is made again.
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

    fn open(directory: &CacheDirectory) -> Result<Code, DiskError> {
        Ok(directory.authenticator()?.code([b"seed".as_slice()]))
    }

    #[test]
    fn a_key_of_another_size_is_made_anew_unless_it_is_not_private() {
        let parent = tempfile::tempdir().unwrap();
        let directory = CacheDirectory::open(&parent.path().join("cache")).unwrap();
        let first = open(&directory).unwrap();
        assert_eq!(open(&directory).unwrap(), first);
        let path = directory.path().join(KEY_FILE);
        let key = fs::read(&path).unwrap();
        for damaged in [&key[..0], &key[..31], &[&key[..], &key].concat()] {
            fs::write(&path, damaged).unwrap();
            let anew = open(&directory).unwrap();
            assert_ne!(anew, first);
            assert_eq!(open(&directory).unwrap(), anew);
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        }
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(open(&directory), Err(DiskError::NotPrivate { .. })));
        assert!(path.exists());
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("elsewhere", &path).unwrap();
        assert!(matches!(open(&directory), Err(DiskError::Io { .. })));
    }

    #[test]
    fn a_code_is_of_one_content_under_one_key() {
        let (parent, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let cache = CacheDirectory::open(parent.path()).unwrap();
        let authenticator = cache.authenticator().unwrap();
        let code = authenticator.code([b"for ".as_slice(), b"this"]);
        assert!(authenticator.verify([b"for this".as_slice()], &code));
        assert!(!authenticator.verify([b"for that".as_slice()], &code));
        assert!(!authenticator.verify([b"for this".as_slice()], &code[..31]));
        // A directory in the cache has the key of the whole.
        let within = cache.directory("aot").unwrap().authenticator().unwrap();
        assert!(within.verify([b"for this".as_slice()], &code));
        let foreign = CacheDirectory::open(other.path()).unwrap().authenticator().unwrap();
        assert!(!foreign.verify([b"for this".as_slice()], &code));
        assert_eq!(format!("{authenticator:?}"), "Authenticator(…)");
    }
}
