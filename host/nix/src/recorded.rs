//! What real versions of Nix printed, for tests.

use std::path::{Path, PathBuf};

use seed_process::{Launcher, Program};

use crate::command::{Command, Outcome};
use crate::events::{Event, Observer};

/// The versions that were recorded, by directory of `fixtures`.
pub(crate) const VERSIONS: [&str; 3] = ["2.8", "2.26", "2.34"];

fn path(version: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(version).join(name)
}

/// A recorded standard output.
pub(crate) fn read(version: &str, name: &str) -> Vec<u8> {
    std::fs::read(path(version, name)).unwrap()
}

/// A program that fails with a recorded log.
pub(crate) fn failure(version: &str, name: &str) -> Outcome {
    replay(&path(version, name), &|_: &Event| {})
}

/// The events of a recorded log.
pub(crate) fn events(version: &str, name: &str) -> Vec<Event> {
    let events = std::cell::RefCell::new(Vec::new());
    replay(&path(version, name), &|event: &Event| events.borrow_mut().push(event.clone()));
    events.into_inner()
}

fn replay(log: &Path, observer: &dyn Observer) -> Outcome {
    let shell = Launcher::default().command(Program::Nix, "/bin/sh");
    let command = Command::new(shell, 0).args(["-c", "cat \"$0\" >&2; exit 1"]);
    command.quiet_args([log]).run(observer).unwrap()
}
