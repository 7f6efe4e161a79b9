//! Answers challenges: Basic, and the token flow of the distribution specification.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::challenge::Challenge;
use crate::credentials::{Credential, CredentialStore, Secret};
use crate::error::{Error, shown};
use crate::grants::is_confidential;
use crate::prepare::check_url;
use crate::wire::Wire;

/// What the specification says where a token has no `expires_in`.
const DEFAULT_LIFETIME: u64 = 60;
/// Tokens are renewed this long before they end.
const MARGIN: u64 = 10;
/// Nothing is remembered for longer than this.
const MAX_LIFETIME: u64 = 3600;
/// Entries in each map; past it everything is forgotten, which only costs requests.
const MAX_ENTRIES: usize = 1024;

/// What one challenge usually answers for: all requests of one kind to one repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Area {
    registry: String,
    repository: String,
    mounted_from: Option<String>,
    writes: bool,
}

impl Area {
    /// The area of a request to `url` with the credentials of `registry`.
    pub(crate) fn of(registry: &str, url: &Url, writes: bool) -> Self {
        // /v2/<repository>/{blobs,manifests,tags,referrers}/…
        let path = url.path().strip_prefix("/v2/").unwrap_or_default();
        let end = ["/blobs/", "/manifests/", "/tags/", "/referrers/"]
            .iter()
            .filter_map(|part| path.rfind(part))
            .max();
        let mounted_from =
            url.query_pairs().find(|(name, _)| name == "from").map(|(_, from)| from.into_owned());
        Self {
            registry: registry.to_owned(),
            repository: path[..end.unwrap_or(0)].to_owned(),
            mounted_from,
            writes,
        }
    }
}

#[derive(Debug)]
struct Authorization {
    value: HeaderValue,
    until: Option<Instant>,
}

#[derive(Debug, Default)]
struct Known {
    /// The last challenge of an area, so that it need not be asked for again.
    challenges: BTreeMap<Area, Challenge>,
    authorizations: BTreeMap<(String, Challenge), Authorization>,
    credentials: BTreeMap<String, Option<Credential>>,
}

/// What has been learned about registries.
#[derive(Debug)]
pub(crate) struct Tokens {
    store: Arc<dyn CredentialStore>,
    known: Mutex<Known>,
}

impl Tokens {
    pub(crate) fn new(store: Arc<dyn CredentialStore>) -> Self {
        Self { store, known: Mutex::default() }
    }

    /// The `Authorization` header that worked in this area, if it still does.
    pub(crate) async fn known(&self, area: &Area) -> Option<HeaderValue> {
        let known = self.known.lock().await;
        let challenge = known.challenges.get(area)?.clone();
        known.valid(&(area.registry.clone(), challenge))
    }

    /// The `Authorization` header that answers `challenge`. `rejected` is the header that the challenge came back to.
    ///
    /// The lock is held meanwhile: of many requests that are challenged at once, one asks the token service.
    pub(crate) async fn answer(
        &self,
        area: &Area,
        challenge: Challenge,
        rejected: Option<&HeaderValue>,
        wire: &Wire,
    ) -> Result<HeaderValue, Error> {
        let mut known = self.known.lock().await;
        let key = (area.registry.clone(), challenge.clone());
        let valid = known.valid(&key).filter(|value| Some(value) != rejected);
        let value = if let Some(value) = valid {
            value
        } else {
            let credential = self.credential(&mut known, &area.registry).await?;
            let authorization = authorize(&area.registry, &challenge, credential, wire).await?;
            let value = authorization.value.clone();
            if known.authorizations.len() >= MAX_ENTRIES {
                known.authorizations.clear();
            }
            known.authorizations.insert(key, authorization);
            value
        };
        if known.challenges.len() >= MAX_ENTRIES {
            known.challenges.clear();
        }
        known.challenges.insert(area.clone(), challenge);
        Ok(value)
    }

    /// The registry's credential; the store is asked once.
    async fn credential(&self, known: &mut Known, registry: &str) -> Result<Option<Credential>, Error> {
        if let Some(credential) = known.credentials.get(registry) {
            return Ok(credential.clone());
        }
        let (store, name) = (Arc::clone(&self.store), registry.to_owned());
        let found = tokio::task::spawn_blocking(move || store.get(&name)).await;
        let failed = |reason: String| Error::Auth { registry: registry.to_owned(), reason };
        let credential = found.map_err(|e| failed(e.to_string()))?.map_err(|e| failed(e.to_string()))?;
        known.credentials.insert(registry.to_owned(), credential.clone());
        Ok(credential)
    }
}

