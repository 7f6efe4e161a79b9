//! Programs of crates.io that tasks run.

use std::path::PathBuf;

use miette::Result;

use crate::machine;
use crate::paths::state_directory;
use crate::process::{cargo, run};

/// A program of crates.io.
#[derive(Debug)]
pub(crate) struct Tool {
    /// Its name and that of its package.
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// What `cargo install` needs besides.
    pub(crate) options: &'static [&'static str],
}

impl Tool {
    /// The program, from `PATH` or built once under the state directory.
    pub(crate) fn ensure(&self) -> Result<PathBuf> {
        if let Some(installed) = machine::find(self.name) {
            return Ok(installed);
        }
        let tools = state_directory()?.join("tools");
        let built = tools.join("bin").join(self.name);
        if !built.exists() {
            println!("Building {} (once, a few minutes)", self.name);
            let package = format!("{}@{}", self.name, self.version);
            // Unoptimised: these programs do little themselves, and optimising them takes minutes.
            run(cargo(&["install", "--quiet", "--locked", "--debug", &package])
                .args(self.options)
                .arg("--root")
                .arg(&tools))?;
        }
        Ok(built)
    }
}
