//! Compiles in a process of its own, which has limits of its own and can be killed.

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use seed_disk::bounded;

use crate::compile::error::CompileError;
use crate::compile::job::CompileJob;
use crate::text::printable;

/// The largest machine code that is taken, in bytes: a few times the largest component.
const MAX_CODE: u64 = 512 << 20;
/// The longest message that is read, in bytes.
const MAX_MESSAGE: u64 = 4 << 10;
/// Threads that compile. Each takes memory, and address space for its stack.
const MAX_THREADS: usize = 8;
/// What Rust and Linux say when there is no more memory.
const NO_MEMORY: [&str; 2] = ["memory allocation of", "Cannot allocate memory"];

/// Compiles with `command`, which runs [`CompileJob::run`] between its standard input and output.
pub(super) fn compile(
    command: &mut Command,
    job: &CompileJob,
    component: &[u8],
    time: Duration,
) -> Result<Vec<u8>, CompileError> {
    let failed = |error: io::Error| CompileError::Invalid(format!("cannot run the compiler: {error}"));
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get).min(MAX_THREADS);
    let mut child = command
        .args(job.arguments())
        .env_clear()
        .env("RAYON_NUM_THREADS", threads.to_string())
        // Each arena of glibc takes 64 MiB of address space, whether it is used or not.
        .env("MALLOC_ARENA_MAX", "2")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let (code, message) = converse(&mut child, component, time);
    // Whatever happened, nothing is left running. It has ended by itself where it gave all of the code.
    if !matches!(code, Some(Ok(_))) {
        let _ = child.kill();
    }
    let status = child.wait().map_err(failed)?;
    match code {
        None => Err(CompileError::Time),
        Some(Err(error)) if error.kind() == io::ErrorKind::FileTooLarge => Err(CompileError::Memory),
        Some(Err(error)) => Err(failed(error)),
        Some(Ok(code)) if status.success() => Ok(code),
        Some(Ok(_)) => Err(failure(status, &message)),
    }
}

/// Writes the component, and reads the code, if it comes in time, and what is said on standard error.
fn converse(child: &mut Child, component: &[u8], time: Duration) -> (Option<io::Result<Vec<u8>>>, String) {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        scope.spawn(move || {
            // A compiler that has ended already says why.
            if let Some(mut stdin) = stdin {
                let _ = stdin.write_all(component);
            }
        });
        let message = scope.spawn(move || {
            let mut message = Vec::new();
            // A message that cannot be read is empty.
            if let Some(stderr) = stderr {
                let _ = stderr.take(MAX_MESSAGE).read_to_end(&mut message);
            }
            String::from_utf8_lossy(&message).into_owned()
        });
        let (sender, receiver) = sync_channel(1);
        scope.spawn(move || {
            let code = stdout.map_or_else(|| Ok(Vec::new()), |stdout| bounded(stdout, MAX_CODE));
            // Nobody waits for it any more when the time was up.
            let _ = sender.send(code);
        });
        let code = receiver.recv_timeout(time).ok();
        if !matches!(code, Some(Ok(_))) {
            // Ends the threads here, which read and write its pipes.
            let _ = child.kill();
        }
        (code, message.join().unwrap_or_default())
    })
}

fn failure(status: ExitStatus, message: &str) -> CompileError {
    if NO_MEMORY.iter().any(|text| message.contains(text)) {
        return CompileError::Memory;
    }
    let message = printable(message.trim(), 2_000);
    CompileError::Invalid(match status.code() {
        Some(1) => message,
        _ => format!("the compiler ended with {status}: {message}"),
    })
}
