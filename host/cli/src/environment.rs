//! The environment of this process. No other code of `seed` reads variables: it is passed to the code that needs it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

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

/// The command that starts this program once more, even if its file has been replaced since it started.
///
/// If a dynamic loader was told to start the program, the running file is the loader: the kernel knows the arguments
/// of the loader, which are those before our own.
pub(crate) fn own_command() -> Option<Vec<OsString>> {
    let Ok(line) = fs::read("/proc/self/cmdline") else {
        return env::current_exe().ok().map(|program| vec![program.into()]);
    };
    let words: Vec<&[u8]> = line.strip_suffix(b"\0").unwrap_or(&line).split(|byte| *byte == 0).collect();
    let before = words.len().saturating_sub(arguments().count());
    let loader = words.iter().take(before).skip(1).map(|word| OsStr::from_bytes(word).to_owned());
    Some(std::iter::once("/proc/self/exe".into()).chain(loader).collect())
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
