//! Origins: the grammar of `http` grants.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::{Host, Url};

/// How requests travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            _ => None,
        }
    }
}

/// The host of a grant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HostPattern {
    /// Exactly this name.
    Name(String),
    /// One label more than this name.
    OneLabelBelow(String),
    /// Exactly this address.
    Address(IpAddr),
}

/// A grant: `scheme://host[:port]`, where the host may begin with `*.`, which stands for exactly one label.
///
/// `http` is matched only by a grant that says `http://`. There are no paths, queries or user names, and a wildcard
/// needs at least two labels behind it, so that no grant covers a whole top-level domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OriginPattern {
    pub(crate) scheme: Scheme,
    pub(crate) host: HostPattern,
    pub(crate) port: u16,
}

/// A text that is not a grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an origin: {reason}; expected scheme://host[:port], such as https://ghcr.io")]
pub struct OriginError {
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl OriginPattern {
    /// Whether this grant covers the origin of `url`.
    pub fn matches(&self, url: &Url) -> bool {
        Scheme::parse(url.scheme()) == Some(self.scheme)
            && url.port_or_known_default() == Some(self.port)
            && match url.host() {
                Some(Host::Domain(name)) => self.matches_name(name),
                Some(Host::Ipv4(address)) => self.host == HostPattern::Address(address.into()),
                Some(Host::Ipv6(address)) => self.host == HostPattern::Address(address.into()),
                None => false,
            }
    }

    /// Whether this grant covers the host name, whatever the scheme and port.
    pub(crate) fn matches_name(&self, name: &str) -> bool {
        match &self.host {
            HostPattern::Name(own) => own == name,
            HostPattern::OneLabelBelow(parent) => {
                name.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent)
            }
            HostPattern::Address(_) => false,
        }
    }
}

