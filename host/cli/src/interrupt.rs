//! Ctrl-C, SIGTERM and SIGHUP: stop the programs that we started, say so, and end with 130.
//!
//! No file needs repair afterwards: each is written beside its place, synced and renamed, so that stopping at any
//! moment, even by SIGKILL, leaves the old file or the new one.

use std::fs;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use miette::Diagnostic;
use rustix::process::{Pid, Signal, kill_process};
use seed_report::{Error, Kind, Report};

use crate::printer::Printer;
use crate::{password, report};

/// How long Nix gets to stop its builders before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// How long the command then gets to notice, and to remove what it keeps in temporary directories.
const CLEAN_UP: Duration = Duration::from_millis(500);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static ENDING: AtomicBool = AtomicBool::new(false);

/// A signal asked the command to stop.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("interrupted")]
#[diagnostic(
    code("seed::cli::interrupted"),
    help("run the command again to continue: finished work is cached")
)]
struct Interrupted;

impl Report for Interrupted {
    fn kind(&self) -> Kind {
        Kind::Interrupted
    }
}

/// Listens from now on. Without a handler, which the system hardly ever refuses, signals end the process at once.
pub(crate) fn listen(printer: &Arc<Printer>) {
    let printer = Arc::clone(printer);
    let _ = ctrlc::set_handler(move || {
        INTERRUPTED.store(true, Ordering::SeqCst);
        stop_children();
        thread::sleep(CLEAN_UP);
        end(&printer);
    });
}

/// The reason why a command failed: the signal, where one stopped its children; else `error`. From here on a signal
/// changes nothing.
pub(crate) fn reason(error: Error) -> Error {
    claim_the_end();
    if INTERRUPTED.load(Ordering::SeqCst) { Interrupted.into() } else { error }
}

/// Returns to one caller only, so that there is one report.
fn claim_the_end() {
    while ENDING.swap(true, Ordering::SeqCst) {
        thread::park();
    }
}

#[expect(clippy::exit, reason = "the main thread may be inside a call that cannot be cancelled")]
fn end(printer: &Printer) -> ! {
    claim_the_end();
    password::show_input();
    process::exit(report::report(&Interrupted.into(), printer).code().into())
}

fn stop_children() {
    let deadline = Instant::now() + GRACE;
    let mut signal = Signal::TERM;
    loop {
        let children = children();
        if children.is_empty() || (signal == Signal::KILL && Instant::now() > deadline + GRACE) {
            return;
        }
        for child in children {
            // It may have ended in between.
            let _ = kill_process(child, signal);
        }
        thread::sleep(Duration::from_millis(20));
        if Instant::now() > deadline {
            signal = Signal::KILL;
        }
    }
}

/// The processes that this one started and that still run. Empty if there is no Linux `/proc`: there only a
/// terminal's Ctrl-C, which goes to the whole process group, reaches them.
fn children() -> Vec<Pid> {
    let Ok(threads) = fs::read_dir("/proc/self/task") else { return Vec::new() };
    let lists = threads.flatten().filter_map(|entry| fs::read_to_string(entry.path().join("children")).ok());
    let numbers = lists.collect::<String>();
    let running = |pid: &Pid| {
        let status = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
        // The state stands behind the name, which is in brackets and may hold anything.
        status.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with(['Z', 'X']))
    };
    numbers.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).filter(running).collect()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn children_are_found_while_they_run() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let pid = Pid::from_child(&child);
        assert!(children().contains(&pid));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!children().contains(&pid));
    }
}
