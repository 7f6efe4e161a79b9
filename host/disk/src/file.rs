//! The user's files: whole or as they were, whatever happens while they are written.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;

use crate::directory::Directory;
use crate::partial::{Partial, SHARED, remove_abandoned};

/// Makes `path` a file of `content`, durably: after a crash it is what it was before or what it is now. Removes what killed
/// runs left beside it. A link in its place is replaced; the mode is as the umask lets, since these files are committed and
/// shared.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    write(path, content, Partial::persist)
}

/// The same, where nothing is at `path` yet; else the error is `AlreadyExists`.
pub fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    write(path, content, Partial::persist_new)
}

/// The directory of a file: `.` for a name alone.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn write(
    path: &Path,
    content: &[u8],
    persist: fn(Partial, &Directory, &OsStr) -> io::Result<()>,
) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    let directory = Directory::open_following(parent(path))?;
    let prefix = format!(".{}.partial-", name.to_string_lossy());
    // What cannot be removed is no reason not to write: the next run tries again.
    let _ = remove_abandoned(&directory, &prefix);
    let mut partial = Partial::new(&directory, &prefix, SHARED)?;
    partial.write_all(content)?;
    persist(partial, &directory, name)?;
    directory.sync()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn runs_that_replace_one_file_do_not_disturb_each_other() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("layers.lock");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..20).for_each(|_| replace(&path, b"new").unwrap()));
            }
        });
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_was_left_is_removed_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("seed.lock");
        for name in [".seed.lock.partial-a1", ".seed.lock", ".other.lock.partial-b2"] {
            fs::write(directory.path().join(name), "x").unwrap();
        }
        fs::create_dir(directory.path().join(".seed.lock.partial-directory")).unwrap();
        let parent = Directory::open(directory.path()).unwrap();
        let living = Partial::new(&parent, ".seed.lock.partial-", SHARED).unwrap();
        replace(&path, b"new").unwrap();
        let names: Vec<_> = parent.entries().unwrap().into_iter().map(|(name, _)| name).collect();
        let expected = [".other.lock.partial-b2", ".seed.lock", ".seed.lock.partial-directory"];
        assert!(expected.iter().all(|name| names.contains(&name.into())), "{names:?}");
        assert!(names.contains(&living.name().to_owned()) && names.len() == 5, "{names:?}");
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn a_file_that_is_there_is_not_created_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pipeline.toml");
        create(&path, b"first").unwrap();
        assert_eq!(create(&path, b"second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        fs::File::create(directory.path().join("usual")).unwrap();
        assert_eq!(mode, fs::metadata(directory.path().join("usual")).unwrap().permissions().mode());
    }

    #[test]
    fn a_link_is_replaced_and_its_target_kept() {
        let directory = tempfile::tempdir().unwrap();
        let (path, target) = (directory.path().join("link"), directory.path().join("target"));
        fs::write(&target, "precious").unwrap();
        symlink(&target, &path).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"precious");
        assert!(!path.is_symlink());
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_an_error() {
        use std::os::unix::fs::MetadataExt;
        let directory = tempfile::tempdir().unwrap();
        // To the superuser nothing else is closed.
        let is_root = fs::metadata(directory.path()).unwrap().uid() == 0;
        let place = if is_root { Path::new("/sys") } else { directory.path() };
        if !is_root {
            fs::set_permissions(place, fs::Permissions::from_mode(0o555)).unwrap();
        }
        let kind = replace(&place.join("seed.lock"), b"new").unwrap_err().kind();
        assert!(
            matches!(kind, io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem),
            "{kind:?}"
        );
        assert!(replace(&directory.path().join("none/seed.lock"), b"new").is_err());
        assert!(replace(Path::new("/"), b"new").is_err());
    }
}
