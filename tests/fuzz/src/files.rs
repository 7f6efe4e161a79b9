//! Files that come from repositories, from CI and from archives.

use std::path::{Path, PathBuf};

use seed_engine::lock::LockFile;
use seed_engine::{Pipeline, fuzzing};
use seed_oci::location::{Form, PathReference, Reference, open};
use seed_report::json::JsonReport;
use seed_report::{SourceFile, text};

/// Writes the bytes to a file, and has it read.
fn with_file(bytes: &[u8], read: impl FnOnce(&Path)) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    read(file.path());
}

/// A tar of an image.
pub(crate) fn archive(bytes: &[u8]) {
    with_file(bytes, |path| {
        let path = path.to_owned();
        let reference = Reference::Path(PathReference { form: Form::Any, path, name: None, digest: None });
        let Ok(location) = open(&reference, std::sync::Arc::new(seed_http::Anonymous), None) else { return };
        if let Ok(document) = location.resolve() {
            let _ = location.referrers(document.descriptor.digest);
        }
    });
}

/// A pipeline file.
pub(crate) fn pipeline(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let file = SourceFile { path: PathBuf::from("pipeline.toml"), text: text.into() };
    if let Err(problems) = Pipeline::parse(&file) {
        show(problems);
    }
}

/// A lock file.
pub(crate) fn lock(bytes: &[u8]) {
    with_file(bytes, |path| {
        if let Err(error) = LockFile::load(path) {
            show(error);
        }
    });
}

/// A layer lock.
pub(crate) fn layer_lock(bytes: &[u8]) {
    with_file(bytes, |path| fuzzing::layer_lock(path).unwrap_or_else(show));
}

/// A record of a run.
pub(crate) fn record(bytes: &[u8]) {
    with_file(bytes, |path| fuzzing::record(path).unwrap_or_else(show));
}

/// Shows an error as users and machines get it: with its places in the file.
fn show(error: impl Into<seed_report::Error>) {
    let error = error.into();
    assert!(!text::plain(&error).is_empty());
    serde_json::to_string(&JsonReport::new(&error, 1)).unwrap();
}
