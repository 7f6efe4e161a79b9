//! Why there is no response. The variants are those of `publishing.wit`, interface `http`.

use std::time::Duration;

use url::Url;

use crate::origin::OriginPattern;

/// A request that got no response. URLs in messages have no query and no user info, since both can hold secrets.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The grants do not allow this.
    #[error("{what}: {why}; {help}")]
    Denied {
        /// What was wanted: an origin, an address, a credential, a secret.
        what: String,
        /// The rule that refused it.
        why: String,
        /// What to write in the pipeline file.
        help: String,
    },
    /// No credentials, or the token service refused them.
    #[error("cannot authenticate to `{registry}`: {reason}")]
    Auth {
        /// The registry whose credentials were wanted.
        registry: String,
        /// What went wrong.
        reason: String,
    },
    /// The request itself cannot be sent.
    #[error("invalid request to `{url}`: {reason}")]
    Invalid {
        /// Where it would have gone.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Connecting, sending or receiving failed.
    #[error("{method} {url} failed: {reason}")]
    Connection {
        /// The method.
        method: String,
        /// The URL.
        url: String,
        /// The chain of causes.
        reason: String,
        /// Whether trying again may help: not where a name or a certificate is wrong.
        transient: bool,
    },
    /// It took too long.
    #[error("{method} {url} timed out: {what} within {limit:?}")]
    Timeout {
        /// The method.
        method: String,
        /// The URL.
        url: String,
        /// What did not happen in time.
        what: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The response is larger than the limit.
    #[error("the response of {url} is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The URL.
        url: String,
        /// The limit in bytes.
        limit: u64,
    },
}

impl Error {
    /// Whether the same request may work later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Connection { transient: true, .. } | Self::Timeout { .. })
    }

    /// `origin` is not among the granted ones.
    pub(crate) fn origin_denied(origin: &str, granted: &[OriginPattern]) -> Self {
        let why = if granted.is_empty() {
            "there is no `http` grant".to_owned()
        } else {
            "no `http` grant names it".to_owned()
        };
        Self::Denied { what: format!("`{origin}`"), why, help: add_origin(origin, granted) }
    }
}

/// The exact line of the pipeline file that grants `origin` beside what is granted already.
pub(crate) fn add_origin(origin: &str, granted: &[OriginPattern]) -> String {
    let mut origins: Vec<String> = granted.iter().map(ToString::to_string).collect();
    origins.push(origin.to_owned());
    format!("to allow it, write grants = {{ http = [{}] }}", quoted(&origins))
}

/// The names as the inside of a TOML array.
pub(crate) fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

/// A URL for messages: no query, no fragment, no user info, at most 200 characters.
pub(crate) fn shown(url: &Url) -> String {
    let origin =
        if url.has_host() { url.origin().ascii_serialization() } else { format!("{}:", url.scheme()) };
    // Paths of URLs are percent-encoded: every byte is a character.
    let text = format!("{origin}{}", url.path());
    if text.len() > 200 { format!("{}…", &text[..200]) } else { text }
}
