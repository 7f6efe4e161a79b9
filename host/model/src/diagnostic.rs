//! What a stage tells the user (`types.wit`).

use serde::{Deserialize, Serialize};

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The stage cannot go on.
    Error,
    /// The stage goes on.
    Warning,
    /// For information.
    Note,
}

/// One thing to tell the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Diagnostic {
    /// Stable code of the plugin's own, such as `acme::key-expired`.
    pub code: String,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Place in the plugin's `config`, as a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_path: Option<String>,
}

/// Why a stage failed, as the component (or a capability it called) put it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StageError {
    /// The configuration is invalid.
    #[error("invalid configuration: {}", .0.first().map_or("no reason was given", |d| d.message.as_str()))]
    Config(Vec<Diagnostic>),
    /// A capability is not granted; the text has the line to add.
    #[error("not granted: {0}")]
    Denied(String),
    /// A remote failure that may pass.
    #[error("{0}")]
    Transient(String),
    /// A remote system did not accept the credentials.
    #[error("{0}")]
    Auth(String),
    /// A remote system sent an invalid response.
    #[error("{0}")]
    Remote(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}
