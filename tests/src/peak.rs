//! What a program takes while it runs.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::run::Run;

/// What a program took, and what it did.
#[derive(Debug)]
pub struct Peak {
    pub run: Run,
    /// The most memory that one of its processes had, in bytes.
    pub memory: u64,
    /// The most threads that one of its processes had at a time.
    pub threads: u64,
}

impl Peak {
    /// Runs a command to its end. The kernel remembers the most memory, so that what is looked at seldom is seen all the
    /// same, but for the last moment.
    pub fn of(command: &mut Command) -> Self {
        let output = tempfile::tempdir().unwrap();
        let path = |name: &str| output.path().join(name);
        let file = |name: &str| Stdio::from(fs::File::create(path(name)).unwrap());
        let mut child = command.stdout(file("stdout")).stderr(file("stderr")).spawn().unwrap();
        let (mut memory, mut threads) = (0, 0);
        let status = loop {
            for process in processes(child.id()) {
                let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
                memory = memory.max(field(&status, "VmHWM:").unwrap_or(0) << 10);
                threads = threads.max(field(&status, "Threads:").unwrap_or(0));
            }
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None => thread::sleep(Duration::from_millis(2)),
            }
        };
        let read = |name: &str| String::from_utf8_lossy(&fs::read(path(name)).unwrap()).into_owned();
        Self {
            run: Run { code: status.code(), stdout: read("stdout"), stderr: read("stderr") },
            memory,
            threads,
        }
    }
}

/// A process and its children.
fn processes(process: u32) -> Vec<u32> {
    let children = format!("/proc/{process}/task/{process}/children");
    let children = fs::read_to_string(children).unwrap_or_default();
    [process].into_iter().chain(children.split_whitespace().filter_map(|child| child.parse().ok())).collect()
}

fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
