//! Why a text is not a reference.

/// A text that is not a reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid image reference `{text}`: {reason}")]
pub struct ReferenceError {
    /// The text, cut off after 200 characters.
    pub text: String,
    /// What is wrong with it, and what to write instead where that is known.
    pub reason: String,
}

impl ReferenceError {
    pub(super) fn new(text: &str, reason: impl Into<String>) -> Self {
        Self { text: text.chars().take(200).collect(), reason: reason.into() }
    }
}
