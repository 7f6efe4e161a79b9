//! What depends on the environment of the process, and so needs one of its own: trusted certificates, proxies.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use seed_tests::{Authority, Gate, Identity, Reply, Server, Validity};

use super::{PointsInside, options_with, password, with_credentials};
use crate::client::Client;
use crate::message::Request;

const URLS: &str = "SEED_TEST_URLS";
const REGISTRY: &str = "SEED_TEST_REGISTRY";

/// Sends a `GET` to each URL, with one client that is granted all of them, and says what came of it. Every name is this
/// machine.
#[test]
#[ignore = "not a test: the others run it in a process of its own"]
#[allow(clippy::print_stdout, reason = "its output is what the parent reads")]
fn send_in_child() {
    let urls = std::env::var(URLS).unwrap();
    let registry = std::env::var(REGISTRY).unwrap();
    let mut origins = Vec::new();
    for url in urls.lines() {
        let url: url::Url = url.parse().unwrap();
        origins.push(url.origin().ascii_serialization());
        origins.push(format!("{}://127.0.0.1:{}", url.scheme(), url.port().unwrap()));
    }
    let options = options_with(&origins, &registry, Some(password()));
    let client = Client::with_lookup(options, Arc::new(PointsInside));
    for url in urls.lines() {
        match client.send(with_credentials(&registry, Request::get(url))) {
            Ok(response) => println!("\n> {}", String::from_utf8(response.body).unwrap()),
            Err(error) => println!("\n> {error}"),
        }
    }
}

/// What a process with these variables gets from `urls` with the credentials of `registry`.
fn send(variables: &[(&str, &str)], registry: &str, urls: &[String]) -> Vec<String> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::child::send_in_child", "--ignored", "--nocapture"])
        .env(URLS, urls.join("\n"))
        .env(REGISTRY, registry)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("> ")).map(str::to_owned).collect();
    assert_eq!(answers.len(), urls.len(), "{text}");
    answers
}

/// The variables of a process that trusts `authority` and nobody else.
fn trusting(authority: &Authority, directory: &Path) -> [(&'static str, String); 2] {
    let file = directory.join("authority.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    [("SSL_CERT_FILE", file.to_str().unwrap().to_owned()), ("SSL_CERT_DIR", "/nonexistent".to_owned())]
}

/// A server that says how it was reached.
fn server(identity: Identity) -> Server {
    Server::start_tls(identity, |request| Reply::ok(if request.tls { "over TLS" } else { "in the clear" }))
}

#[test]
fn only_a_valid_certificate_of_a_trusted_authority_is_accepted() {
    let (authority, other, impostor) = (Authority::new(), Authority::named("another"), Authority::new());
    let directory = tempfile::tempdir().unwrap();
    let variables = trusting(&authority, directory.path());
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let name = "registry.example";
    // Who is asked for, what it shows, and a part of the answer.
    let cases = [
        (name, authority.identity(name, Validity::Now), "over TLS"),
        ("127.0.0.1", authority.identity("127.0.0.1", Validity::Now), "over TLS"),
        (name, Identity::self_signed(name), "UnknownIssuer"),
        (name, other.identity(name, Validity::Now), "UnknownIssuer"),
        (name, impostor.identity(name, Validity::Now), "BadSignature"),
        (name, authority.identity(name, Validity::Expired), "certificate expired"),
        (name, authority.identity(name, Validity::NotYet), "certificate not valid yet"),
        (name, authority.identity("other.example", Validity::Now), "certificate not valid for name"),
        (name, authority.identity("127.0.0.1", Validity::Now), "certificate not valid for name"),
        ("127.0.0.1", authority.identity(name, Validity::Now), "certificate not valid for name"),
    ];
    for (host, identity, expected) in cases {
        let server = server(identity);
        let url = format!("https://{host}:{}/", server.port());
        let answer = &send(&variables, "none.example", &[url])[0];
        assert!(answer.contains(expected), "{host}: {answer}, expected {expected}");
        let is_refused = expected != "over TLS";
        assert_eq!(server.received().is_empty(), is_refused);
        assert!(!is_refused || answer.contains("; trusted certificates are those of the system"), "{answer}");
    }
}

#[test]
fn proxies_are_not_used() {
    let proxy = Server::start(|_| Reply::ok("through a proxy"));
    let authority = Authority::new();
    let directory = tempfile::tempdir().unwrap();
    let server = server(authority.identity("registry.example", Validity::Now));
    let mut variables = trusting(&authority, directory.path()).to_vec();
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        variables.push((name, proxy.origin()));
    }
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let urls = ["http", "https"].map(|scheme| format!("{scheme}://registry.example:{}/", server.port()));
    assert_eq!(send(&variables, "none.example", &urls), ["in the clear", "over TLS"]);
    assert!(proxy.received().is_empty());
}

#[test]
fn what_was_learned_over_tls_is_not_sent_in_the_clear() {
    let authority = Authority::new();
    let directory = tempfile::tempdir().unwrap();
    let variables = trusting(&authority, directory.path());
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let server = Server::start_tls(authority.identity("registry.example", Validity::Now), |request| {
        Gate::Basic.refuse(request).unwrap_or_else(|| Reply::ok("in"))
    });
    let registry = format!("registry.example:{}", server.port());
    let urls = ["https", "https", "http"].map(|scheme| format!("{scheme}://{registry}/v2/app/tags/list"));
    let answers = send(&variables, &registry, &urls);
    assert_eq!(answers[..2], ["in", "in"]);
    assert!(answers[2].contains("credentials are sent only over https"), "{answers:?}");
    let sent: Vec<_> =
        server.received().iter().map(|r| (r.tls, r.header("authorization").is_some())).collect();
    assert_eq!(sent, [(true, false), (true, true), (true, true), (false, false)]);
}
