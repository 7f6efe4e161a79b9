//! Why there is no response. The variants are those of `publishing.wit`, interface `http`.

use std::time::Duration;

use reqwest::Method;
use url::Url;

use crate::address::{is_link_local, is_public, literal};
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
        /// What to write in the pipeline file, or why it is better not to.
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
        method: String,
        url: String,
        /// The chain of causes.
        reason: String,
        /// Whether trying again may help: not where a name or a certificate is wrong.
        transient: bool,
    },
    /// It took too long.
    #[error("{method} {url} timed out: {what} within {limit:?}")]
    Timeout {
        method: String,
        url: String,
        /// What did not happen in time.
        what: &'static str,
        limit: Duration,
    },
    /// The response is larger than the limit.
    #[error("the response from {url} exceeds the limit of {limit} bytes")]
    TooLarge {
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

    /// The origin of `url` is not among the granted ones. `named_by` is the origin of the server that named it; none
    /// where the caller did.
    pub(crate) fn origin_denied(url: &Url, named_by: Option<&str>, granted: &[OriginPattern]) -> Self {
        let origin = url.origin().ascii_serialization();
        let address = literal(url);
        let is_inside = url.host_str() == Some("localhost") || address.is_some_and(|a| !is_public(a));
        let help = match named_by {
            _ if address.is_some_and(is_link_local) => NEVER_LINK_LOCAL.to_owned(),
            Some(by) if is_inside => format!(
                "{by} referred `seed` to this address inside your own network, which a hostile server could do to reach private services; grant it only if you know that it belongs to the server"
            ),
            _ => format!("to allow it, {}", write_origin(&origin, granted)),
        };
        let why = if granted.is_empty() { "there is no `http` grant" } else { "no `http` grant names it" };
        let what = match named_by {
            Some(by) if !is_inside => format!("`{origin}`, which {by} named"),
            _ => format!("`{origin}`"),
        };
        Self::Denied { what, why: why.to_owned(), help }
    }
}

/// The error for what did not happen in time.
pub(crate) fn late(method: &Method, url: &Url, what: &'static str, limit: Duration) -> Error {
    Error::Timeout { method: method.to_string(), url: shown(url), what, limit }
}

/// Instead of a grant to write.
pub(crate) const NEVER_LINK_LOCAL: &str =
    "do not grant link-local addresses: cloud machines serve their credentials there";

/// The exact line of the pipeline file that grants `origin` beside what is granted already.
pub(crate) fn write_origin(origin: &str, granted: &[OriginPattern]) -> String {
    let mut origins: Vec<String> = granted.iter().map(ToString::to_string).collect();
    origins.push(origin.to_owned());
    format!("write grants = {{ http = [{}] }}", quoted(&origins))
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
