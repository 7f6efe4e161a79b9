//! What one user of a [`Client`](crate::client::Client) may reach.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use url::{Host, Url};

use crate::address::{is_link_local, is_public, literal};
use crate::credentials::Secret;
use crate::error::{Error, NEVER_LINK_LOCAL, quoted, write_origin};
use crate::origin::{HostPattern, OriginPattern, Scheme};

/// How far requests may go beyond the granted origins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Nowhere: the rule for plugins.
    #[default]
    GrantedOrigins,
    /// Also to every `https` origin with a public address, since registries redirect downloads to storage services
    /// and challenges to token services; and to the granted names whatever their address. For references that the
    /// user wrote, read by the host itself; never for a plugin.
    PublicHttps,
}

/// The origins, credentials and secrets that a pipeline grants to one plugin.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    /// Origins; none means that every request is denied.
    pub origins: Vec<OriginPattern>,
    /// Registries whose credentials may be attached, as Docker names them: `ghcr.io`, `docker.io`, `localhost:5000`.
    pub credentials: BTreeSet<String>,
    /// Secrets that may be put into headers, by name.
    pub secrets: BTreeMap<String, Secret>,
    /// Beyond the origins.
    pub reach: Reach,
}

impl Grants {
    /// The grants with which the host reads from `registry` (`host[:port]`) itself: see [`Reach::PublicHttps`].
    /// Plain HTTP is used for this machine (`localhost` and loopback addresses) only.
    pub fn for_reading(registry: &str) -> Result<Self, crate::origin::OriginError> {
        Ok(Self {
            origins: vec![registry_url(registry).parse()?],
            credentials: BTreeSet::from([registry.to_owned()]),
            secrets: BTreeMap::new(),
            reach: Reach::PublicHttps,
        })
    }

    /// Refuses `url` unless its origin is granted. `named_by` is the origin of the server that named it; none where
    /// the caller did.
    pub(crate) fn check(&self, url: &Url, named_by: Option<&str>) -> Result<(), Error> {
        if self.origins.iter().any(|origin| origin.matches(url)) {
            return Ok(());
        }
        // The addresses of a name are checked when it is resolved.
        let public_https = self.reach == Reach::PublicHttps
            && url.scheme() == "https"
            && url.has_host()
            && literal(url).is_none_or(is_public);
        if public_https {
            return Ok(());
        }
        Err(match self.reach {
            Reach::GrantedOrigins => Error::origin_denied(url, named_by, &self.origins),
            Reach::PublicHttps => Error::Denied {
                what: format!("`{}`", url.origin().ascii_serialization()),
                why: "a registry may refer only to `https` at public addresses".to_owned(),
                help: "copy the image to another registry or to an archive, and read it there".to_owned(),
            },
        })
    }

    /// Whether a connection to `address`, which `name` resolved to, is allowed. This is where a name that is granted
    /// but points into a private network is caught, at every single connection.
    pub(crate) fn allows_address(&self, name: &str, address: IpAddr) -> bool {
        let named = || self.origins.iter().filter(|origin| origin.matches_name(name));
        if name == "localhost" {
            return address.to_canonical().is_loopback() && named().next().is_some();
        }
        is_public(address)
            || (self.reach == Reach::PublicHttps && named().next().is_some())
            || named().any(|by_name| {
                self.origins.iter().any(|origin| {
                    origin.port == by_name.port && origin.host == HostPattern::Address(address.to_canonical())
                })
            })
    }

    /// Why [`Self::allows_address`] refused all of `addresses`.
    pub(crate) fn address_denied(&self, name: &str, addresses: &[IpAddr]) -> Error {
        let first = addresses.first().map_or_else(String::new, ToString::to_string);
        let by_name = self.origins.iter().find(|origin| origin.matches_name(name));
        let help = match (by_name, addresses.first()) {
            (Some(_), Some(address)) if is_link_local(*address) => NEVER_LINK_LOCAL.to_owned(),
            (Some(by_name), Some(address)) => {
                let by_address =
                    OriginPattern { host: HostPattern::Address(address.to_canonical()), ..by_name.clone() };
                let line = write_origin(&by_address.to_string(), &self.origins);
                format!("if `{name}` has this address in your own network, {line}")
            }
            _ => "use a host with a public address".to_owned(),
        };
        Error::Denied {
            what: format!("`{name}` at {first}"),
            why: "the address is private, and no `http` grant names it".to_owned(),
            help,
        }
    }

    /// Refuses the credentials of `registry` unless they are granted.
    pub(crate) fn check_credentials(&self, registry: &str) -> Result<(), Error> {
        if self.credentials.contains(registry) {
            return Ok(());
        }
        let mut names: Vec<String> = self.credentials.iter().cloned().collect();
        names.push(registry.to_owned());
        Err(Error::Denied {
            what: format!("the credentials of `{registry}`"),
            why: "no `credentials` grant names them".to_owned(),
            help: format!("to allow it, write grants = {{ credentials = [{}] }}", quoted(&names)),
        })
    }

