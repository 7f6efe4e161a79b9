//! Freezing and checking, in a repository of their own.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::paths;
use crate::wit::check::check;
use crate::wit::freeze::freeze;

const VERSION: &str = "0.1.0";
const FILE: &str = "wit/frozen/0.1.0/types.wit";
const COMPONENT: &str = "wit/frozen/0.1.0/components/packer.wasm";

/// A git repository with this contract and nothing else.
struct Repository(TempDir);

impl Repository {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for place in ["wit", "wit/fixtures"] {
            fs::create_dir(directory.path().join(place)).unwrap();
            for entry in fs::read_dir(paths::repository().join(place)).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    fs::copy(&path, directory.path().join(place).join(path.file_name().unwrap())).unwrap();
                }
            }
        }
        let repository = Self(directory);
        repository.git(&["init", "--quiet"]);
        repository
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn git(&self, args: &[&str]) {
        let status = Command::new("git")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env_remove("GIT_DIR")
            .arg("-C")
            .arg(self.path())
            .args(["-c", "user.name=test", "-c", "user.email=test@example.org"])
            .args(args)
            .status()
            .unwrap();
        assert!(status.success(), "git {args:?}");
    }

    fn release(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "release"]);
        self.git(&["tag", "wit-v0.1.0"]);
    }

    fn append(&self, file: &str, text: &str) {
        let mut bytes = fs::read(self.path().join(file)).unwrap();
        bytes.extend_from_slice(text.as_bytes());
        fs::write(self.path().join(file), bytes).unwrap();
    }

    fn check(&self) -> Result<(), String> {
        check(self.path()).map_err(|error| error.to_string())
    }

    fn freeze(&self, version: &str) -> Result<(), String> {
        freeze(self.path(), version).map_err(|error| error.to_string())
    }
}

#[test]
fn without_a_release_there_is_nothing_to_compare() {
    Repository::new().check().unwrap();
}

#[test]
fn what_is_frozen_has_the_contract_components_and_hashes() {
    let repository = Repository::new();
    repository.freeze(VERSION).unwrap();
    let read = |name: &str| fs::read(repository.path().join(name)).unwrap();
    assert_eq!(read(FILE), read("wit/types.wit"));
    assert!(read(COMPONENT).starts_with(b"\0asm"));
    let sums = String::from_utf8(read("wit/frozen/0.1.0/SHA256SUMS")).unwrap();
    let names: Vec<&str> = sums.lines().filter_map(|line| line.split("  ").nth(1)).collect();
    for name in ["components/layer-selector.wasm", "components/packer.wasm", "types.wit", "worlds.wit"] {
        assert!(names.contains(&name), "{sums}");
    }
    let before = read(COMPONENT);
    repository.freeze(VERSION).unwrap();
    assert_eq!(read(COMPONENT), before, "the same sources give the same bytes");
}

#[test]
fn before_its_tag_a_frozen_version_is_what_the_contract_gives() {
    let repository = Repository::new();
    repository.freeze(VERSION).unwrap();
    repository.check().unwrap();
    repository.append("wit/types.wit", "// changed\n");
    let error = repository.check().unwrap_err();
    assert!(error.contains("wit/frozen/0.1.0/types.wit (wit/, as it has no tag yet)"), "{error}");
    repository.freeze(VERSION).unwrap();
    repository.check().unwrap();
}

#[test]
fn a_released_version_is_what_its_tag_has() {
    let repository = Repository::new();
    repository.freeze(VERSION).unwrap();
    repository.release();
    repository.check().unwrap();
    // The contract goes on; what is frozen does not.
    repository.append("wit/types.wit", "// changed\n");
    repository.check().unwrap();
    let error = repository.freeze(VERSION).unwrap_err();
    assert!(error.contains("0.1.0 of the contract is already released, with the tag wit-v0.1.0"), "{error}");

    for file in [FILE, COMPONENT] {
        let original = fs::read(repository.path().join(file)).unwrap();
        repository.append(file, "\n");
        let error = repository.check().unwrap_err();
        assert!(error.contains(&format!("{file} (wit-v0.1.0)")), "{error}");
        // An edit that was committed is one too.
        repository.git(&["commit", "--quiet", "--all", "--message", "edit"]);
        repository.check().unwrap_err();
        fs::remove_file(repository.path().join(file)).unwrap();
        repository.check().unwrap_err();
        fs::write(repository.path().join(file), original).unwrap();
        repository.check().unwrap();
    }
    let added = "wit/frozen/0.1.0/added.wit";
    fs::write(repository.path().join(added), "").unwrap();
    assert!(repository.check().unwrap_err().contains(added));
    fs::remove_dir_all(repository.path().join("wit/frozen")).unwrap();
    assert!(repository.check().unwrap_err().contains(FILE), "a version that is gone is missed");
}

#[test]
fn only_the_version_that_the_contract_says_is_frozen() {
    let error = Repository::new().freeze("0.2.0").unwrap_err();
    assert_eq!(error, "wit/ is version 0.1.0 of the contract, not 0.2.0");
}

#[test]
fn a_fixture_has_every_function_of_its_world() {
    let repository = Repository::new();
    let path = repository.path().join("wit/fixtures/publisher.wat");
    let source = fs::read_to_string(&path).unwrap();
    let shorter: Vec<&str> = source.lines().filter(|line| !line.contains("\"send-all\"")).collect();
    fs::write(&path, shorter.join("\n")).unwrap();
    let error = repository.check().unwrap_err();
    assert!(error.ends_with("missing: \"seed:pipeline/http@0.1.0\" \"send-all\""), "{error}");
    fs::remove_file(&path).unwrap();
    assert!(repository.check().unwrap_err().contains("publisher.wat"));
}
