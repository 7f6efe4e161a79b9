//! Files that are whole or not there, whatever happens while they are written.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

/// Makes `path` a file of `content`: a temporary file beside it, with a name that nobody can guess, is written, synced and
/// renamed. After a crash, `path` is what it was before or what it is now.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = directory(path);
    let mut temporary = tempfile::Builder::new()
        .prefix(&prefix(path))
        // As the umask lets: these files are committed and shared.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(directory)?;
    temporary.write_all(content)?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    File::open(directory)?.sync_all()
}

/// Makes `path`, a file of the user's, one of `content`, as [`write`] does, and removes what killed runs left beside it. Runs
/// that do so in one directory take turns: none removes what another one is writing.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let turn = File::open(directory(path))?;
    turn.lock()?;
    remove_abandoned(path, Duration::ZERO);
    write(path, content)
}

/// Removes what killed runs left beside `path` at least `age` ago. Failures do not matter: the next run tries again.
pub(crate) fn remove_abandoned(path: &Path, age: Duration) {
    let prefix = prefix(path);
    for entry in fs::read_dir(directory(path)).into_iter().flatten().flatten() {
        let old = || entry.metadata()?.modified()?.elapsed().map_err(io::Error::other);
        if entry.file_name().to_string_lossy().starts_with(&prefix) && old().is_ok_and(|old| old >= age) {
            drop(fs::remove_file(entry.path()));
        }
    }
}

/// The directory of a file.
pub(crate) fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// How the names of temporary files for `path` begin.
fn prefix(path: &Path) -> String {
    format!(".{}.partial-", path.file_name().unwrap_or_else(|| OsStr::new("seed")).to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_replace_one_file_take_turns() {
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
        let names = [".seed.lock.partial-a1", ".seed.lock", ".other.lock.partial-b2"];
        for name in names {
            fs::write(directory.path().join(name), "x").unwrap();
        }
        write(&path, b"new").unwrap();
        remove_abandoned(&path, Duration::from_hours(1));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 4);
        remove_abandoned(&path, Duration::ZERO);
        assert!(!directory.path().join(names[0]).exists());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3);
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }
}
