//! Why a component was not compiled.

/// Why a component was not compiled.
#[derive(Debug)]
pub(crate) enum CompileError {
    /// The compiler refuses it; or cannot be run.
    Invalid(String),
    /// It takes too long.
    Time,
    /// It takes too much memory.
    Memory,
}
