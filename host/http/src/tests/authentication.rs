//! Challenges and credentials.

use std::sync::Arc;

use super::server::{Received, Reply, Server};
use super::{
    OneBlob, blob_body, client, client_with, client_with_password, message, options, with_credentials,
};
use crate::client::Client;
use crate::credentials::{Credential, CredentialError, CredentialStore, Secret};
use crate::message::{Body, Request};

/// base64 of `me:hunter2`.
const BASIC: &str = "Basic bWU6aHVudGVyMg==";

/// A token service whose tokens say what they are for.
fn token_service() -> Server {
    Server::start(|request: &Received| {
        let who = if request.headers.get("authorization").is_some_and(|value| value == BASIC) {
            "me"
        } else {
            "nobody"
        };
        let count = request.target.matches("scope=").count();
        Reply::ok(format!(r#"{{"token": "{who}-{count}", "expires_in": 300}}"#))
    })
}

/// A registry that wants a token of `service` for everything.
fn registry(service: &Server) -> Server {
    let realm = service.url("/token?kept=1");
    Server::start(move |request| {
        let scope = request.target.split('/').nth(2).unwrap_or_default();
        match request.headers.get("authorization").map(String::as_str) {
            Some("Bearer me-1" | "Bearer nobody-1") => Reply::ok(request.body.clone()),
            _ => Reply::challenge(format!(
                r#"Bearer realm="{realm}",service="reg",scope="repository:{scope}:pull,push""#
            )),
        }
    })
}

#[test]
fn a_bearer_challenge_is_answered_and_the_body_is_sent_again() {
    let (tokens, content) = (token_service(), vec![42; 3 << 20]);
    let registry = registry(&tokens);
    let mut options = options(&[registry.origin(), tokens.origin()]);
    options.grants.credentials.insert(registry.registry());
    let password = Credential::Password { username: "me".to_owned(), password: Secret::new("hunter2") };
    options.credential_store = Arc::new(super::OneCredential(registry.registry(), password));
    options.blobs = Some(Arc::new(OneBlob(content.clone())));
    let client = Client::new(options);
    let put = || {
        let request = Request {
            method: "PUT".to_owned(),
            body: blob_body(&content, 1, (content.len() - 1) as u64),
            ..Request::get(registry.url("/v2/app/blobs/uploads/1"))
        };
        client.send(with_credentials(&registry.registry(), request)).unwrap()
    };
    let response = put();
    assert_eq!((response.status, response.body.len()), (200, content.len() - 1));
    assert_eq!(tokens.received()[0].target, "/token?kept=1&service=reg&scope=repository%3Aapp%3Apull%2Cpush");
    assert_eq!(registry.received().len(), 2);

    // The second time the token is known before it is asked for.
    put();
    assert_eq!((registry.received().len(), tokens.received().len()), (3, 1));
}

#[test]
fn many_challenges_at_once_ask_the_token_service_once() {
    let tokens = token_service();
    let registry = registry(&tokens);
    let client = client_with_password(&[registry.origin(), tokens.origin()], &registry.registry());
    let get = || with_credentials(&registry.registry(), Request::get(registry.url("/v2/app/tags/list")));
    let responses = client.send_all((0..20).map(|_| get()).collect());
    assert!(responses.iter().all(|response| response.as_ref().unwrap().status == 200));
    assert_eq!(tokens.received().len(), 1);
}

#[test]
fn without_a_stored_credential_the_token_is_anonymous() {
    let tokens = token_service();
    let registry = registry(&tokens);
    let mut options = options(&[registry.origin(), tokens.origin()]);
    options.grants.credentials.insert(registry.registry());
    let request = with_credentials(&registry.registry(), Request::get(registry.url("/v2/app/tags/list")));
    assert_eq!(Client::new(options).send(request).unwrap().status, 200);
    assert!(!tokens.received()[0].headers.contains_key("authorization"));
}

#[test]
fn an_identity_token_is_refreshed_with_a_form() {
    let tokens = Server::start(|request| match std::str::from_utf8(&request.body).unwrap() {
        "grant_type=refresh_token&client_id=seed&service=reg&scope=repository%3Aapp%3Apull%2Cpush&refresh_token=id" => {
            Reply::ok(r#"{"access_token": "me-1"}"#)
        }
        _ => Reply::status(400),
    });
    let registry = registry(&tokens);
    let client = client_with(
        &[registry.origin(), tokens.origin()],
        &registry.registry(),
        Credential::IdentityToken(Secret::new("id")),
    );
    let request = with_credentials(&registry.registry(), Request::get(registry.url("/v2/app/tags/list")));
    assert_eq!(client.send(request).unwrap().status, 200);
}

#[test]
fn a_basic_challenge_is_answered_at_the_registry_only() {
    let elsewhere = Server::start(|_| Reply::ok("storage"));
    let location = elsewhere.url("/blob");
    let registry = Server::start(move |request| match request.headers.get("authorization") {
        Some(value) if value == BASIC && request.target == "/v2/a/blobs/x" => {
            Reply::redirect(location.clone())
        }
        Some(value) if value == BASIC => Reply::ok("in"),
        _ => Reply::challenge("Basic realm=\"r\""),
    });
    let client = client_with_password(&[registry.origin(), elsewhere.origin()], &registry.registry());
    let send = |url: String| client.send(with_credentials(&registry.registry(), Request::get(url))).unwrap();
    assert_eq!(send(registry.url("/v2/")).body, b"in");
    assert_eq!(send(registry.url("/v2/a/blobs/x")).body, b"storage");
    assert_eq!(send(elsewhere.url("/v2/")).body, b"storage");
    assert!(elsewhere.received().iter().all(|request| !request.headers.contains_key("authorization")));
}

#[test]
fn a_registry_cannot_send_the_password_elsewhere() {
    let thief = token_service();
    let registry = registry(&thief);
    let client = client_with_password(&[registry.origin()], &registry.registry());
    let request = with_credentials(&registry.registry(), Request::get(registry.url("/v2/app/tags/list")));
    let denied = client.send(request).unwrap_err();
    insta::assert_snapshot!(message(&denied, &[&registry, &thief]), @"`http://127.0.0.1:B`: no `http` grant names it; 127.0.0.1:A referred `seed` to this address inside your own network, which a hostile server could do to reach private services; grant it only if you know that it belongs to the server");
    assert!(thief.received().is_empty());

    let clear = Server::start(|_| Reply::challenge(r#"Bearer realm="http://tokens.example/t",service="s""#));
    let client =
        client_with_password(&[clear.origin(), "http://tokens.example".to_owned()], &clear.registry());
    let refused =
        client.send(with_credentials(&clear.registry(), Request::get(clear.url("/v2/")))).unwrap_err();
    insta::assert_snapshot!(message(&refused, &[&clear]), @"cannot authenticate to `127.0.0.1:A`: its token service http://tokens.example/t does not use https");
}

#[test]
fn credentials_that_were_not_granted_or_not_asked_for_are_not_used() {
    let registry = Server::start(|_| Reply::challenge("Basic realm=\"r\""));
    let own = client_with_password(&[registry.origin()], &registry.registry());
    let response = own.send(Request::get(registry.url("/v2/"))).unwrap();
    assert_eq!((response.status, response.header("www-authenticate")), (401, None));

    let request = with_credentials(&registry.registry(), Request::get(registry.url("/v2/")));
    let denied = client(&[registry.origin()]).send(request).unwrap_err();
    insta::assert_snapshot!(message(&denied, &[&registry]), @r#"the credentials of `127.0.0.1:A`: no `credentials` grant names them; to allow it, write grants = { credentials = ["127.0.0.1:A"] }"#);
    assert!(registry.received().iter().all(|request| !request.headers.contains_key("authorization")));
}

/// A store that cannot be read.
#[derive(Debug)]
struct Broken;

impl CredentialStore for Broken {
    fn get(&self, _: &str) -> Result<Option<Credential>, CredentialError> {
        Err(CredentialError::File { file: "config.json".to_owned(), reason: "is not readable".to_owned() })
    }
}

#[test]
fn what_goes_wrong_when_authenticating_says_what_to_do() {
    let tokens = Server::start(|request| match request.target.as_str() {
        path if path.starts_with("/403") => Reply::status(403),
        path if path.starts_with("/empty") => Reply::ok("{}"),
        path if path.starts_with("/huge") => Reply::ok(vec![b' '; 300 << 10]),
        _ => Reply::ok(r#"{"token": "useless"}"#),
    });
    let service = tokens.clone();
    let registry = Server::start(move |request| match request.target.as_str() {
        "/basic" => Reply::challenge("Basic realm=\"r\""),
        "/none" => Reply::challenge("Negotiate"),
        path => Reply::challenge(format!("Bearer realm=\"{}\"", service.url(path))),
    });
    let origins = [registry.origin(), tokens.origin()];
    let password = client_with_password(&origins, &registry.registry());
    let mut anonymous = options(&origins);
    anonymous.grants.credentials.insert(registry.registry());
    let mut broken = anonymous.clone();
    broken.credential_store = Arc::new(Broken);
    let (anonymous, broken) = (Client::new(anonymous), Client::new(broken));
    let error = |client: &Client, path: &str| {
        let request = with_credentials(&registry.registry(), Request::get(registry.url(path)));
        message(&client.send(request).unwrap_err(), &[&registry, &tokens])
    };
    insta::assert_snapshot!(error(&anonymous, "/basic"), @"cannot authenticate to `127.0.0.1:A`: it requires a password, but none is stored; run `docker login 127.0.0.1:A`");
    insta::assert_snapshot!(error(&password, "/basic"), @"cannot authenticate to `127.0.0.1:A`: it rejected its own token or the stored credential for http://127.0.0.1:A/basic; run `docker login 127.0.0.1:A`");
    insta::assert_snapshot!(error(&broken, "/basic"), @"cannot authenticate to `127.0.0.1:A`: config.json: is not readable");
    insta::assert_snapshot!(error(&password, "/none"), @"cannot authenticate to `127.0.0.1:A`: it answered 401 without a Basic or Bearer challenge");
    insta::assert_snapshot!(error(&password, "/403"), @"cannot authenticate to `127.0.0.1:A`: the token service http://127.0.0.1:B/403 answered 403; it rejected the stored credential");
    insta::assert_snapshot!(error(&anonymous, "/403"), @"cannot authenticate to `127.0.0.1:A`: the token service http://127.0.0.1:B/403 answered 403; no credential is stored, run `docker login 127.0.0.1:A`");
    insta::assert_snapshot!(error(&password, "/empty"), @"cannot authenticate to `127.0.0.1:A`: the token service http://127.0.0.1:B/empty returned no token");
    insta::assert_snapshot!(error(&password, "/huge"), @"the response from http://127.0.0.1:B/huge exceeds the limit of 262144 bytes");
    insta::assert_snapshot!(error(&password, "/useless"), @"cannot authenticate to `127.0.0.1:A`: it rejected its own token or the stored credential for http://127.0.0.1:A/useless; run `docker login 127.0.0.1:A`");
}

#[test]
fn a_refused_token_is_renewed_once() {
    let tokens = Server::start(|_| Reply::ok(r#"{"token": "t", "expires_in": 300}"#));
    let service = tokens.clone();
    let seen = std::sync::atomic::AtomicUsize::new(0);
    let registry = Server::start(move |_| match seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        // Challenge, accept; then the token is no longer good: challenge, accept.
        0 | 2 => Reply::challenge(format!("Bearer realm=\"{}\"", service.url("/"))),
        _ => Reply::ok("in"),
    });
    let client = client_with_password(&[registry.origin(), tokens.origin()], &registry.registry());
    for _ in 0..2 {
        let request = Request { body: Body::Bytes(b"x".to_vec()), ..Request::get(registry.url("/v2/")) };
        assert_eq!(client.send(with_credentials(&registry.registry(), request)).unwrap().body, b"in");
    }
    assert_eq!((registry.received().len(), tokens.received().len()), (4, 2));
}
