//! A directory of the cache: this user's alone, or refused.

use std::ffi::OsStr;
use std::fs::{DirBuilder, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use rustix::process::geteuid;

use crate::directory::Directory;
use crate::error::{DiskError, NotPrivate};
use crate::partial::{self, PARTIAL, Partial};
use crate::read::bounded;

/// Permission bits that let others write.
const WRITE: u32 = 0o022;

/// All permission bits of others.
const ANY: u32 = 0o077;

/// A directory of the cache. It is held by its descriptor: what was checked is what is used.
#[derive(Debug)]
pub struct CacheDirectory {
    directory: Directory,
    path: PathBuf,
    /// The outermost directory; none where it is this one.
    root: Option<Box<Self>>,
}

impl Clone for CacheDirectory {
    fn clone(&self) -> Self {
        Self { directory: self.directory.again(), path: self.path.clone(), root: self.root.clone() }
    }
}

impl CacheDirectory {
    /// Opens the directory at `path`; where it or one above it is missing, it is made, with mode 0700.
    ///
    /// What the cache holds is run and published, so the directory is refused if it is a link, belongs to another user, or
    /// can be written by others.
    pub fn open(path: &Path) -> Result<Self, DiskError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(path).map_err(DiskError::io("create", path))?;
        Self::check(Directory::open(path), path.to_owned())
    }

    /// Opens a directory in this one, `name` or `name/name`, in the same way.
    pub fn directory(&self, name: &str) -> Result<Self, DiskError> {
        name.split('/').try_fold(self.clone(), |above, step| {
            let (path, step) = (above.path.join(step), OsStr::new(step));
            above.directory.make_private(step).map_err(DiskError::io("create", &path))?;
            let root = Some(Box::new(above.root().clone()));
            Ok(Self { root, ..Self::check(above.directory.directory(step), path)? })
        })
    }

    fn check(opened: io::Result<Directory>, path: PathBuf) -> Result<Self, DiskError> {
        let refuse = |reason| DiskError::NotPrivate { path: path.clone(), reason };
        let directory = opened.map_err(|error| {
            if path.is_symlink() { refuse(NotPrivate::Link) } else { DiskError::io("open", &path)(error) }
        })?;
        let metadata = directory.metadata().map_err(DiskError::io("look at", &path))?;
        private(&metadata, WRITE).map_err(refuse)?;
        Ok(Self { directory, path, root: None })
    }

    /// The directory by whose path the cache was opened: this one, or one around it.
    pub(crate) fn root(&self) -> &Self {
        self.root.as_deref().unwrap_or(self)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open directory.
    pub fn handle(&self) -> &Directory {
        &self.directory
    }

    /// An empty file in it that is being written, mode 0600, whose name begins with [`PARTIAL`].
    pub fn partial(&self) -> Result<Partial, DiskError> {
        Partial::new(&self.directory, PARTIAL, Mode::RUSR | Mode::WUSR)
            .map_err(DiskError::io("create a file in", &self.path))
    }

    /// Removes the files whose names begin with `prefix` and that nobody is writing.
    pub fn remove_abandoned(&self, prefix: &str) -> Result<(), DiskError> {
        partial::remove_abandoned(&self.directory, prefix).map_err(DiskError::io("list", &self.path))
    }

    /// Reads a secret of at most `limit` bytes, if it is there. One that others can read or write is refused.
    pub fn secret(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, DiskError> {
        let path = self.path.join(name);
        let file = match self.directory.read(OsStr::new(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(DiskError::io("open", &path))?,
        };
        let metadata = file.metadata().map_err(DiskError::io("look at", &path))?;
        let checked = if metadata.is_file() { private(&metadata, ANY) } else { Err(NotPrivate::Kind) };
        checked.map_err(|reason| DiskError::NotPrivate { path: path.clone(), reason })?;
        bounded(file, limit).map(Some).map_err(DiskError::io("read", &path))
    }
}

/// Whether something belongs to this user and has none of the `forbidden` permission bits.
fn private(metadata: &Metadata, forbidden: u32) -> Result<(), NotPrivate> {
    let (owner, user) = (metadata.uid(), geteuid().as_raw());
    let mode = metadata.mode() & 0o7777;
    if owner != user {
        Err(NotPrivate::Owner { owner, user })
    } else if mode & forbidden != 0 {
        Err(NotPrivate::Mode { mode, forbidden })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::io::Write;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    /// The message and the help of the refusal of `path`.
    fn refused(parent: &Path, path: &str) -> String {
        let error = CacheDirectory::open(parent).and_then(|parent| parent.directory(path)).unwrap_err();
        let by_path = CacheDirectory::open(&parent.join(path)).unwrap_err();
        assert_eq!(error.to_string(), by_path.to_string());
        let text = format!("{error}\n{}", error.help().unwrap());
        text.replace(parent.to_str().unwrap(), "[dir]")
    }

    #[test]
    fn directories_are_made_for_this_user_only() {
        let parent = tempfile::tempdir().unwrap();
        let cache = CacheDirectory::open(&parent.path().join("a/cache")).unwrap();
        let blobs = cache.directory("blobs/sha256").unwrap();
        assert_eq!(blobs.path(), parent.path().join("a/cache/blobs/sha256"));
        for path in ["a", "a/cache", "a/cache/blobs", "a/cache/blobs/sha256"] {
            assert_eq!(mode(&parent.path().join(path)), 0o700, "{path}");
        }
        let mut partial = blobs.partial().unwrap();
        partial.write_all(b"content").unwrap();
        partial.persist_new(blobs.handle(), OsStr::new("x")).unwrap();
        assert_eq!(mode(&blobs.path().join("x")), 0o600);
        assert_eq!(blobs.secret("x", 7).unwrap().unwrap(), b"content");
        assert!(blobs.secret("x", 6).is_err());
        assert_eq!(blobs.secret("y", 7).unwrap(), None);
    }

    #[test]
    fn a_directory_that_others_can_write_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("frames");
        fs::create_dir(&path).unwrap();
        for good in [0o700, 0o750, 0o755] {
            fs::set_permissions(&path, Permissions::from_mode(good)).unwrap();
            CacheDirectory::open(&path).unwrap();
        }
        for bad in [0o720, 0o702, 0o1777] {
            fs::set_permissions(&path, Permissions::from_mode(bad)).unwrap();
            assert!(matches!(CacheDirectory::open(&path), Err(DiskError::NotPrivate { .. })));
        }
        insta::assert_snapshot!(refused(parent.path(), "frames"), @"
        `[dir]/frames` is not private: its mode is 1777, so others can write to it
        `seed` runs and publishes the contents of its cache, so nobody else may write to it: remove it, or run `chmod go-rwx` on it if you trust its contents
        ");
    }

    #[test]
    fn a_link_in_the_place_of_a_directory_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        fs::create_dir(parent.path().join("elsewhere")).unwrap();
        symlink("elsewhere", parent.path().join("blobs")).unwrap();
        insta::assert_snapshot!(refused(parent.path(), "blobs"), @"
        `[dir]/blobs` is not private: it is a symbolic link
        set SEED_CACHE_DIR to the directory itself
        ");
    }

    #[test]
    fn a_directory_of_another_user_is_refused() {
        if !geteuid().is_root() {
            return;
        }
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("aot");
        fs::create_dir(&path).unwrap();
        chown(&path, Some(65534), None).unwrap();
        insta::assert_snapshot!(refused(parent.path(), "aot"), @"
        `[dir]/aot` is not private: it belongs to user 65534, but you are user 0
        `seed` runs and publishes the contents of its cache, so nobody else may write to it: set SEED_CACHE_DIR to a directory of your own
        ");
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let cache = CacheDirectory::open(parent.path()).unwrap();
        fs::write(parent.path().join("key"), "secret").unwrap();
        fs::set_permissions(parent.path().join("key"), Permissions::from_mode(0o640)).unwrap();
        let error = cache.secret("key", 99).unwrap_err();
        let text = error.to_string().replace(parent.path().to_str().unwrap(), "[dir]");
        insta::assert_snapshot!(text, @"`[dir]/key` is not private: its mode is 0640, so others can read it or write to it");
        fs::create_dir(parent.path().join("directory")).unwrap();
        assert!(matches!(cache.secret("directory", 99), Err(DiskError::NotPrivate { .. })));
        symlink("key", parent.path().join("link")).unwrap();
        assert!(matches!(cache.secret("link", 99), Err(DiskError::Io { .. })));
    }
}
