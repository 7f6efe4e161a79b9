//! Short ways to make diagnostics and stage errors.

use crate::http;
use crate::{Diagnostic, Severity, StageError};

impl Diagnostic {
    /// Something that stops the stage. `code` is stable and searchable, such as `acme::key-expired`; `message` is one
    /// sentence without a period.
    pub fn error(code: &str, message: &str) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// Something that the user should know.
    pub fn warning(code: &str, message: &str) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// Something for information.
    pub fn note(code: &str, message: &str) -> Self {
        Self::new(Severity::Note, code, message)
    }

    fn new(severity: Severity, code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), severity, message: message.to_owned(), help: None, config_path: None }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: &str) -> Self {
        self.help = Some(help.to_owned());
        self
    }

    /// Points to a place in the plugin's `config`, as a JSON pointer such as `/tags/0`.
    #[must_use]
    pub fn at(mut self, pointer: &str) -> Self {
        self.config_path = Some(pointer.to_owned());
        self
    }
}

impl From<Diagnostic> for StageError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Config(vec![diagnostic])
    }
}

impl From<http::Error> for StageError {
    fn from(error: http::Error) -> Self {
        match error {
            http::Error::Denied(text) => Self::Denied(text),
            http::Error::Auth(text) => Self::Auth(text),
            http::Error::Invalid(text) => Self::Failed(text),
            http::Error::Connection(text) | http::Error::Timeout(text) => Self::Transient(text),
            http::Error::TooLarge(text) => Self::Remote(text),
        }
    }
}
