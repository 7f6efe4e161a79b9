//! Options that contradict each other or the pipeline, and names that match nothing.

use miette::Diagnostic;
use seed_report::{Kind, Report};

/// What is wrong with what was asked.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{message}")]
#[diagnostic(code("seed::usage"))]
pub(crate) struct UsageError {
    message: String,
    #[help]
    help: String,
}

impl UsageError {
    /// `message` says what is wrong, `help` what to do.
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

impl Report for UsageError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }
}
