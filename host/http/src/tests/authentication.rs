//! Challenges and credentials.

use std::sync::Arc;

use seed_tests::{
    Gate, IDENTITY_TOKEN, PASSWORD, Received, Reply, Server, USER, answer_token_request, token_service,
};

use super::{
    OneBlob, PointsInside, blob_body, client, client_with, client_with_password, message, options,
    options_with, password, with_credentials,
};
use crate::client::Client;
use crate::credentials::{Credential, CredentialError, CredentialStore, Secret};
use crate::error::Error;
use crate::message::{Body, Request, SecretHeader};

/// base64 of `me:hunter2`.
const BASIC: &str = "Basic bWU6aHVudGVyMg==";

/// A registry that answers whoever it lets in with what they sent.
fn behind(gate: Gate) -> Server {
    Server::start(move |request| gate.refuse(request).unwrap_or_else(|| Reply::ok(request.body.clone())))
}

/// A registry that wants a token of `service` for everything.
fn registry(service: &Server) -> Server {
    behind(Gate::Bearer { realm: service.url("/token?kept=1") })
}

/// Asks for the tags of `repository`.
fn tags(client: &Client, registry: &Server, repository: &str) -> Result<u16, Error> {
    let request = Request::get(registry.url(&format!("/v2/{repository}/tags/list")));
    client.send(with_credentials(&registry.registry(), request)).map(|response| response.status)
}

fn wrong_password() -> Credential {
    Credential::Password { username: USER.to_owned(), password: Secret::new("*******") }
}

fn identity_token(token: &str) -> Credential {
    Credential::IdentityToken(Secret::new(token))
}

/// What a server was sent to say who asks.
fn authorizations(server: &Server) -> Vec<Option<String>> {
    server.received().iter().map(|request| request.header("authorization").map(str::to_owned)).collect()
}

#[test]
fn only_who_knows_the_password_gets_in() {
    let tokens = token_service();
    let (basic, bearer) = (behind(Gate::Basic), registry(&tokens));
    let outcome = |registry: &Server, credential: Option<Credential>, repository: &str| {
        let origins = [registry.origin(), tokens.origin()];
        let client = client_with(&origins, &registry.registry(), credential);
        match tags(&client, registry, repository) {
            Ok(status) => status.to_string(),
            Err(error) => message(&error, &[registry, &tokens]),
        }
    };
    let cases = [
        ("basic, the password", outcome(&basic, Some(password()), "app")),
        ("basic, another password", outcome(&basic, Some(wrong_password()), "app")),
        ("basic, no password", outcome(&basic, None, "app")),
        ("basic, an identity token", outcome(&basic, Some(identity_token(IDENTITY_TOKEN)), "app")),
        ("bearer, the password", outcome(&bearer, Some(password()), "app")),
        ("bearer, another password", outcome(&bearer, Some(wrong_password()), "app")),
        ("bearer, no password", outcome(&bearer, None, "app")),
        ("bearer, no password, public", outcome(&bearer, None, "public/app")),
        ("bearer, the identity token", outcome(&bearer, Some(identity_token(IDENTITY_TOKEN)), "app")),
        ("bearer, another identity token", outcome(&bearer, Some(identity_token("other")), "app")),
    ];
    let shown: Vec<_> = cases.iter().map(|(name, outcome)| format!("{name}: {outcome}")).collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    basic, the password: 200
    basic, another password: cannot authenticate to `127.0.0.1:A`: it rejected its own token or the stored credential for http://127.0.0.1:A/v2/app/tags/list; run `docker login 127.0.0.1:A`
    basic, no password: cannot authenticate to `127.0.0.1:A`: it requires a password, but none is stored; run `docker login 127.0.0.1:A`
    basic, an identity token: cannot authenticate to `127.0.0.1:A`: it requires a password, but the stored credential is an identity token
    bearer, the password: 200
    bearer, another password: cannot authenticate to `127.0.0.1:A`: the token service http://127.0.0.1:B/token answered 401; it rejected the stored credential
    bearer, no password: cannot authenticate to `127.0.0.1:A`: it rejected its own token or the stored credential for http://127.0.0.1:A/v2/app/tags/list; run `docker login 127.0.0.1:A`
    bearer, no password, public: 200
    bearer, the identity token: 200
    bearer, another identity token: cannot authenticate to `127.0.0.1:A`: the token service http://127.0.0.1:B/token answered 401; it rejected the stored credential
    ");
}

#[test]
fn a_token_is_sent_for_its_own_repository_and_actions_only() {
    let tokens = token_service();
    let registry = registry(&tokens);
    let client = client_with_password(&[registry.origin(), tokens.origin()], &registry.registry());
    for repository in ["app", "app", "other"] {
        assert_eq!(tags(&client, &registry, repository).unwrap(), 200);
    }
    let push = Request { method: "PUT".to_owned(), ..Request::get(registry.url("/v2/app/manifests/v1")) };
    assert_eq!(client.send(with_credentials(&registry.registry(), push)).unwrap().status, 200);
    let scopes: Vec<String> =
        tokens.received().iter().map(|r| r.target.split("scope=").nth(1).unwrap().to_owned()).collect();
    assert_eq!(
        scopes,
        ["repository%3Aapp%3Apull", "repository%3Aother%3Apull", "repository%3Aapp%3Apull%2Cpush"]
    );
    // Where no token is known, none is sent: not one for another repository.
    let sent = authorizations(&registry);
    assert_eq!(
        sent.iter().map(Option::is_some).collect::<Vec<_>>(),
        [false, true, true, false, true, false, true]
    );
    assert_eq!(sent[1], sent[2]);
}

