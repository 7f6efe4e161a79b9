//! A place where code may do what it wants.
//!
//! A changed program can do anything: a check that is gone from the code that empties an output directory once deleted
//! a machine's `/etc`. So it runs as nobody in particular, sees the machine read-only, has a network of its own that
//! leads nowhere, and can signal no process but its own.

use std::env;
use std::path::Path;
use std::process::Command;

use miette::Result;

use crate::machine;

/// The most that its temporary directory holds: it is memory.
const TEMPORARY: u64 = 4 << 30;

/// The most memory of one process, in bytes.
const MEMORY: u64 = 8 << 30;

/// The variables that it has of this process: where the Rust toolchain is.
const VARIABLES: [&str; 5] = ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];

/// A command in the sandbox, in which only `writable` and an empty `/tmp` can be written; its program and arguments follow.
pub(crate) fn command(writable: &Path) -> Result<Command> {
    machine::ensure(&[("bwrap", "bubblewrap"), ("prlimit", "util-linux")])?;
    let mut command = Command::new("bwrap");
    command.args(["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]);
    command.args(["--size", &TEMPORARY.to_string(), "--tmpfs", "/tmp"]);
    command.arg("--bind").args([writable, writable]);
    command.args(["--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000"]);
    command.args(["--die-with-parent", "--new-session", "--clearenv"]);
    for name in VARIABLES {
        if let Some(value) = env::var_os(name) {
            command.args(["--setenv", name]).arg(value);
        }
    }
    command.args(["--", "prlimit", &format!("--data={MEMORY}")]);
    Ok(command)
}
