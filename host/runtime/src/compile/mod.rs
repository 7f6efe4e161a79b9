//! Makes machine code of components, within limits of time and memory.
//!
//! Nothing interrupts wasmtime's compiler, and nothing limits its memory, which can be thousands of times the size of a
//! function. So it runs in a process of its own: this program, once more.

mod error;
mod job;
mod process;

use std::ffi::OsString;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use crate::limits::Limits;

pub(crate) use error::CompileError;
pub use job::CompileJob;

/// Compiles components.
#[derive(Debug)]
pub(crate) struct Compiler {
    pub(crate) limits: Arc<Limits>,
    /// The command that compiles; without one a thread of this process does.
    pub(crate) command: Option<Vec<OsString>>,
}

impl Compiler {
    /// The machine code of a component.
    #[expect(clippy::disallowed_methods, reason = "starts this program once more, to compile a component")]
    pub(crate) fn compile(&self, component: &[u8], deterministic: bool) -> Result<Vec<u8>, CompileError> {
        let Limits { stack, compile_memory: memory, compile_time: time, .. } = *self.limits;
        let job = CompileJob { deterministic, stack, memory, time };
        let time = Duration::from_secs(time);
        match self.command.as_deref() {
            Some([program, arguments @ ..]) => {
                process::compile(Command::new(program).args(arguments), &job, component, time)
            }
            _ => in_thread(job, component.to_vec(), time),
        }
    }
}

/// Compiles here. When the time is up, the thread is left behind and its result is dropped; its memory has no limit.
fn in_thread(job: CompileJob, component: Vec<u8>, time: Duration) -> Result<Vec<u8>, CompileError> {
    let (sender, receiver) = sync_channel(1);
    thread::spawn(move || {
        // The other side is gone when the time was up.
        let _ = sender.send(job.code(component));
    });
    match receiver.recv_timeout(time) {
        Ok(result) => result.map_err(CompileError::Invalid),
        Err(RecvTimeoutError::Timeout) => Err(CompileError::Time),
        Err(RecvTimeoutError::Disconnected) => Err(CompileError::Invalid("the compiler gave up".to_owned())),
    }
}
