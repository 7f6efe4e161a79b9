//! Credentials of registries, and where they come from.

use std::fmt;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// How to log in to a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// User name and password.
    Password {
        /// The user name.
        username: String,
        password: Secret,
    },
    /// An OAuth refresh token, which Docker calls identity token.
    IdentityToken(Secret),
}

/// Why credentials are unavailable. Having none is not an error.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A file cannot be read or understood.
    #[error("{file}: {reason}")]
    File {
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A credential helper failed.
    #[error("the credential helper `{helper}` failed: {reason}")]
    Helper {
        helper: String,
        /// What went wrong.
        reason: String,
    },
}

/// Where credentials come from.
pub trait CredentialStore: Send + Sync + fmt::Debug {
    /// The credential for a registry, named as Docker names it (`ghcr.io`, `docker.io`, `localhost:5000`).
    fn get(&self, registry: &str) -> Result<Option<Credential>, CredentialError>;
}

/// A store with nothing in it: all registries are spoken to anonymously.
#[derive(Clone, Copy, Debug, Default)]
pub struct Anonymous;

impl CredentialStore for Anonymous {
    fn get(&self, _registry: &str) -> Result<Option<Credential>, CredentialError> {
        Ok(None)
    }
}