    /// The secret `name`, if it is granted.
    pub(crate) fn secret(&self, name: &str) -> Result<&Secret, Error> {
        self.secrets.get(name).ok_or_else(|| {
            let mut names: Vec<String> = self.secrets.keys().cloned().collect();
            names.push(name.to_owned());
            Error::Denied {
                what: format!("the secret `{name}`"),
                why: "no `secrets` grant names it".to_owned(),
                help: format!("to allow it, write grants = {{ secrets = [{}] }}", quoted(&names)),
            }
        })
    }

    /// Whether any granted origin needs certificates.
    pub(crate) fn uses_tls(&self) -> bool {
        self.reach == Reach::PublicHttps || self.origins.iter().any(|origin| origin.scheme == Scheme::Https)
    }
}

/// Whether the URL's host is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).to_canonical().is_loopback(),
        None => false,
    }
}

/// Whether secrets may travel to `url`: over TLS, or without leaving this machine.
pub(crate) fn is_confidential(url: &Url) -> bool {
    url.scheme() == "https" || is_loopback(url)
}

/// The origin of a registry as Docker names it (`ghcr.io`, `localhost:5000`): `docker.io` lives at
/// `registry-1.docker.io`, and this machine is spoken to in plain HTTP.
pub fn registry_url(registry: &str) -> String {
    let host = match registry {
        "docker.io" | "index.docker.io" => "registry-1.docker.io",
        other => other,
    };
    let https = format!("https://{host}");
    match Url::parse(&https) {
        Ok(url) if is_loopback(&url) => format!("http://{host}"),
        _ => https,
    }
}

