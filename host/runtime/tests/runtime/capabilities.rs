//! What a component gets that reaches for what it was not given, and what it gets that was.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use insta::assert_snapshot;
use seed_http::{Anonymous, Client, Grants, Options};
use seed_model::{Algorithm, Digest, PublicKey, Stage, StageError};
use seed_runtime::capabilities::{Capabilities, Keyring};
use seed_runtime::{Failure, Limits, Plugin};

use crate::guest::{DATA, Guest, words};
use crate::support::{load, nothing, refused, runtime, shown};

const HTTP: &str = "seed:pipeline/http@0.1.0";
const KEYRING: &str = "seed:pipeline/keyring@0.1.0";
const FILES: &str = "seed:pipeline/files@0.1.0";
const BLOBS: &str = "seed:pipeline/blobs@0.1.0";
const ARCHIVE: &str = "seed:pipeline/archive@0.1.0";

/// A publisher whose `targets` sends `GET url`. What the host answers becomes its own error: `error` and
/// `stage-error` have the same layout, and the case is set to `failed`. A response is given as its URL.
fn fetcher(url: &str) -> Vec<u8> {
    let (text, result) = (512, 4096);
    let at = u32::try_from(text).unwrap();
    let mut request = words(&[at, 3, at + 3, u32::try_from(url.len()).unwrap(), 0, 0, 0, 0]);
    request.resize(88, 0);
    let body = format!(
        "(call $send (i32.const {DATA}) (i32.const {result}))
        (if (i32.eqz (i32.load8_u (i32.const {result}))) (then
            (i32.store8 (i32.const {result}) (i32.const 1))
            (i32.store (i32.const {}) (i32.load (i32.const {})))
            (i32.store (i32.const {}) (i32.load (i32.const {})))))
        (i32.store8 (i32.const {}) (i32.const 5))
        (i32.const {result})",
        result + 8,
        result + 24,
        result + 12,
        result + 28,
        result + 4
    );
    Guest::new("publisher")
        .import(HTTP, "send", "send", "(param i32 i32)")
        .data(text, format!("GET{url}").as_bytes())
        .data(DATA, &request)
        .body("targets", &body)
        .build()
}

fn client(origins: &[&str]) -> Capabilities {
    let grants = Grants {
        origins: origins.iter().map(|origin| origin.parse().unwrap()).collect(),
        ..Grants::default()
    };
    let client = Client::new(Options {
        grants,
        credential_store: Arc::new(Anonymous),
        blobs: None,
        progress: None,
        limits: seed_http::HttpLimits::default(),
        time: None,
    });
    Capabilities { http: Some(Arc::new(client)), ..nothing() }
}

fn answer(url: &str, capabilities: &Capabilities) -> String {
    let plugin = load(&fetcher(url), Stage::Publish);
    let error = plugin.targets(capabilities, "{}", "test").unwrap_err();
    let Failure::Stage(StageError::Failed(text)) = error.failure else { return error.to_string() };
    text
}

/// A server that gives this answer to each request.
fn server(answer: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    port
}

#[test]
fn http_without_any_grant() {
    assert_snapshot!(answer("https://ghcr.io/v2/", &nothing()));
}

#[test]
fn an_origin_that_is_not_granted() {
    assert_snapshot!(answer("https://evil.example/", &client(&["https://ghcr.io"])));
}

#[test]
fn a_private_address_that_is_not_granted() {
    assert_snapshot!(answer("http://127.0.0.1:1/", &client(&["https://ghcr.io"])));
}

#[test]
fn a_granted_origin_answers() {
    let port = server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi".to_owned());
    let origin = format!("http://127.0.0.1:{port}");
    assert_eq!(answer(&format!("{origin}/here"), &client(&[&origin])), format!("{origin}/here"));
}

