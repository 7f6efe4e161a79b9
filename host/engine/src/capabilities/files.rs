//! Files that a publishing plugin may write: below granted paths, through no links.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use seed_model::FileContent;
use seed_model::{File, StageError, Written};
use seed_oci::BlobStore;
use seed_oci::files::{FilesError, Target, write_directory, write_tar};
use seed_runtime::capabilities::Files;

use crate::capabilities::blobs::RunBlobs;
use crate::error_chain::with_causes;

/// What the publishing plugins of one run have written; clones share it. Nothing is written over it, since it has
/// been reported as published.
#[derive(Clone, Debug, Default)]
pub(crate) struct WrittenPaths(Arc<Mutex<BTreeSet<PathBuf>>>);

impl WrittenPaths {
    /// Refuses a path that was written, that holds something written, or that is inside of it.
    fn check(&self, target: &Path) -> Result<(), StageError> {
        let canonical = canonical(target);
        let written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let met = written.iter().find(|path| path.starts_with(&canonical) || canonical.starts_with(path));
        met.map_or(Ok(()), |met| {
            Err(StageError::Failed(format!(
                "`{}` would overwrite `{}`, which this run has published; give each [[publish]] its own path",
                target.display(),
                met.display()
            )))
        })
    }

    fn add(&self, target: &Path) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(canonical(target));
    }
}

/// `target` without links, as far as it exists.
fn canonical(target: &Path) -> PathBuf {
    match (fs::canonicalize(target), target.parent(), target.file_name()) {
        (Err(_), Some(parent), Some(name)) => canonical(parent).join(name),
        (found, ..) => found.unwrap_or_else(|_| target.to_owned()),
    }
}

/// The paths that one plugin may write.
#[derive(Debug)]
pub(crate) struct GrantedFiles {
    blobs: RunBlobs,
    written: WrittenPaths,
    /// The pipeline file's directory.
    directory: PathBuf,
    /// As the user wrote them.
    granted: Vec<String>,
}

impl GrantedFiles {
    /// `granted` are the `write` grant and the user's own `seed-output-path` values; relative ones begin at `directory`.
    pub(crate) fn new(
        blobs: RunBlobs,
        written: WrittenPaths,
        directory: &Path,
        granted: Vec<String>,
    ) -> Self {
        Self { blobs, written, directory: directory.to_owned(), granted }
    }

    /// Where `path` is, if it is granted: the granted path, and what comes below it.
    fn resolve(&self, path: &str) -> Result<(PathBuf, PathBuf), StageError> {
        let target = self.normal(path).ok_or_else(|| {
            StageError::Failed(format!(
                "cannot write to `{}`: the path is empty or contains a NUL",
                path.escape_debug()
            ))
        })?;
        let granted = self.granted.iter().filter_map(|granted| self.normal(granted));
        let Some(root) =
            granted.filter(|granted| target.starts_with(granted)).max_by_key(|root| root.as_os_str().len())
        else {
            let names: Vec<_> = self
                .granted
                .iter()
                .map(String::as_str)
                .chain([path])
                .map(|name| format!("{name:?}"))
                .collect();
            return Err(StageError::Denied(format!(
                "the path `{}`: no `write` grant names it; to allow it, write grants = {{ write = [{}] }}",
                path.escape_debug(),
                names.join(", ")
            )));
        };
        let below = target.strip_prefix(&root).map(Path::to_owned).unwrap_or_default();
        Ok((root, below))
    }

    /// `path` from the pipeline file's directory, without `.` and `..`.
    fn normal(&self, path: &str) -> Option<PathBuf> {
        if path.is_empty() || path.contains('\0') {
            return None;
        }
        let mut normal = PathBuf::new();
        for part in self.directory.join(path).components() {
            match part {
                Component::CurDir => {}
                // `..` above the directory of a relative path stays, so that it never equals another path by chance.
                Component::ParentDir
                    if !matches!(normal.components().next_back(), None | Some(Component::ParentDir)) =>
                {
                    normal.pop();
                }
                part => normal.push(part),
            }
        }
        Some(normal)
    }

    /// Writes `files` with `writer` to a path that is granted, and that nothing was written to in this run.
    fn write(
        &self,
        path: &str,
        files: &[File],
        writer: impl FnOnce(&BlobStore, &Target) -> Result<Written, FilesError>,
    ) -> Result<Written, StageError> {
        let (store, (root, below)) = (self.store(files)?, self.resolve(path)?);
        let path = if below.as_os_str().is_empty() { root.clone() } else { root.join(&below) };
        self.written.check(&path)?;
        let target = Target::open_below(&root, &below);
        let written = target.and_then(|target| writer(store, &target)).map_err(|error| failed(&error))?;
        self.written.add(&path);
        Ok(written)
    }

    fn store(&self, files: &[File]) -> Result<&BlobStore, StageError> {
        let foreign = files.iter().find_map(|file| match file.content {
            FileContent::Blob(digest) if !self.blobs.knows(digest) => Some(digest),
            _ => None,
        });
        match foreign {
            Some(digest) => Err(StageError::Failed(format!("the blob {digest} does not belong to this run"))),
            None => Ok(self.blobs.store()),
        }
    }
}

fn failed(error: &FilesError) -> StageError {
    let help = error.help().map_or_else(String::new, |help| format!("; {help}"));
    StageError::Failed(with_causes(error) + &help)
}

