//! Runs the real binary in a directory of its own, with nothing of the machine's environment but `PATH`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A directory to run `seed` in.
pub(crate) struct Environment {
    directory: TempDir,
}

impl Environment {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// Writes a file, with the directories above it.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    fn root(&self) -> &Path {
        self.directory.path()
    }

    /// `seed ARGS`, to be changed or run.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seed"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"));
        // Whether a step is worth a line depends on how long it takes.
        command.args(["--progress", "none"]).args(args).current_dir(self.root());
        command
    }

    /// Runs `seed ARGS` and gives the exit code and both streams, as a reader sees them.
    pub(crate) fn seed(&self, args: &[&str]) -> String {
        self.shown(&self.command(args).output().unwrap())
    }

    /// The exit code and both streams, with this directory's name replaced.
    pub(crate) fn shown(&self, output: &Output) -> String {
        let text = |bytes: &[u8]| {
            String::from_utf8(bytes.to_vec()).unwrap().replace(self.root().to_str().unwrap(), "DIR")
        };
        let code = output.status.code().map_or("killed".to_owned(), |code| code.to_string());
        format!(
            "exit code: {code}\n----- stdout -----\n{}----- stderr -----\n{}",
            text(&output.stdout),
            text(&output.stderr)
        )
    }
}