#[test]
fn a_redirect_to_an_origin_that_is_not_granted() {
    let secret = server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned());
    let location = format!("http://127.0.0.1:{secret}/");
    let port = server(format!(
        "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    ));
    let origin = format!("http://127.0.0.1:{port}");
    let text = answer(&origin, &client(&[&origin]));
    assert_snapshot!(text.replace(&port.to_string(), "PORT").replace(&secret.to_string(), "OTHER"));
}

#[test]
fn too_many_requests() {
    let flood =
        format!("(loop $again (call $send (i32.const {DATA}) (i32.const 4096)) (br $again)) unreachable");
    let mut request = words(&[512, 3, 515, 1, 0, 0, 0, 0]);
    request.resize(88, 0);
    let component = Guest::new("publisher")
        .import(HTTP, "send", "send", "(param i32 i32)")
        .data(512, b"GET/")
        .data(DATA, &request)
        .body("targets", &flood)
        .build();
    let plugin =
        runtime(Limits { http_requests: 5, ..Limits::default() }).load(&component, Stage::Publish).unwrap();
    assert_snapshot!(shown(&plugin.targets(&nothing(), "{}", "test").unwrap_err()));
}

/// A signer whose `describe-key` asks the keyring for the same name.
fn key_describer() -> Plugin {
    let body = "(call $get (local.get 2) (local.get 3) (i32.const 4096)) (i32.const 4096)";
    let component = Guest::new("signer")
        .import(KEYRING, "get", "get", "(param i32 i32 i32)")
        .body("describe-key", body)
        .build();
    load(&component, Stage::Sign)
}

#[derive(Debug)]
struct OneKey;

impl Keyring for OneKey {
    fn get(&self, name: &str) -> Result<PublicKey, StageError> {
        Ok(PublicKey { name: name.to_owned(), algorithm: Algorithm::Ed25519, spki: vec![1, 2, 3] })
    }

    fn sign(&self, _name: &str, _payload: &[u8]) -> Result<Vec<u8>, StageError> {
        Err(StageError::Failed("this key does not sign".to_owned()))
    }
}

#[test]
fn a_key_that_is_not_granted_and_one_that_is() {
    let plugin = key_describer();
    let error = plugin.describe_key(&nothing(), "{}", "release").unwrap_err();
    assert_snapshot!(shown(&error));
    let granted = Capabilities { keyring: Some(Arc::new(OneKey)), ..nothing() };
    let key = plugin.describe_key(&granted, "{}", "release").unwrap();
    assert_eq!(
        key,
        PublicKey { name: "release".to_owned(), algorithm: Algorithm::Ed25519, spki: vec![1, 2, 3] }
    );
}

#[test]
fn a_path_that_is_not_granted() {
    // `result<written, stage-error>` is aligned to 8 bytes, `result<list<string>, stage-error>` to 4: the error moves.
    let body = format!(
        "(call $write (i32.const {DATA}) (i32.const 11) (i32.const 0) (i32.const 0) (i32.const 4096))
        (memory.copy (i32.const 4100) (i32.const 4104) (i32.const 12))
        (i32.const 4096)"
    );
    let component = Guest::new("publisher")
        .import(FILES, "write-tar", "write", "(param i32 i32 i32 i32 i32)")
        .data(DATA, b"/etc/passwd")
        .body("targets", &body)
        .build();
    let plugin = load(&component, Stage::Publish);
    assert_snapshot!(shown(&plugin.targets(&nothing(), "{}", "test").unwrap_err()));
}

#[test]
fn describe_has_no_capabilities() {
    let blobs = Guest::new("packer")
        .import(BLOBS, "put", "put", "(param i32 i32 i32)")
        .data(DATA, b"x")
        .body(
            "describe",
            &format!(
                "(call $put (i32.const {DATA}) (i32.const 1) (i32.const 4096))
                (if (i32.ne (i32.load8_u (i32.const 4096)) (i32.const 1)) (then (unreachable)))
                (i32.const 16)"
            ),
        )
        .build();
    assert_eq!(load(&blobs, Stage::Pack).description().name, "hostile");
    let reader = Guest::new("packer")
        .import(ARCHIVE, "[constructor]layer-reader", "open", "(param i32) (result i32)")
        .body("describe", "(call $open (i32.const 0))")
        .build();
    assert_snapshot!(refused(&reader, Stage::Pack, Limits::default()));
}

#[test]
fn a_result_that_does_not_obey_the_contract_names_the_field() {
    // `ok` with one place whose digest is empty.
    let place = [words(&[512, 4, 512, 0, 0, 0, 0, 0, 0, 0, 0, 0]), vec![0; 16]].concat();
    let component = Guest::new("publisher")
        .data(512, b"here")
        .data(2048, &place)
        .data(DATA, &words(&[0, 2048, 1]))
        .body("publish", &format!("(i32.const {DATA})"))
        .build();
    let plugin = load(&component, Stage::Publish);
    let error = plugin.publish(&nothing(), &crate::support::publication()).unwrap_err();
    assert_snapshot!(shown(&error));
}

#[test]
fn an_error_of_the_contract_is_passed_on_fit_for_a_terminal() {
    let text = b"the registry said \x1b[31mno\x07";
    let length = u32::try_from(text.len()).unwrap();
    let component = Guest::new("publisher")
        .data(512, text)
        .data(DATA, &words(&[1, 3, 512, length]))
        .body("targets", &format!("(i32.const {DATA})"))
        .build();
    let plugin = load(&component, Stage::Publish);
    let error = plugin.targets(&nothing(), "{}", "test").unwrap_err();
    assert_eq!(error.plugin.digest, Digest::of(&component));
    assert_snapshot!(shown(&error));
}
