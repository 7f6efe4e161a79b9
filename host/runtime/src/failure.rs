//! Reads a wasmtime error as the failure that it is.

use seed_model::StageError;
use wasmtime::Trap;
use wasmtime::component::ResourceTableError;

use crate::error::{Cancelled, ExitStatus, Failure, InvalidOutput};
use crate::limits::{Limit, LimitExceeded, Limits};
use crate::log::Log;
use crate::text::printable;

/// The longest text of wasmtime's in an error, in bytes.
const REASON: usize = 2_000;

/// An error of the contract that a component returned, on its way through wasmtime's error type.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct Returned(#[from] pub(crate) StageError);

/// An export whose type is not the contract's.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Misshapen(pub(crate) String);

/// Why a call failed.
pub(crate) fn classify(error: &wasmtime::Error, limits: &Limits, log: &Log) -> Failure {
    if let Some(Returned(error)) = error.downcast_ref() {
        return Failure::Stage(error.clone());
    }
    if let Some(exceeded) = error.downcast_ref::<LimitExceeded>() {
        return Failure::Limit(*exceeded);
    }
    if let Some(invalid) = error.downcast_ref::<InvalidOutput>() {
        return Failure::InvalidOutput(invalid.clone());
    }
    if let Some(status) = error.downcast_ref::<ExitStatus>() {
        // A Rust program for WASI that panics writes a message and exits with a failure.
        return log.panic().map_or(Failure::Exit(*status), |message| Failure::Panic(Some(message)));
    }
    if let Some(Misshapen(reason)) = error.downcast_ref() {
        return Failure::Shape(reason.clone());
    }
    if error.is::<Cancelled>() {
        return Failure::Cancelled;
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        return Failure::Limit(limits.exceeded(Limit::Handles));
    }
    let limit = match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Some(Limit::Fuel),
        Some(Trap::StackOverflow) => Some(Limit::Stack),
        Some(Trap::UnreachableCodeReached) => return Failure::Panic(log.panic()),
        Some(trap) => return Failure::Trap(trap.to_string().trim_start_matches("wasm trap: ").to_owned()),
        None => untyped_limit(error),
    };
    limit.map_or_else(|| Failure::Trap(reason(error)), |limit| Failure::Limit(limits.exceeded(limit)))
}

/// What wasmtime says, fit to be printed.
pub(crate) fn reason(error: &wasmtime::Error) -> String {
    printable(&format!("{error:#}"), REASON)
}

/// Limits for which wasmtime has no error type, only a text; each is pinned by a test.
fn untyped_limit(error: &wasmtime::Error) -> Option<Limit> {
    let text = format!("{error:#}");
    if text.contains("fuel allocated for hostcalls has been exhausted") {
        Some(Limit::OutputSize)
    } else if text.contains("resource table has no free keys")
        || text.contains("too many live component handles")
        || text.contains("store handle limit exceeded")
    {
        Some(Limit::Handles)
    } else if text.contains("resource limit exceeded") {
        Some(Limit::Instances)
    } else {
        None
    }
}
