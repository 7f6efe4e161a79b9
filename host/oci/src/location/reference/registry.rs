//! `host[:port]/repository[:tag][@digest]`.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use seed_model::Digest;

use crate::location::reference::error::ReferenceError;

/// The longest reference in bytes.
const MAX_LENGTH: usize = 1024;
/// The longest repository in bytes, and the longest host: what registries and DNS take.
const MAX_NAME: usize = 255;

/// An image in a registry: `host[:port]/repository[:tag][@digest]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryReference {
    /// `host[:port]`, as Docker names the registry.
    pub registry: String,
    pub repository: String,
    /// The tag; `latest` where there is neither tag nor digest.
    pub tag: Option<String>,
    /// The digest, which wins over the tag.
    pub digest: Option<Digest>,
}

impl FromStr for RegistryReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let error = |reason: String| ReferenceError::new(text, reason);
        if text.len() > MAX_LENGTH {
            return Err(error(format!("it is longer than {MAX_LENGTH} bytes")));
        }
        let Some((registry, rest)) = text.split_once('/') else {
            return Err(error("it has no registry".to_owned()));
        };
        check_registry(registry).map_err(error)?;
        let (rest, digest) = match rest.split_once('@') {
            None => (rest, None),
            Some((rest, digest)) => {
                (rest, Some(digest.parse::<Digest>().map_err(|reason| error(reason.to_string()))?))
            }
        };
        let (repository, tag) = match rest.split_once(':') {
            None => (rest, None),
            Some((repository, tag)) => (repository, Some(tag)),
        };
        if !is_repository(repository) {
            return Err(error(format!(
                "invalid repository `{repository}`: use lower-case letters, digits, `.`, `_`, `-` and `/`"
            )));
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(error(format!("invalid tag `{tag}`")));
        }
        // Docker Hub keeps its official images in `library`.
        let official = registry == "docker.io" && !repository.contains('/');
        let repository = if official { format!("library/{repository}") } else { repository.to_owned() };
        let tag = match (tag, digest) {
            (None, None) => Some("latest".to_owned()),
            (tag, _) => tag.map(str::to_owned),
        };
        Ok(Self { registry: registry.to_owned(), repository, tag, digest })
    }
}

/// `host[:port]`; a host without a dot and a port is one only if it is `localhost`.
fn check_registry(text: &str) -> Result<(), String> {
    if !(text.contains(['.', ':']) || text == "localhost") {
        return Err(format!("`{text}` is not a registry host (Docker Hub is `docker.io`)"));
    }
    // The colons of an IPv6 address are inside of brackets.
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => host.len() <= MAX_NAME && host.split('.').all(is_label),
    };
    let is_digits = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    let is_port = |port: &str| is_digits(port) && port.parse::<u16>().is_ok_and(|port| port != 0);
    if is_host && port.is_none_or(is_port) { Ok(()) } else { Err(format!("`{text}` is not a host")) }
}

/// One name between the dots of a host (RFC 1123).
fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, with slashes between such parts (distribution specification).
fn is_repository(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_NAME
        && text.split('/').all(|part| {
            let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            part.bytes().all(|b| alphanumeric(b) || b"._-".contains(&b))
                && part.bytes().next().is_some_and(alphanumeric)
                && part.bytes().next_back().is_some_and(alphanumeric)
                && !["..", "._", "_.", ".-", "-.", "___", "_-", "-_"].iter().any(|bad| part.contains(bad))
        })
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

impl fmt::Display for RegistryReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}
