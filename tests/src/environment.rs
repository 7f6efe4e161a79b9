//! A directory and a set of variables for one test.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use seed_trust::{PrivateKey, public_key};
use serde_json::Value;

use crate::seed_program;

/// The password of every key that tests make.
const PASSWORD: &str = "correct horse";

/// A directory with a home, a cache and a working directory, and all variables that programs in it see.
#[derive(Debug)]
pub struct TestEnvironment {
    root: tempfile::TempDir,
    variables: BTreeMap<OsString, OsString>,
}

/// What a program did.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Default for TestEnvironment {
    fn default() -> Self {
        Self::new()
    }
}

impl TestEnvironment {
    /// An empty environment, outside of any git repository.
    pub fn new() -> Self {
        let root = tempfile::Builder::new().prefix("seed-test-").tempdir().unwrap();
        for directory in ["home", "cache", "work"] {
            fs::create_dir(root.path().join(directory)).unwrap();
        }
        let mut environment = Self { root, variables: BTreeMap::new() };
        let (home, cache) = (environment.root().join("home"), environment.root().join("cache"));
        environment.set("HOME", home);
        environment.set("SEED_CACHE_DIR", cache);
        environment.set("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
        environment.set("LC_ALL", "C.UTF-8");
        environment.set("COSIGN_PASSWORD", PASSWORD);
        environment
    }

    /// An environment whose working directory is a copy of `examples/NAME`.
    pub fn with_example(name: &str) -> Self {
        let environment = Self::new();
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
        copy(&example, &environment.work());
        environment
    }

    /// Where everything is.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The working directory.
    pub fn work(&self) -> PathBuf {
        self.root().join("work")
    }

    /// Sets a variable.
    pub fn set(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) {
        self.variables.insert(name.as_ref().to_owned(), value.as_ref().to_owned());
    }

    /// The value of a variable; empty where it is not set.
    pub fn variable(&self, name: &str) -> String {
        let value = self.variables.get(OsStr::new(name));
        value.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    /// Adds to the value of a variable.
    pub fn extend(&mut self, name: &str, more: &str) {
        self.variables.entry(name.into()).or_default().push(more);
    }

    /// Writes a file into the working directory.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.work().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Reads a file of the working directory.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.work().join(path)).unwrap()
    }

    /// Replaces text in a file of the working directory; it must be there exactly once.
    pub fn replace(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {path}:\n{text}");
        self.write(path, text.replace(from, to));
    }

    /// Makes a cosign key pair, `NAME.key` and `NAME.pub`, in the working directory.
    pub fn make_key(&self, name: &str) {
        let key = PrivateKey::generate().unwrap();
        self.write(&format!("{name}.key"), key.to_encrypted_pem(PASSWORD.as_bytes()).unwrap());
        self.write(&format!("{name}.pub"), public_key::to_pem(&key.public(name)));
    }

    /// A program in the working directory, with the variables of this environment and no others.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.work()).env_clear().envs(&self.variables);
        command
    }

    /// Runs `seed`.
    pub fn seed(&self, args: &[&str]) -> Run {
        Run::of(self.command(seed_program()).args(args))
    }

    /// Runs `seed run --json`, which must succeed, and gives its summary.
    pub fn run_json(&self, args: &[&str]) -> Value {
        self.seed(&[&["run", "--json"], args].concat()).ok().json()
    }

    /// A message without what differs from run to run, or with every change of a plugin: this environment's paths,
    /// digests, and the hashes of store paths.
    pub fn redact(&self, text: &str) -> String {
        let root = fs::canonicalize(self.root()).unwrap();
        let text = text
            .replace(&*self.work().to_string_lossy(), "[WORK]")
            .replace(&*root.join("work").to_string_lossy(), "[WORK]")
            .replace(&*self.root().to_string_lossy(), "[ROOT]")
            .replace(&*root.to_string_lossy(), "[ROOT]");
        redact_hashes(&text)
    }
}

/// Replaces words that are digests, whole or short, or hashes of store paths. Zeros stay: tests write those.
fn redact_hashes(text: &str) -> String {
    let is_hash = |word: &str| match word.len() {
        12 | 64 => {
            word.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) && word.bytes().any(|b| b != b'0')
        }
        32 => word.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase()),
        _ => false,
    };
    let words = text.split_inclusive(|character: char| !character.is_ascii_alphanumeric());
    words
        .map(|piece| {
            let word = piece.trim_end_matches(|character: char| !character.is_ascii_alphanumeric());
            if is_hash(word) { format!("[HASH]{}", &piece[word.len()..]) } else { piece.to_owned() }
        })
        .collect()
}

impl Run {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } =
            command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self {
            code: status.code(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }

    /// The same, which must be a success.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The same, which must have failed with this exit code.
    #[track_caller]
    pub fn failed(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}:\n{}\n{}", self.stdout, self.stderr))
    }
}

/// Copies a directory, without what cargo builds in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_name() == "target" {
            continue;
        }
        if source.is_dir() {
            copy(&source, &target);
        } else {
            fs::copy(&source, &target).unwrap();
        }
    }
}