impl FromStr for OriginPattern {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let error = |reason| OriginError { text: text.chars().take(120).collect(), reason };
        let (scheme, rest) = text.split_once("://").ok_or_else(|| error("the scheme is missing"))?;
        let scheme = Scheme::parse(scheme).ok_or_else(|| error("the scheme must be `https` or `http`"))?;
        if rest.contains('@') {
            return Err(error("remove the user name and password"));
        }
        if rest.contains(['/', '?', '#', '\\']) {
            return Err(error("remove the path, even a single `/`"));
        }
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (rest, None),
        };
        let port = match port {
            None => scheme.default_port(),
            Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => match port.parse() {
                Ok(port) if port != 0 => port,
                _ => return Err(error("the port must be a number from 1 to 65535")),
            },
            Some(_) => return Err(error("the port must be a number from 1 to 65535")),
        };
        if host.is_empty() {
            return Err(error("the host is missing"));
        }
        let (name, wildcard) = host.strip_prefix("*.").map_or((host, false), |parent| (parent, true));
        if name.contains('*') {
            return Err(error("`*` may only replace the whole first label"));
        }
        let host = match (Host::parse(name), wildcard) {
            (Err(_), _) => return Err(error("the host is neither a host name nor an IP address")),
            (Ok(Host::Domain(name)), false) => HostPattern::Name(name),
            (Ok(Host::Domain(name)), true) if name.trim_end_matches('.').contains('.') => {
                HostPattern::OneLabelBelow(name)
            }
            (Ok(Host::Domain(_)), true) => {
                return Err(error("`*.` must precede a name of at least two labels"));
            }
            (Ok(Host::Ipv4(address)), false) => HostPattern::Address(address.into()),
            (Ok(Host::Ipv6(address)), false) => HostPattern::Address(address.into()),
            (Ok(Host::Ipv4(_) | Host::Ipv6(_)), true) => {
                return Err(error("`*.` cannot precede an IP address"));
            }
        };
        Ok(Self { scheme, host, port })
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme.name())?;
        match &self.host {
            HostPattern::Name(name) => f.write_str(name)?,
            HostPattern::OneLabelBelow(parent) => write!(f, "*.{parent}")?,
            HostPattern::Address(IpAddr::V4(address)) => write!(f, "{address}")?,
            HostPattern::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
        }
        if self.port == self.scheme.default_port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(grant: &str, url: &str) -> bool {
        grant.parse::<OriginPattern>().unwrap().matches(&url.parse().unwrap())
    }

    #[test]
    fn a_grant_covers_its_own_origin_only() {
        assert!(matches("https://ghcr.io", "https://ghcr.io/v2/a?b=c"));
        assert!(matches("https://ghcr.io", "https://GHCR.io:443/"));
        assert!(matches("https://GHCR.io", "https://ghcr.io/"));
        assert!(matches("http://localhost:5000", "http://localhost:5000/v2/"));
        assert!(matches("http://[::1]:5000", "http://[0:0::1]:5000/v2/"));
        assert!(matches("http://10.0.0.1", "http://0x0a.0.0.1/"));
        for (grant, url) in [
            ("https://ghcr.io", "http://ghcr.io/"),
            ("http://ghcr.io", "https://ghcr.io/"),
            ("https://ghcr.io", "https://ghcr.io:8443/"),
            ("https://ghcr.io", "https://ghcr.io.evil.example/"),
            ("https://ghcr.io", "https://a.ghcr.io/"),
            ("https://ghcr.io", "https://ghcr.io@evil.example/"),
            ("https://ghcr.io", "https://ghcr.io./"),
            ("http://localhost:5000", "http://127.0.0.1:5000/"),
            ("http://127.0.0.1:5000", "http://localhost:5000/"),
            ("https://ghcr.io", "ftp://ghcr.io/"),
        ] {
            assert!(!matches(grant, url), "{grant} must not cover {url}");
        }
    }

    #[test]
    fn a_wildcard_is_exactly_one_label() {
        assert!(matches("https://*.example.org", "https://a.example.org/"));
        for url in [
            "https://example.org/",
            "https://a.b.example.org/",
            "https://.example.org/",
            "https://aexample.org/",
        ] {
            if let Ok(url) = url.parse::<Url>() {
                assert!(!"https://*.example.org".parse::<OriginPattern>().unwrap().matches(&url), "{url}");
            }
        }
    }

    #[test]
    fn what_is_not_an_origin_is_refused_with_the_reason() {
        let reason = |text: &str| text.parse::<OriginPattern>().unwrap_err().reason;
        assert_eq!(reason("ghcr.io"), "the scheme is missing");
        assert_eq!(reason("ftp://ghcr.io"), "the scheme must be `https` or `http`");
        assert_eq!(reason("HTTPS://ghcr.io"), "the scheme must be `https` or `http`");
        assert_eq!(reason("https://"), "the host is missing");
        assert_eq!(reason("https://ghcr.io/"), "remove the path, even a single `/`");
        assert_eq!(reason("https://u:p@ghcr.io"), "remove the user name and password");
        assert_eq!(reason("https://ghcr.io:"), "the port must be a number from 1 to 65535");
        assert_eq!(reason("https://ghcr.io:0"), "the port must be a number from 1 to 65535");
        assert_eq!(reason("https://ghcr.io:+1"), "the port must be a number from 1 to 65535");
        assert_eq!(reason("https://ghcr.io:65536"), "the port must be a number from 1 to 65535");
        assert_eq!(reason("https://*"), "`*` may only replace the whole first label");
        assert_eq!(reason("https://*.*.org"), "`*` may only replace the whole first label");
        assert_eq!(reason("https://a*.example.org"), "`*` may only replace the whole first label");
        assert_eq!(reason("https://*.org"), "`*.` must precede a name of at least two labels");
        assert_eq!(reason("https://*.127.0.0.1"), "`*.` cannot precede an IP address");
        assert_eq!(reason("https://a b"), "the host is neither a host name nor an IP address");
    }

    #[test]
    fn the_text_round_trips_in_its_shortest_form() {
        for (text, shown) in [
            ("https://ghcr.io:443", "https://ghcr.io"),
            ("http://localhost:5000", "http://localhost:5000"),
            ("http://[0::1]", "http://[::1]"),
            ("https://*.example.org:8443", "https://*.example.org:8443"),
        ] {
            let grant: OriginPattern = text.parse().unwrap();
            assert_eq!(grant.to_string(), shown);
            assert_eq!(shown.parse::<OriginPattern>().unwrap(), grant);
        }
    }
}
