//! The cache of compiled components: used when it can be trusted, and only then.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use seed_disk::CacheDirectory;
use seed_model::Stage;
use seed_runtime::{Limits, Options, Origin, Runtime, RuntimeError};

use crate::guest::Guest;

const COMPILED: Origin = Origin::Compiled { kept: true };

fn open(directory: &Path) -> Result<Runtime, RuntimeError> {
    let directory = CacheDirectory::open(directory)?;
    Runtime::new(Options { limits: Limits::default(), aot_directory: Some(directory), compiler: None })
}

fn origin(directory: &Path, component: &[u8], stage: Stage) -> Origin {
    open(directory).unwrap().load(component, stage).unwrap().origin()
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "aot")).collect()
}

#[test]
fn a_component_is_compiled_once_per_engine() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().join("a/b");
    let (selector, publisher) = (Guest::new("layer-selector").build(), Guest::new("publisher").build());
    assert_eq!(origin(&directory, &selector, Stage::Select), COMPILED);
    assert_eq!(origin(&directory, &selector, Stage::Select), Origin::Cache);
    assert_eq!(origin(&directory, &publisher, Stage::Publish), COMPILED);
    assert_eq!(origin(&directory, &publisher, Stage::Publish), Origin::Cache);
    assert_eq!(entries(&directory).len(), 2);
    for private in entries(&directory).iter().chain([&directory.join("key")]) {
        assert_eq!(fs::metadata(private).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn an_entry_with_any_changed_byte_is_compiled_again() {
    let directory = tempfile::tempdir().unwrap();
    let component = Guest::new("layer-selector").build();
    assert_eq!(origin(directory.path(), &component, Stage::Select), COMPILED);
    let entry = entries(directory.path()).remove(0);
    let whole = fs::read(&entry).unwrap();
    // In the MAC, the magic, the component's digest, the engine's, and the code.
    for position in [0, 40, 60, 100, 5_000, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[position] ^= 1;
        fs::write(&entry, changed).unwrap();
        assert_eq!(origin(directory.path(), &component, Stage::Select), COMPILED, "{position}");
    }
    for length in [0, 31, 32, 111, 112, whole.len() - 1] {
        fs::write(&entry, &whole[..length]).unwrap();
        assert_eq!(origin(directory.path(), &component, Stage::Select), COMPILED, "{length}");
    }
    assert_eq!(origin(directory.path(), &component, Stage::Select), Origin::Cache);
}

#[test]
fn an_entry_of_another_component_or_another_user_is_compiled_again() {
    let (own, foreign) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let component = Guest::new("layer-selector").build();
    let other = Guest::new("layer-selector").item("(func)").build();
    assert_eq!(origin(own.path(), &component, Stage::Select), COMPILED);
    let entry = entries(own.path()).remove(0);

    assert_eq!(origin(own.path(), &other, Stage::Select), COMPILED);
    let of_other = entries(own.path()).into_iter().find(|path| *path != entry).unwrap();
    fs::copy(of_other, &entry).unwrap();
    assert_eq!(origin(own.path(), &component, Stage::Select), COMPILED);

    // The same component, under another key.
    assert_eq!(origin(foreign.path(), &component, Stage::Select), COMPILED);
    fs::copy(entries(foreign.path()).remove(0), &entry).unwrap();
    assert_eq!(origin(own.path(), &component, Stage::Select), COMPILED);
}

#[test]
fn a_directory_that_others_can_write_is_refused() {
    let parent = tempfile::tempdir().unwrap();
    let shown = |directory: &Path| {
        let error = open(directory).unwrap_err();
        format!("{error}\nhelp: {}", error.help().unwrap())
            .replace(&*parent.path().to_string_lossy(), "DIRECTORY")
    };
    let shared = parent.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, Permissions::from_mode(0o770)).unwrap();
    assert_snapshot!("shared_directory", shown(&shared));

    let (link, target) = (parent.path().join("link"), parent.path().join("target"));
    open(&target).unwrap();
    symlink(&target, &link).unwrap();
    assert_snapshot!("symbolic_link", shown(&link));

    fs::set_permissions(target.join("key"), Permissions::from_mode(0o644)).unwrap();
    assert_snapshot!("readable_key", shown(&target));

    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    assert_snapshot!("no_directory", shown(&file));
}

#[test]
fn many_at_once_agree_on_one_key() {
    let directory = tempfile::tempdir().unwrap();
    let component = Guest::new("layer-selector").build();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| origin(directory.path(), &component, Stage::Select));
        }
    });
    assert_eq!(origin(directory.path(), &component, Stage::Select), Origin::Cache);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "one key, one entry, nothing temporary");
}
