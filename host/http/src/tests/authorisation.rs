//! What may be reached.

use std::sync::Arc;

use seed_tests::{Reply, Server};

use super::{PointsInside, client, message, options};
use crate::client::{Client, Options};
use crate::credentials::Secret;
use crate::error::Error;
use crate::grants::Grants;
use crate::message::{Request, SecretHeader};

#[test]
fn granted_origins_answer_and_others_are_not_contacted() {
    let granted = Server::start(|_| {
        let headers = [("X-Kind", "a"), ("set-cookie", "s=1")];
        Reply::Answer(200, headers.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec(), b"hi".to_vec())
    });
    let other = Server::start(|_| Reply::ok("never"));
    let client = client(&[granted.origin()]);
    let response = client.send(Request::get(granted.url("/x?y=1"))).unwrap();
    assert_eq!(
        (response.status, response.body.as_slice(), response.url),
        (200, &b"hi"[..], granted.url("/x?y=1"))
    );
    let names: Vec<&str> = response.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["connection", "content-length", "x-kind"]);
    let agent = &granted.received()[0].headers["user-agent"];
    assert_eq!(agent, concat!("seed/", env!("CARGO_PKG_VERSION")));

    let denied = client.send(Request::get(other.url("/secret?token=1"))).unwrap_err();
    insta::assert_snapshot!(message(&denied, &[&granted, &other]), @r#"`http://127.0.0.1:B`: no `http` grant names it; to allow it, write grants = { http = ["http://127.0.0.1:A", "http://127.0.0.1:B"] }"#);
    assert!(other.received().is_empty());
}

#[test]
fn redirects_are_followed_to_granted_origins_only() {
    let target = Server::start(|_| Reply::ok("there"));
    let location = target.url("/there");
    let start = Server::start(move |_| Reply::redirect(location.clone()));
    let both = client(&[start.origin(), target.origin()]);
    let response = both.send(Request::get(start.url("/"))).unwrap();
    assert_eq!((response.url, response.body), (target.url("/there"), b"there".to_vec()));

    let denied = client(&[start.origin()]).send(Request::get(start.url("/"))).unwrap_err();
    insta::assert_snapshot!(message(&denied, &[&start, &target]), @"`http://127.0.0.1:B`: no `http` grant names it; http://127.0.0.1:A referred `seed` to this address inside your own network, which a hostile server could do to reach private services; grant it only if you know that it belongs to the server");
    assert_eq!(target.received().len(), 1);

    let post = Request { method: "POST".to_owned(), ..Request::get(start.url("/")) };
    let response = both.send(post).unwrap();
    assert_eq!((response.status, response.header("location")), (307, Some(target.url("/there").as_str())));

    // Whoever follows such an answer is told who named the place.
    let only_start = client(&[start.origin()]);
    only_start.send(Request { method: "POST".to_owned(), ..Request::get(start.url("/")) }).unwrap();
    let denied = only_start.send(Request::get(target.url("/there"))).unwrap_err();
    assert!(
        message(&denied, &[&start, &target]).contains("http://127.0.0.1:A referred `seed` to this address"),
        "{denied}"
    );
}

#[test]
fn a_redirect_cannot_leave_http_or_go_round_for_ever() {
    let server = Server::start(|request| match request.target.as_str() {
        "/file" => Reply::redirect("file:///etc/passwd"),
        "/user" => Reply::redirect("http://me:pw@127.0.0.1/"),
        _ => Reply::redirect("/again"),
    });
    let client = client(&[server.origin()]);
    let error = |path: &str| message(&client.send(Request::get(server.url(path))).unwrap_err(), &[&server]);
    insta::assert_snapshot!(error("/file"), @"invalid request to `file:/etc/passwd`: the scheme must be `https` or `http`");
    insta::assert_snapshot!(error("/user"), @"invalid request to `http://127.0.0.1/`: the URL contains a user name or password");
    let response = client.send(Request::get(server.url("/loop"))).unwrap();
    assert_eq!((response.status, response.header("location")), (307, Some("/again")));
    assert_eq!(server.received().len(), 1 + 1 + 11);
}

#[test]
fn secret_headers_stay_with_the_origin_they_were_made_for() {
    let target = Server::start(|_| Reply::ok(""));
    let location = target.url("/");
    let start = Server::start(move |request| match request.target.as_str() {
        "/away" => Reply::redirect(location.clone()),
        "/near" => Reply::redirect("/here"),
        _ => Reply::ok(""),
    });
    let mut options = options(&[start.origin(), target.origin()]);
    options.grants.secrets.insert("token".to_owned(), Secret::new("hunter2"));
    let client = Client::new(options);
    let send = |path: &str| {
        let header = SecretHeader {
            name: "authorization".to_owned(),
            prefix: "Bearer ".to_owned(),
            secret: "token".to_owned(),
        };
        client.send(Request { secret_headers: vec![header], ..Request::get(start.url(path)) }).unwrap()
    };
    send("/near");
    send("/away");
    assert!(start.received().iter().all(|request| request.headers["authorization"] == "Bearer hunter2"));
    assert!(!target.received()[0].headers.contains_key("authorization"));
}

#[test]
fn a_granted_name_that_resolves_to_this_machine_is_refused() {
    let server = Server::start(|_| Reply::ok("inside"));
    let origin = format!("http://rebinding.example:{}", server.port());
    let client = Client::with_lookup(options(std::slice::from_ref(&origin)), Arc::new(PointsInside));
    let denied = client.send(Request::get(format!("{origin}/"))).unwrap_err();
    insta::assert_snapshot!(message(&denied, &[&server]), @r#"`rebinding.example` at 127.0.0.1: the address is private, and no `http` grant names it; if `rebinding.example` has this address in your own network, write grants = { http = ["http://rebinding.example:A", "http://127.0.0.1:A"] }"#);
    assert!(server.received().is_empty());

    let with_address = options(&[origin.clone(), server.origin()]);
    let client = Client::with_lookup(with_address, Arc::new(PointsInside));
    assert_eq!(client.send(Request::get(format!("{origin}/"))).unwrap().body, b"inside");
}

#[test]
fn localhost_is_reached_by_its_name_when_it_is_granted() {
    let server = Server::start(|_| Reply::ok("here"));
    let origin = format!("http://localhost:{}", server.port());
    assert_eq!(
        client(std::slice::from_ref(&origin)).send(Request::get(format!("{origin}/"))).unwrap().body,
        b"here"
    );
    let denied = client(&[origin]).send(Request::get(server.url("/"))).unwrap_err();
    assert!(matches!(denied, Error::Denied { .. }), "{denied}");
}

#[test]
fn the_host_reads_from_this_machine_and_not_from_the_private_network() {
    let server = Server::start(|request| match request.target.as_str() {
        "/inside" => Reply::redirect("http://169.254.169.254/latest/meta-data"),
        "/tls" => Reply::redirect("https://10.0.0.1/"),
        _ => Reply::ok("here"),
    });
    let grants = Grants::for_reading(&server.registry()).unwrap();
    let client = Client::new(Options { grants, ..options(&[]) });
    assert_eq!(client.send(Request::get(server.url("/"))).unwrap().body, b"here");
    for path in ["/inside", "/tls"] {
        let denied = client.send(Request::get(server.url(path))).unwrap_err();
        assert!(matches!(denied, Error::Denied { .. }), "{denied}");
    }
}