impl Known {
    fn valid(&self, key: &(String, Challenge)) -> Option<HeaderValue> {
        let authorization = self.authorizations.get(key)?;
        authorization.until.is_none_or(|until| Instant::now() < until).then(|| authorization.value.clone())
    }
}

async fn authorize(
    registry: &str,
    challenge: &Challenge,
    credential: Option<Credential>,
    wire: &Wire,
) -> Result<Authorization, Error> {
    let failed = |reason: String| Error::Auth { registry: registry.to_owned(), reason };
    match (challenge, credential) {
        (Challenge::Basic, Some(Credential::Password { username, password })) => {
            Ok(Authorization { value: basic(&username, &password), until: None })
        }
        (Challenge::Basic, Some(Credential::IdentityToken(_))) => {
            Err(failed("it requires a password, but the stored credential is an identity token".to_owned()))
        }
        (Challenge::Basic, None) => {
            Err(failed(format!("it requires a password, but none is stored; run `docker login {registry}`")))
        }
        (Challenge::Bearer { realm, service: name, scopes }, credential) => {
            // The registry names the place that the password goes to: it must be one that the user granted.
            check_url(realm)?;
            wire.grants().check(realm, Some(registry))?;
            if !is_confidential(realm) {
                return Err(failed(format!("its token service {} does not use https", shown(realm))));
            }
            let anonymous = credential.is_none();
            let (url, header, form) = token_request(realm, name.as_deref(), scopes, credential);
            let (status, body) = wire.ask_token_service(url, header, form).await?;
            if status != 200 {
                let hint = if anonymous {
                    format!("; no credential is stored, run `docker login {registry}`")
                } else {
                    "; it rejected the stored credential".to_owned()
                };
                return Err(failed(format!("the token service {} answered {status}{hint}", shown(realm))));
            }
            bearer(&body)
                .ok_or_else(|| failed(format!("the token service {} returned no token", shown(realm))))
        }
    }
}

type TokenRequest = (Url, Option<HeaderValue>, Option<String>);

fn token_request(
    realm: &Url,
    service: Option<&str>,
    scopes: &[String],
    credential: Option<Credential>,
) -> TokenRequest {
    if let Some(Credential::IdentityToken(token)) = credential {
        // OAuth 2 refresh, as the distribution documentation's "OAuth2 Token Authentication".
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token").append_pair("client_id", "seed");
        form.extend_pairs(service.map(|service| ("service", service)));
        form.append_pair("scope", &scopes.join(" ")).append_pair("refresh_token", token.reveal());
        return (realm.clone(), None, Some(form.finish()));
    }
    let mut url = realm.clone();
    if service.is_some() || !scopes.is_empty() {
        let mut query = url.query_pairs_mut();
        query.extend_pairs(service.map(|service| ("service", service)));
        query.extend_pairs(scopes.iter().map(|scope| ("scope", scope)));
    }
    let header = match &credential {
        Some(Credential::Password { username, password }) => Some(basic(username, password)),
        _ => None,
    };
    (url, header, None)
}