impl Files for GrantedFiles {
    fn write_directory(&self, path: &str, marker: &str, files: &[File]) -> Result<Written, StageError> {
        self.write(path, files, |store, target| write_directory(store, target, marker, files))
    }

    fn write_tar(&self, path: &str, files: &[File]) -> Result<Written, StageError> {
        self.write(path, files, |store, target| write_tar(store, target, files))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn writes_stay_below_granted_paths() {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path().join("project");
        fs::create_dir_all(base.join("out/real")).unwrap();
        fs::create_dir(directory.path().join("elsewhere")).unwrap();
        symlink(directory.path(), base.join("out/link")).unwrap();
        symlink("out", base.join("alias")).unwrap();
        let blobs = RunBlobs::new(BlobStore::open(&directory.path().join("cache")).unwrap());
        let granted = ["out", "alias", "../sibling"].map(str::to_owned).to_vec();
        let files = GrantedFiles::new(blobs, WrittenPaths::default(), &base, granted);
        let file = File { path: "file".to_owned(), content: FileContent::Bytes(b"x".to_vec()) };
        let write = |path: &str| match files.write_tar(path, std::slice::from_ref(&file)) {
            Ok(_) => "written".to_owned(),
            Err(error) => error.to_string(),
        };
        let base = base.to_str().unwrap();
        let absolute = directory.path().join("elsewhere/x");
        let results = [
            "out",
            "out/real/a",
            "./out/new/deep",
            "out/../out/real",
            "alias/a",
            "../sibling/x",
            "",
            "out/../secret",
            "outer",
            "..",
            absolute.to_str().unwrap(),
            "out/link/a",
            "out/link",
        ]
        .map(|path| format!("{path} -> {}\n", write(path)));
        let shown = results.concat().replace(base, "BASE");
        assert_snapshot!(shown.replace(directory.path().to_str().unwrap(), "DIR"));
    }

    #[test]
    fn a_link_that_appears_while_a_file_is_written_leads_nowhere() {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path();
        for name in ["out/sub", "elsewhere"] {
            fs::create_dir_all(base.join(name)).unwrap();
        }
        let blobs = RunBlobs::new(BlobStore::open(&base.join("cache")).unwrap());
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let (place, aside) = (base.join("out/sub"), base.join("out/aside"));
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    fs::rename(&place, &aside).unwrap();
                    // The writer may have made a directory meanwhile.
                    if symlink(base.join("elsewhere"), &place).is_ok() {
                        fs::remove_file(&place).unwrap();
                    }
                    while fs::rename(&aside, &place).is_err() {
                        let _ = fs::remove_dir_all(&place);
                    }
                }
            });
            for number in 0..2_000 {
                let files =
                    GrantedFiles::new(blobs.clone(), WrittenPaths::default(), base, vec!["out".to_owned()]);
                let file = File { path: "file".to_owned(), content: FileContent::Bytes(b"x".to_vec()) };
                // It may fail, since the directory comes and goes.
                let _ = files.write_tar(&format!("out/sub/{number}.tar"), &[file]);
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        assert_eq!(fs::read_dir(base.join("elsewhere")).unwrap().count(), 0);
    }

    #[test]
    fn foreign_blobs_are_not_written() {
        let directory = tempfile::tempdir().unwrap();
        let store = BlobStore::open(&directory.path().join("cache")).unwrap();
        let foreign = store.put(b"of another run").unwrap();
        let blobs = RunBlobs::new(store);
        let written = WrittenPaths::default();
        let files = GrantedFiles::new(blobs.clone(), written, directory.path(), vec!["out".to_owned()]);
        let file = File { path: "oci-layout".to_owned(), content: FileContent::Blob(foreign) };
        assert!(files.write_directory("out", "oci-layout", std::slice::from_ref(&file)).is_err());
        blobs.admit(foreign);
        assert_eq!(files.write_directory("out", "oci-layout", &[file]).unwrap().files, 1);
    }

    #[test]
    fn nothing_is_written_over_what_the_run_has_written() {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path();
        let blobs = RunBlobs::new(BlobStore::open(&base.join("cache")).unwrap());
        fs::create_dir(base.join("real")).unwrap();
        symlink("real", base.join("alias")).unwrap();
        let written = WrittenPaths::default();
        // As if by several plugins of one run.
        let write = |path: &str| {
            let granted = ["out", "real", "alias"].map(str::to_owned).to_vec();
            let files = GrantedFiles::new(blobs.clone(), written.clone(), base, granted);
            let file = File { path: "oci-layout".to_owned(), content: FileContent::Bytes(b"{}".to_vec()) };
            files.write_directory(path, "oci-layout", &[file]).map(|_| ()).map_err(|error| error.to_string())
        };
        assert_eq!([write("out/a"), write("out/ab"), write("real/x")], [Ok(()), Ok(()), Ok(())]);
        for again in ["out/a", "out/./a", "out", "out/a/b", "alias/x", "alias"] {
            let error = write(again).expect_err(again);
            assert!(error.contains("which this run has published"), "{error}");
        }
        fs::write(base.join("out/file"), "not a directory of ours").unwrap();
        assert!(write("out/file").unwrap_err().contains("out/file"));
        assert_eq!(fs::read(base.join("out/file")).unwrap(), b"not a directory of ours");
        fs::remove_file(base.join("out/file")).unwrap();
        assert_eq!(write("out/file"), Ok(()), "what failed was not written");
    }
}