#[test]
fn credentials_do_not_travel_in_the_clear_to_another_machine() {
    let tokens = token_service();
    let realm = tokens.url("/token");
    for gate in [Gate::Basic, Gate::Bearer { realm }] {
        let server = behind(gate);
        let name = format!("registry.example:{}", server.port());
        let origins = [format!("http://{name}"), server.origin(), tokens.origin()];
        let options = options_with(&origins, &name, Some(password()));
        let client = Client::with_lookup(options, Arc::new(PointsInside));
        let request = Request::get(format!("http://{name}/v2/app/tags/list"));
        let refused = client.send(with_credentials(&name, request)).unwrap_err();
        insta::allow_duplicates! {
            insta::assert_snapshot!(message(&refused, &[&server]), @"cannot authenticate to `registry.example:A`: credentials are sent only over https or to this machine");
        }
        assert_eq!(authorizations(&server), [None]);
    }
    assert!(tokens.received().is_empty());
}

#[test]
fn what_is_printed_for_debugging_shows_no_secret() {
    let tokens = token_service();
    let (basic, bearer) = (behind(Gate::Basic), registry(&tokens));
    for (server, credential) in
        [(&basic, password()), (&bearer, password()), (&bearer, identity_token(IDENTITY_TOKEN))]
    {
        let mut options =
            options_with(&[server.origin(), tokens.origin()], &server.registry(), Some(credential));
        options.grants.secrets.insert("token".to_owned(), Secret::new("deep-secret"));
        let printed_before = format!("{options:?}");
        let client = Client::new(options);
        let header =
            SecretHeader { name: "x-token".to_owned(), prefix: String::new(), secret: "token".to_owned() };
        let request =
            Request { secret_headers: vec![header], ..Request::get(server.url("/v2/app/tags/list")) };
        let response = client.send(with_credentials(&server.registry(), request)).unwrap();
        let sent = server.received().last().unwrap().clone();
        assert_eq!(sent.header("x-token"), Some("deep-secret"));
        let (_, authorization) = sent.header("authorization").unwrap().split_once(' ').unwrap();
        let printed = format!("{printed_before} {client:?} {response:?}");
        for secret in [PASSWORD, IDENTITY_TOKEN, "deep-secret", authorization] {
            assert!(!printed.contains(secret), "{secret} is in {printed}");
        }
    }
}

#[test]
fn a_bearer_challenge_is_answered_and_the_body_is_sent_again() {
    let (tokens, content) = (token_service(), vec![42; 3 << 20]);
    let registry = registry(&tokens);
    let origins = [registry.origin(), tokens.origin()];
    let mut options = options_with(&origins, &registry.registry(), Some(password()));
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
    assert_eq!(
        tokens.received()[0].target,
        "/token?kept=1&service=registry+of+the+test&scope=repository%3Aapp%3Apull%2Cpush"
    );
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
    let client = client_with(&[registry.origin(), tokens.origin()], &registry.registry(), None);
    assert_eq!(tags(&client, &registry, "public/app").unwrap(), 200);
    assert_eq!(authorizations(&tokens), [None]);
}

#[test]
fn an_identity_token_is_refreshed_with_a_form() {
    let tokens = Server::start(|request: &Received| match std::str::from_utf8(&request.body).unwrap() {
        "grant_type=refresh_token&client_id=seed&service=registry+of+the+test&scope=repository%3Aapp%3Apull&refresh_token=refresh-me" => {
            answer_token_request(request)
        }
        _ => Reply::status(400),
    });
    let registry = registry(&tokens);
    let origins = [registry.origin(), tokens.origin()];
    let client = client_with(&origins, &registry.registry(), Some(identity_token(IDENTITY_TOKEN)));
    assert_eq!(tags(&client, &registry, "app").unwrap(), 200);
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
    let denied = tags(&client, &registry, "app").unwrap_err();
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

/// The answer of a token service, of this many bytes.
fn padded(size: usize) -> String {
    let answer = r#"{"token": "useless"}"#;
    answer.to_owned() + &" ".repeat(size - answer.len())
}

#[test]
fn what_goes_wrong_when_authenticating_says_what_to_do() {
    let tokens = Server::start(|request| match request.target.as_str() {
        path if path.starts_with("/403") => Reply::status(403),
        path if path.starts_with("/empty") => Reply::ok("{}"),
        path if path.starts_with("/huge") => Reply::ok(padded((256 << 10) + 1)),
        path if path.starts_with("/large") => Reply::ok(padded(256 << 10)),
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
    // The largest answer that is read.
    insta::assert_snapshot!(error(&password, "/large"), @"cannot authenticate to `127.0.0.1:A`: it rejected its own token or the stored credential for http://127.0.0.1:A/large; run `docker login 127.0.0.1:A`");
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