/// Whether a grant reaches a registry, as Docker names it, in some way.
pub fn reaches(origin: &OriginPattern, registry: &str) -> bool {
    let own = registry_url(registry);
    let host = own.split_once("://").map_or(own.as_str(), |(_, host)| host);
    let urls = ["https", "http"].map(|scheme| Url::parse(&format!("{scheme}://{host}")));
    urls.into_iter().flatten().any(|url| origin.matches(&url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_reaches_its_own_registries() {
        let reaches = |origin: &str, registry| reaches(&origin.parse().unwrap(), registry);
        assert!(reaches("https://ghcr.io", "ghcr.io"));
        assert!(reaches("https://registry-1.docker.io", "docker.io"));
        assert!(reaches("http://registry.lan:5000", "registry.lan:5000"));
        assert!(reaches("http://127.0.0.1:5000", "127.0.0.1:5000"));
        assert!(reaches("https://*.example.org", "r.example.org"));
        for registry in ["docker.io", "ghcr.io:8443", "ghcr.io.evil.example", "evil.example/ghcr.io", "a b"] {
            assert!(!reaches("https://ghcr.io", registry), "{registry}");
        }
    }

    fn grants(origins: &[&str]) -> Grants {
        Grants { origins: origins.iter().map(|o| o.parse().unwrap()).collect(), ..Grants::default() }
    }

    fn check(origins: &[&str], url: &str) -> String {
        grants(origins)
            .check(&url.parse().unwrap(), None)
            .map_or_else(|e| e.to_string(), |()| "allowed".to_owned())
    }

    #[test]
    fn a_denial_ends_with_the_line_to_write() {
        insta::assert_snapshot!(check(&[], "https://ghcr.io/v2/?token=secret"), @r#"`https://ghcr.io`: there is no `http` grant; to allow it, write grants = { http = ["https://ghcr.io"] }"#);
        insta::assert_snapshot!(check(&["https://ghcr.io"], "http://ghcr.io:8080/v2/"), @r#"`http://ghcr.io:8080`: no `http` grant names it; to allow it, write grants = { http = ["https://ghcr.io", "http://ghcr.io:8080"] }"#);
        insta::assert_snapshot!(grants(&[]).check_credentials("ghcr.io").unwrap_err(), @r#"the credentials of `ghcr.io`: no `credentials` grant names them; to allow it, write grants = { credentials = ["ghcr.io"] }"#);
        insta::assert_snapshot!(grants(&[]).secret("token").unwrap_err(), @r#"the secret `token`: no `secrets` grant names it; to allow it, write grants = { secrets = ["token"] }"#);
        let registry = grants(&["https://registry.corp.example:5000"]);
        insta::assert_snapshot!(registry.address_denied("registry.corp.example", &["10.0.0.7".parse().unwrap()]), @r#"`registry.corp.example` at 10.0.0.7: the address is private, and no `http` grant names it; if `registry.corp.example` has this address in your own network, write grants = { http = ["https://registry.corp.example:5000", "https://10.0.0.7:5000"] }"#);
    }

    #[test]
    fn nobody_is_taught_to_open_their_network_to_a_server() {
        let named = |url: &str| {
            let by = Some("https://registry.example");
            grants(&["https://registry.example"]).check(&url.parse().unwrap(), by).unwrap_err().to_string()
        };
        insta::assert_snapshot!(named("https://auth.example/token"), @r#"`https://auth.example`, which https://registry.example named: no `http` grant names it; to allow it, write grants = { http = ["https://registry.example", "https://auth.example"] }"#);
        for inside in [
            "http://10.0.0.7/",
            "http://[fd00::7]/",
            "http://127.0.0.1:2375/",
            "http://localhost/",
            "http://0x7f.1/",
        ] {
            let text = named(inside);
            assert!(text.contains("inside your own network") && !text.contains("grants = {"), "{text}");
        }
        insta::assert_snapshot!(named("http://10.0.0.7:8080/"), @"`http://10.0.0.7:8080`: no `http` grant names it; https://registry.example referred `seed` to this address inside your own network, which a hostile server could do to reach private services; grant it only if you know that it belongs to the server");
        insta::assert_snapshot!(named("http://169.254.169.254/latest"), @"`http://169.254.169.254`: no `http` grant names it; do not grant link-local addresses: cloud machines serve their credentials there");
        insta::assert_snapshot!(check(&[], "http://[fe80::1]/"), @"`http://[fe80::1]`: there is no `http` grant; do not grant link-local addresses: cloud machines serve their credentials there");
        let resolved = grants(&["https://registry.example"])
            .address_denied("registry.example", &["169.254.169.254".parse().unwrap()]);
        insta::assert_snapshot!(resolved, @"`registry.example` at 169.254.169.254: the address is private, and no `http` grant names it; do not grant link-local addresses: cloud machines serve their credentials there");
    }

    #[test]
    fn private_addresses_need_their_own_grant_on_the_same_port() {
        let private: IpAddr = "10.0.0.7".parse().unwrap();
        let name = "registry.corp.example";
        assert!(!grants(&["https://registry.corp.example"]).allows_address(name, private));
        assert!(grants(&["https://registry.corp.example", "https://10.0.0.7"]).allows_address(name, private));
        assert!(
            !grants(&["https://registry.corp.example", "http://10.0.0.7:8080"]).allows_address(name, private)
        );
        assert!(
            !grants(&["https://registry.corp.example", "https://10.0.0.8"]).allows_address(name, private)
        );
        assert!(grants(&["https://registry.corp.example"]).allows_address(name, "1.1.1.1".parse().unwrap()));
    }

    #[test]
    fn localhost_is_this_machine_and_only_when_granted() {
        let loopback: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
        assert!(grants(&["http://localhost:5000"]).allows_address("localhost", loopback));
        assert!(!grants(&["http://localhost:5000"]).allows_address("localhost", "10.0.0.1".parse().unwrap()));
        assert!(!grants(&["http://localhost:5000"]).allows_address("evil.example", loopback));
        assert!(!grants(&[]).allows_address("localhost", loopback));
    }

    #[test]
    fn the_host_itself_may_follow_a_registry_to_public_https() {
        let grants = Grants::for_reading("registry.corp.example").unwrap();
        let allowed = |url: &str| grants.check(&url.parse().unwrap(), None).is_ok();
        assert!(allowed("https://registry.corp.example/v2/") && allowed("https://cdn.example/x"));
        assert!(
            !allowed("http://cdn.example/x") && !allowed("https://127.0.0.1/") && !allowed("https://[::1]/")
        );
        assert!(grants.allows_address("registry.corp.example", "10.0.0.7".parse().unwrap()));
        assert!(!grants.allows_address("cdn.example", "10.0.0.7".parse().unwrap()));
        assert!(!grants.allows_address("localhost", "127.0.0.1".parse().unwrap()));
        let denied = grants.check(&"http://169.254.169.254/latest".parse().unwrap(), None).unwrap_err();
        insta::assert_snapshot!(denied, @"`http://169.254.169.254`: a registry may refer only to `https` at public addresses; copy the image to another registry or to an archive, and read it there");
    }

    #[test]
    fn registries_have_one_origin() {
        assert_eq!(registry_url("docker.io"), "https://registry-1.docker.io");
        assert_eq!(registry_url("ghcr.io"), "https://ghcr.io");
        assert_eq!(registry_url("localhost:5000"), "http://localhost:5000");
        assert_eq!(registry_url("127.0.0.1:5000"), "http://127.0.0.1:5000");
        assert_eq!(registry_url("[::1]:5000"), "http://[::1]:5000");
        assert_eq!(registry_url("localhost.evil.example"), "https://localhost.evil.example");
    }
}
