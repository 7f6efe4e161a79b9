//! Errors as one line of text, for places that take text only.

use std::error::Error;

/// The message of `error` and of all its causes, `a: b: c`.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
