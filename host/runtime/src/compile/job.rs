//! The work of a process that compiles one component and ends.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::thread;

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::engine::engine;
use crate::failure::reason;
use crate::limits::Limits;

/// The first argument of such a process. Nobody types it: the command line does not list it.
const ARGUMENT: &str = "__compile-component";
/// Validation and compilation recurse with the nesting of the code, within wasmtime's own bounds.
const STACK: usize = 8 << 20;

/// One component to compile, as the arguments of a process say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileJob {
    pub(super) deterministic: bool,
    /// The stack of the component in bytes: it is part of the machine code.
    pub(super) stack: u64,
    /// The address space of the process in bytes.
    pub(super) memory: u64,
    /// Seconds of a processor for each processor. Whoever started the process does not wait for longer.
    pub(super) time: u64,
}

impl CompileJob {
    /// The job in the arguments of this process, its name left out; none where they are the user's.
    pub fn from_arguments(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut arguments = arguments.into_iter().map(|argument| argument.into_string().ok());
        if arguments.next()??.as_str() != ARGUMENT {
            return None;
        }
        let mut number = || arguments.next()??.parse().ok();
        let job =
            Self { deterministic: number()? == 1, stack: number()?, memory: number()?, time: number()? };
        arguments.next().is_none().then_some(job)
    }

    pub(super) fn arguments(&self) -> Vec<String> {
        let numbers = [u64::from(self.deterministic), self.stack, self.memory, self.time];
        [ARGUMENT.to_owned()].into_iter().chain(numbers.map(|number| number.to_string())).collect()
    }

    /// Bounds what this process may take, for good; then compiles the component that `input` has to the end, and writes its
    /// machine code to `output`. Gives what is wrong with the component. Without enough memory, the process is aborted.
    pub fn run(&self, input: &mut dyn Read, output: &mut dyn Write) -> Result<(), String> {
        let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
        for (resource, limit) in [
            (Resource::As, self.memory),
            (Resource::Cpu, self.time.saturating_mul(processors).saturating_add(1)),
            (Resource::Core, 0),
        ] {
            // Systems that do not know one of these compile as they did.
            let _ = setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) });
        }
        let mut component = Vec::new();
        input.read_to_end(&mut component).map_err(|error| error.to_string())?;
        output.write_all(&self.code(component)?).map_err(|error| error.to_string())
    }

    /// The machine code of a component.
    pub(super) fn code(&self, component: Vec<u8>) -> Result<Vec<u8>, String> {
        let (limits, deterministic) = (Limits { stack: self.stack, ..Limits::default() }, self.deterministic);
        let compile = move || {
            let engine = engine(&limits, deterministic).map_err(|error| error.to_string())?;
            engine.precompile_component(&component).map_err(|error| reason(&error))
        };
        let thread = thread::Builder::new().name("seed-compile".to_owned()).stack_size(STACK).spawn(compile);
        let result = thread.map_err(|error| error.to_string())?.join();
        result.unwrap_or_else(|_| Err("the compiler gave up".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_passed_on_in_arguments() {
        let job = CompileJob { deterministic: true, stack: 1 << 20, memory: 2 << 30, time: 120 };
        let read = |arguments: &[&str]| CompileJob::from_arguments(arguments.iter().map(OsString::from));
        let arguments = job.arguments();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        assert_eq!(read(&arguments), Some(job));
        for others in [&arguments[1..], &arguments[..4], &[&arguments[..], &["1"]].concat(), &["run"], &[]] {
            assert_eq!(read(others), None, "{others:?}");
        }
    }
}
