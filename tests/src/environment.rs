//! A directory and a set of variables for one test.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use seed_trust::{PrivateKey, public_key};
use serde_json::Value;

use crate::program::{add_compiled_plugins, seed_program};
use crate::repository::{copy, repository};
use crate::run::Run;

/// The password of every key that tests make.
const PASSWORD: &str = "correct horse";

/// A directory with a home, a cache and a working directory, and all variables that programs in it see.
#[derive(Debug)]
pub struct TestEnvironment {
    root: tempfile::TempDir,
    variables: BTreeMap<OsString, OsString>,
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
        add_compiled_plugins(&cache);
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
        copy(&repository().join("examples").join(name), &environment.work());
        environment
    }

    /// An environment whose working directory has a copy of `examples`.
    pub fn with_examples() -> Self {
        let environment = Self::new();
        copy(&repository().join("examples"), &environment.path("examples"));
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

    /// A path in the working directory.
    pub fn path(&self, path: &str) -> PathBuf {
        self.work().join(path)
    }

    /// Has every plugin compiled anew, as on a machine that runs `seed` for the first time.
    pub fn forget_compiled_plugins(&self) {
        fs::remove_dir_all(self.root().join("cache/aot")).unwrap();
    }

    /// Sets a variable.
    pub fn set(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) {
        self.variables.insert(name.as_ref().to_owned(), value.as_ref().to_owned());
    }

    /// Unsets a variable.
    pub fn unset(&mut self, name: &str) {
        self.variables.remove(OsStr::new(name));
    }

    /// The value of a variable; empty if it is not set.
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
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Writes a program into the working directory.
    pub fn write_program(&self, path: &str, content: impl AsRef<[u8]>) {
        self.write(path, content);
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Adds to the end of a file of the working directory.
    pub fn append(&self, path: &str, more: &str) {
        self.write(path, self.read(path) + more);
    }

    /// Reads a file of the working directory.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
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

    /// Makes a key pair, and has the pipeline sign with it.
    pub fn sign_with(&self, name: &str) {
        self.make_key(name);
        let sign = format!(
            "\n[[sign]]\nplugin = \"builtin:cosign-signer\"\ngrants = {{ keys = [\"{name}\"] }}\n\
             [keys.{name}]\ncosign = {{ file = \"{name}.key\", password = {{ env = \"COSIGN_PASSWORD\" }} }}\n"
        );
        self.append("pipeline.toml", &sign);
    }

    /// Has the pipeline publish to `repository` of the registry at `address` too. `more` is the rest of the plugin's
    /// configuration, such as `tags = ["v1"]`.
    pub fn publish_to(&self, address: &str, repository: &str, more: &str) {
        let publish = format!(
            "\n[[publish]]\nplugin = \"builtin:registry-publisher\"\n\
             config = {{ repository = \"{address}/{repository}\", {more} }}\n\
             grants = {{ http = [\"http://{address}\"], credentials = [\"{address}\"] }}\n"
        );
        self.append("pipeline.toml", &publish);
    }

    /// A program in the working directory, with the variables of this environment and no others.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.work()).env_clear().envs(&self.variables);
        command
    }

    /// `seed`, without lines of progress: whether a step is worth one depends on how long it takes.
    pub fn seed_command(&self, args: &[&str]) -> Command {
        let mut command = self.command(seed_program());
        command.args(["--progress", "none"]).args(args);
        command
    }

    /// Runs `seed`.
    pub fn seed(&self, args: &[&str]) -> Run {
        Run::of(&mut self.seed_command(args))
    }

    /// Runs `seed run --json`, which must succeed, and gives its summary.
    pub fn run_json(&self, args: &[&str]) -> Value {
        self.seed(&[&["run", "--json"], args].concat()).ok().json()
    }

    /// The error of a command that must end with this exit code, without what differs from run to run.
    #[track_caller]
    pub fn error(&self, code: i32, args: &[&str]) -> String {
        let failed = self.seed(args).failed(code);
        assert_eq!(failed.stdout, "", "data belongs to success");
        self.redact(&failed.stderr)
    }

    /// The error of `seed run`, which must end with this exit code and publish nothing.
    #[track_caller]
    pub fn run_error(&self, code: i32) -> String {
        let error = self.error(code, &["run", "--quiet"]);
        assert!(!self.path("result").exists(), "something was published");
        error
    }

    /// What `seed` does, as a reader sees it: the exit code and both streams.
    pub fn show(&self, args: &[&str]) -> String {
        self.shown(&self.seed(args))
    }

    /// The same of a run.
    pub fn shown(&self, run: &Run) -> String {
        let code = run.code.map_or("killed".to_owned(), |code| code.to_string());
        let Run { stdout, stderr, .. } = run;
        self.redact_paths(&format!(
            "exit code: {code}\n----- stdout -----\n{stdout}----- stderr -----\n{stderr}"
        ))
    }

    /// A text without what differs from run to run, or with every change of a plugin: this environment's paths, digests,
    /// and the hashes of store paths.
    pub fn redact(&self, text: &str) -> String {
        redact_hashes(&self.redact_paths(text))
    }

    /// A text without this environment's paths.
    pub fn redact_paths(&self, text: &str) -> String {
        let root = fs::canonicalize(self.root()).unwrap();
        text.replace(&*self.work().to_string_lossy(), "[WORK]")
            .replace(&*root.join("work").to_string_lossy(), "[WORK]")
            .replace(&*self.root().to_string_lossy(), "[ROOT]")
            .replace(&*root.to_string_lossy(), "[ROOT]")
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