fn basic(username: &str, password: &Secret) -> HeaderValue {
    let mut value = HeaderValue::from_str(&format!(
        "Basic {}",
        STANDARD.encode(format!("{username}:{}", password.reveal()))
    ))
    .expect("base64 is a header value");
    value.set_sensitive(true);
    value
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

#[expect(clippy::arithmetic_side_effects, reason = "a deadline, an hour from now at most")]
fn bearer(body: &[u8]) -> Option<Authorization> {
    let answer: TokenAnswer = serde_json::from_slice(body).ok()?;
    let token = answer.token.or(answer.access_token).filter(|token| !token.is_empty())?;
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    let lifetime = answer.expires_in.unwrap_or(DEFAULT_LIFETIME).min(MAX_LIFETIME).saturating_sub(MARGIN);
    Some(Authorization { value, until: Some(Instant::now() + Duration::from_secs(lifetime)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::CredentialError;
    use crate::grants::Grants;
    use crate::limits::HttpLimits;
    use crate::resolver::SystemLookup;

    fn area(url: &str) -> Area {
        Area::of("r.example", &url.parse().unwrap(), false)
    }

    #[test]
    fn an_area_is_a_repository_what_is_mounted_and_whether_it_is_written() {
        let url = |path: &str| area(&format!("https://r.example/v2/{path}"));
        assert_eq!(url("org/app/blobs/x"), url("org/app/manifests/v1"));
        assert_eq!(url("org/app/tags/list"), url("org/app/referrers/x?n=2"));
        // A repository may be called as the API's own words are.
        assert_eq!(url("a/blobs/b/manifests/v1").repository, "a/blobs/b");
        assert_ne!(url("org/app/blobs/x"), url("org/other/blobs/x"));
        assert_ne!(url("org/app/blobs/x"), url("org/app/blobs/x?from=org/base"));
        assert_eq!(url("").repository, "");
        let writing = Area::of("r.example", &"https://r.example/v2/a/blobs/x".parse().unwrap(), true);
        assert_ne!(writing, url("a/blobs/x"));
    }

    #[test]
    fn a_token_lives_as_long_as_its_service_says_within_bounds() {
        let seconds = |answer: &str| {
            let until = bearer(answer.as_bytes()).unwrap().until.unwrap();
            until.saturating_duration_since(Instant::now()).as_secs_f64().ceil()
        };
        for (expires_in, expected) in [
            ("", 50.0),
            (r#","expires_in":300"#, 290.0),
            (r#","expires_in":5"#, 0.0),
            (r#","expires_in":3600"#, 3590.0),
            (r#","expires_in":18446744073709551615"#, 3590.0),
        ] {
            let actual = seconds(&format!(r#"{{"token":"t"{expires_in}}}"#));
            assert!((expected - 2.0..=expected).contains(&actual), "{expires_in}: {actual}");
        }
        assert_eq!(bearer(br#"{"access_token":"a"}"#).unwrap().value, "Bearer a");
        assert_eq!(bearer(br#"{"token":"t","access_token":"a"}"#).unwrap().value, "Bearer t");
        for bad in [r#"{"token":""}"#, "{}", r#"{"token":"a\nb"}"#, r#"{"token":1}"#] {
            assert!(bearer(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    /// Knows one password, and counts how often it is asked.
    #[derive(Debug, Default)]
    struct Counted(std::sync::atomic::AtomicUsize);

    impl CredentialStore for Counted {
        fn get(&self, _: &str) -> Result<Option<Credential>, CredentialError> {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let password = Secret::new("hunter2");
            Ok(Some(Credential::Password { username: "me".to_owned(), password }))
        }
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_store_is_asked_once() {
        let store = Arc::new(Counted::default());
        let tokens = Tokens::new(Arc::clone(&store) as Arc<dyn CredentialStore>);
        let wire = Wire::new(Arc::default(), HttpLimits::default(), Arc::new(SystemLookup));
        let of = |number: usize| area(&format!("https://r.example/v2/app{number}/blobs/x"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for number in 0..MAX_ENTRIES {
                tokens.answer(&of(number), Challenge::Basic, None, &wire).await.unwrap();
            }
            assert!(tokens.known(&of(0)).await.is_some_and(|value| value.is_sensitive()));
            tokens.answer(&of(MAX_ENTRIES), Challenge::Basic, None, &wire).await.unwrap();
            assert!(tokens.known(&of(0)).await.is_none() && tokens.known(&of(MAX_ENTRIES)).await.is_some());
        });
        assert_eq!(store.0.load(std::sync::atomic::Ordering::Relaxed), 1);
    }

    #[test]
    fn a_token_service_without_tls_gets_no_password() {
        let tokens = Tokens::new(Arc::new(Counted::default()));
        let grants = Grants { origins: vec!["http://t.example".parse().unwrap()], ..Grants::default() };
        let wire = Wire::new(Arc::new(grants), HttpLimits::default(), Arc::new(SystemLookup));
        let challenge = |realm: &str| Challenge::Bearer {
            realm: realm.parse().unwrap(),
            service: None,
            scopes: Vec::new(),
        };
        let area = area("https://r.example/v2/app/blobs/x");
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let refused = |realm: &str| {
            runtime.block_on(tokens.answer(&area, challenge(realm), None, &wire)).unwrap_err().to_string()
        };
        insta::assert_snapshot!(refused("http://t.example/"), @"cannot authenticate to `r.example`: its token service http://t.example/ does not use https");
        insta::assert_snapshot!(refused("https://other.example/"), @r#"`https://other.example`, which r.example named: no `http` grant names it; to allow it, write grants = { http = ["http://t.example", "https://other.example"] }"#);
        insta::assert_snapshot!(refused("ftp://t.example/"), @"invalid request to `ftp://t.example/`: the scheme must be `https` or `http`");
        insta::assert_snapshot!(refused("https://me@t.example/"), @"invalid request to `https://t.example/`: the URL contains a user name or password");
    }
}
