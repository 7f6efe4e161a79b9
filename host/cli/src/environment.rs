//! The environment of this process. No other code of `seed` reads variables: it is passed to the code that needs it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use seed_engine::Environment;

/// The variable that asks for traces.
pub(crate) const TRACE_VARIABLE: &str = "SEED_LOG";

/// The environment of this process.
#[derive(Debug)]
pub(crate) struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn variable(&self, name: &OsStr) -> Option<OsString> {
        env::var_os(name)
    }

    fn names(&self) -> Vec<OsString> {
        env::vars_os().map(|(name, _)| name).collect()
    }
}

/// This program, also where its file has been replaced since it started.
pub(crate) fn own_program() -> Option<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() { Some(running.to_owned()) } else { env::current_exe().ok() }
}

/// What this process is told on its command line, without its name.
pub(crate) fn arguments() -> impl Iterator<Item = OsString> {
    env::args_os().skip(1)
}

/// Whether this runs in CI, as every CI system says it.
pub(crate) fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}

/// Whether the terminal says that it cannot move its cursor.
pub(crate) fn has_dumb_terminal() -> bool {
    env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Which traces are wanted.
pub(crate) fn trace_filter() -> Option<String> {
    env::var_os(TRACE_VARIABLE)
        .filter(|value| !value.is_empty())
        .map(|value| value.to_string_lossy().into_owned())
}
