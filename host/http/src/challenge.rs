//! `WWW-Authenticate` (RFC 9110, section 11.6.1), as far as registries use it.

use url::Url;

/// The longest header that is looked at.
const MAX_HEADER: usize = 8 << 10;

/// What a registry asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Challenge {
    /// User name and password, in each request.
    Basic,
    /// A token of the service at `realm` (distribution specification, token authentication).
    Bearer {
        /// The token service.
        realm: Url,
        /// The name of the registry there.
        service: Option<String>,
        /// What the token must allow, such as `repository:org/app:pull,push`.
        scopes: Vec<String>,
    },
}

/// The challenge to answer among the values of all `WWW-Authenticate` headers: `Bearer` before `Basic`.
pub(crate) fn choose<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Challenge> {
    let mut basic = None;
    for header in headers.into_iter().filter(|header| header.len() <= MAX_HEADER) {
        for (scheme, parameters) in parse(header) {
            let parameter =
                |name: &str| parameters.iter().find(|(own, _)| own == name).map(|(_, value)| value);
            if scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Challenge::Basic);
            } else if scheme.eq_ignore_ascii_case("bearer")
                && let Some(Ok(realm)) = parameter("realm").map(|realm| Url::parse(realm))
            {
                let scopes = parameter("scope")
                    .map(|scope| scope.split_ascii_whitespace().map(str::to_owned).collect())
                    .unwrap_or_default();
                return Some(Challenge::Bearer { realm, service: parameter("service").cloned(), scopes });
            }
        }
    }
    basic
}

type Parameters = Vec<(String, String)>;

/// All challenges of one header. What does not follow the grammar ends the list.
fn parse(header: &str) -> Vec<(String, Parameters)> {
    let mut challenges: Vec<(String, Parameters)> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find(|c: char| !is_token(c)).unwrap_or(rest.len());
        if end == 0 {
            return challenges;
        }
        let (word, after) = rest.split_at(end);
        match (after.trim_start().strip_prefix('='), challenges.last_mut()) {
            (Some(value), Some((_, parameters))) => {
                let Some((value, after)) = parameter_value(value.trim_start()) else { return challenges };
                parameters.push((word.to_ascii_lowercase(), value));
                rest = after;
            }
            (Some(_), None) => return challenges,
            (None, _) => {
                challenges.push((word.to_owned(), Vec::new()));
                rest = after;
            }
        }
    }
}

/// A token or quoted string, and what follows it.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| !is_token(c)).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((value, quoted.get(index.checked_add(1)?..)?)),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scopes: &[&str]) -> Challenge {
        Challenge::Bearer {
            realm: realm.parse().unwrap(),
            service: service.map(str::to_owned),
            scopes: scopes.iter().map(|&s| s.to_owned()).collect(),
        }
    }

    #[test]
    fn what_real_registries_send() {
        assert_eq!(
            choose([
                r#"Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:org/app:pull,push""#
            ]),
            Some(bearer("https://ghcr.io/token", Some("ghcr.io"), &["repository:org/app:pull,push"]))
        );
        assert_eq!(choose([r#"Basic realm="Registry Realm""#]), Some(Challenge::Basic));
        assert_eq!(
            choose([r#"Basic realm="a, b", Bearer realm="https://t.example/x", scope="a b""#]),
            Some(bearer("https://t.example/x", None, &["a", "b"]))
        );
        assert_eq!(
            choose(["Basic", "bearer REALM=\"https://t.example/\""]),
            Some(bearer("https://t.example/", None, &[]))
        );
        assert_eq!(
            choose([r#"Bearer realm="https://t.example/",service="a\"b""#]),
            Some(bearer("https://t.example/", Some("a\"b"), &[]))
        );
    }

    #[test]
    fn unsupported_challenges_are_ignored() {
        for header in
            ["", "Bearer", "Bearer realm=\"not a url\"", "Bearer realm=\"open", "=", "Negotiate abc==", "é"]
        {
            assert_eq!(choose([header]), None, "{header}");
        }
        // The longest header that is looked at, and one that is longer.
        let long = |size: usize| format!("{:x<width$}\"", "Basic realm=\"", width = size - 1);
        assert_eq!(choose([long(MAX_HEADER).as_str()]), Some(Challenge::Basic));
        assert_eq!(choose([long(MAX_HEADER + 1).as_str()]), None);
    }
}
