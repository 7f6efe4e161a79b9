//! Names of repositories, and where they are.

use seed_plugin::Diagnostic;

/// A repository in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repository {
    /// The registry as Docker names it: `ghcr.io`, `localhost:5000`, `docker.io`.
    pub(crate) registry: String,
    /// The repository's name in the registry: `org/app`.
    pub(crate) name: String,
    /// `scheme://host[:port]` that answers for the registry.
    pub(crate) origin: String,
}

impl Repository {
    /// Parses `host[:port]/name`. The host is not guessed: `org/app` alone is an error, not Docker Hub.
    pub(crate) fn parse(text: &str, plain_http: bool) -> Result<Self, Diagnostic> {
        let problem = |message: &str| {
            Err(Diagnostic::error(
                "registry-publisher::repository",
                &format!("`{text}` is not a repository: {message}"),
            )
            .with_help("write registry and name, such as `ghcr.io/org/app`")
            .at("/repository"))
        };
        let Some((registry, name)) = text.split_once('/') else {
            return problem("it has no slash");
        };
        let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
        if !(registry.contains(['.', ':']) || registry == "localhost") {
            return problem("it does not begin with the host of a registry");
        }
        let host_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
        if !registry.bytes().all(host_byte) || host.is_empty() {
            return problem("invalid character in the host");
        }
        if !is_name(name) {
            return problem(
                "the name may have only lower-case letters and digits, separated by `.`, `_`, `-` or `/`",
            );
        }
        let is_here = host == "localhost" || host == "[::1]" || host.starts_with("127.");
        let scheme = if plain_http || is_here { "http" } else { "https" };
        let address = if matches!(registry, "docker.io" | "index.docker.io") {
            "registry-1.docker.io"
        } else {
            registry
        };
        Ok(Self {
            registry: registry.to_owned(),
            name: name.to_owned(),
            origin: format!("{scheme}://{address}"),
        })
    }

    /// The URL of something in the repository: `blobs/…`, `manifests/…`.
    pub(crate) fn url(&self, rest: &str) -> String {
        format!("{}/v2/{}/{rest}", self.origin, self.name)
    }

    /// The URL that a `Location` header means; nothing if it is neither absolute nor a path.
    pub(crate) fn resolve(&self, location: &str) -> Option<String> {
        if location.starts_with("https://") || location.starts_with("http://") {
            return Some(location.to_owned());
        }
        (location.starts_with('/') && !location.starts_with("//"))
            .then(|| format!("{}{location}", self.origin))
    }
}

/// distribution-spec: `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` in each part.
pub(crate) fn is_name(name: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let part = |part: &str| {
        let separators: Vec<&str> =
            part.split(|c: char| u8::try_from(c).is_ok_and(word)).filter(|s| !s.is_empty()).collect();
        let separator = |s: &&str| matches!(*s, "." | "_" | "__") || s.bytes().all(|b| b == b'-');
        part.bytes().next().is_some_and(word)
            && part.bytes().last().is_some_and(word)
            && separators.iter().all(separator)
    };
    name.len() <= 255 && name.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(String, String), String> {
        Repository::parse(text, false).map(|r| (r.origin, r.name)).map_err(|d| d.message)
    }

    #[test]
    fn finds_the_origin() {
        for (text, origin, name) in [
            ("ghcr.io/org/app", "https://ghcr.io", "org/app"),
            ("localhost:5000/app", "http://localhost:5000", "app"),
            ("127.0.0.1:5000/app", "http://127.0.0.1:5000", "app"),
            ("docker.io/library/app", "https://registry-1.docker.io", "library/app"),
        ] {
            assert_eq!(parse(text), Ok((origin.to_owned(), name.to_owned())));
        }
        assert_eq!(Repository::parse("r.example/app", true).unwrap().origin, "http://r.example");
    }

    #[test]
    fn refuses_what_is_no_repository() {
        assert_eq!(parse("app").unwrap_err(), "`app` is not a repository: it has no slash");
        assert_eq!(
            parse("org/app").unwrap_err(),
            "`org/app` is not a repository: it does not begin with the host of a registry"
        );
        for name in [
            "ghcr.io/Org/app",
            "ghcr.io/app:v1",
            "ghcr.io/",
            "ghcr.io/a//b",
            "ghcr.io/a..b",
            "ghcr.io/-a",
            "gh cr.io/a",
        ] {
            assert!(parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn resolves_locations() {
        let repository = Repository::parse("localhost:5000/app", false).unwrap();
        assert_eq!(repository.resolve("/v2/x?y=1").as_deref(), Some("http://localhost:5000/v2/x?y=1"));
        assert_eq!(repository.resolve("https://cdn.example/x").as_deref(), Some("https://cdn.example/x"));
        assert_eq!(repository.resolve("//elsewhere/x"), None);
        assert_eq!(repository.resolve("file:///etc/passwd"), None);
    }
}
