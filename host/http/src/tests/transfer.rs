//! Bodies, sizes, time, repetition.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use seed_tests::{Reply, Server};

use super::{OneBlob, Recorded, blob_body, client, message, options};
use crate::client::{Client, DownloadError};
use crate::error::Error;
use crate::limits::HttpLimits;
use crate::message::{Body, Request};
use crate::time_budget::TimeBudget;

fn put(url: String, body: Body) -> Request {
    Request { method: "PUT".to_owned(), body, ..Request::get(url) }
}

#[test]
fn a_blob_is_streamed_with_its_length_and_progress() {
    let content: Vec<u8> = (0..600_000_u32).flat_map(u32::to_le_bytes).collect();
    let server = Server::start(|_| Reply::status(201));
    let progress = Arc::new(Recorded::default());
    let mut options = options(&[server.origin()]);
    options.blobs = Some(Arc::new(OneBlob(content.clone())));
    options.progress = Some(Arc::clone(&progress) as Arc<dyn crate::progress::Progress>);
    let client = Client::new(options);
    let request = put(server.url("/"), blob_body(&content, 10, 2_000_000));
    let response = client.send(Request { progress: Some("layer".to_owned()), ..request }).unwrap();
    assert_eq!(response.status, 201);
    assert!(server.received()[0].body == content[10..2_000_010]);
    let told = progress.0.lock().unwrap();
    assert_eq!((told[0].as_str(), told.last().unwrap().as_str()), ("layer of 2000000", "7 ended"));
    let sent: u64 =
        told.iter().filter_map(|line| line.strip_prefix("7 +")).map(|n| n.parse::<u64>().unwrap()).sum();
    assert_eq!(sent, 2_000_000);
}

#[test]
fn a_blob_that_cannot_be_read_is_not_sent() {
    let server = Server::start(|_| Reply::status(201));
    let client = Client::new(crate::client::Options {
        blobs: Some(Arc::new(OneBlob(b"blob".to_vec()))),
        ..options(&[server.origin()])
    });
    let error = |body| message(&client.send(put(server.url("/"), body)).unwrap_err(), &[&server]);
    insta::assert_snapshot!(error(blob_body(b"other", 0, 5)), @"invalid request to `http://127.0.0.1:A/`: cannot send the blob sha256:d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa: it is not part of this run");
    insta::assert_snapshot!(error(blob_body(b"blob", 0, 5)), @"PUT http://127.0.0.1:A/ failed: error from user's Body stream: request or response body error: the blob ended 1 bytes early");
    let without = super::client(&[server.origin()]);
    insta::assert_snapshot!(message(&without.send(put(server.url("/"), blob_body(b"blob", 0, 4))).unwrap_err(), &[&server]), @"invalid request to `http://127.0.0.1:A/`: no blobs are available here");
    assert!(server.received().is_empty());
}

#[test]
fn a_response_over_the_limit_is_refused() {
    let server = Server::start(|_| Reply::ok(vec![0; 2000]));
    let mut options = options(&[server.origin()]);
    options.limits.max_response = 1999;
    let error = Client::new(options.clone()).send(Request::get(server.url("/"))).unwrap_err();
    insta::assert_snapshot!(message(&error, &[&server]), @"the response from http://127.0.0.1:A/ exceeds the limit of 1999 bytes");
    options.limits.max_response = 2000;
    options.limits.max_batch_response = 5000;
    options.limits.max_batch = 3;
    let client = Client::new(options);
    let all = |count: usize| client.send_all(vec![Request::get(server.url("/")); count]);
    assert_eq!(all(2).iter().filter(|answer| answer.is_ok()).count(), 2);
    let three = all(3);
    assert_eq!(three.iter().filter(|answer| matches!(answer, Err(Error::TooLarge { .. }))).count(), 1);
    insta::assert_snapshot!(all(4)[3].as_ref().unwrap_err(), @"invalid request to `a list of requests`: a call can send at most 3 requests");
}

#[test]
fn a_get_is_repeated_after_resets_and_server_errors() {
    let failures =
        [Reply::Close, Reply::Truncated(100, b"part".to_vec()), Reply::status(503), Reply::status(429)];
    for failure in failures {
        let failure = std::sync::Mutex::new(Some(failure));
        let server =
            Server::start(move |_| failure.lock().unwrap().take().unwrap_or_else(|| Reply::ok("whole")));
        assert_eq!(client(&[server.origin()]).send(Request::get(server.url("/"))).unwrap().body, b"whole");
        assert_eq!(server.received().len(), 2);
    }
}

#[test]
fn repetition_ends_and_uploads_are_not_repeated() {
    let server =
        Server::start(|request| if request.target == "/503" { Reply::status(503) } else { Reply::Close });
    let client = client(&[server.origin()]);
    assert_eq!(client.send(Request::get(server.url("/503"))).unwrap().status, 503);
    assert_eq!(server.received().len(), 3);
    let error = client.send(Request::get(server.url("/"))).unwrap_err();
    assert!(matches!(error, Error::Connection { .. }) && error.is_transient(), "{error}");
    assert_eq!(server.received().len(), 6);
    for path in ["/503", "/"] {
        let _ = client.send(put(server.url(path), Body::Bytes(b"x".to_vec())));
    }
    assert_eq!(server.received().len(), 8);
}

#[test]
fn retry_after_is_honoured_up_to_a_bound() {
    let after = |seconds: &str| {
        let seconds = seconds.to_owned();
        let count = AtomicUsize::new(0);
        Server::start(move |_| match count.fetch_add(1, Ordering::Relaxed) {
            0 => Reply::with_header(429, "retry-after", seconds.clone()),
            _ => Reply::ok("later"),
        })
    };
    let (soon, never) = (after("1"), after("3600"));
    let start = Instant::now();
    assert_eq!(client(&[soon.origin()]).send(Request::get(soon.url("/"))).unwrap().status, 200);
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(client(&[never.origin()]).send(Request::get(never.url("/"))).unwrap().status, 429);
}

#[test]
fn silence_and_dripping_end_in_a_time_out() {
    let server = Server::start(|request| match request.target.as_str() {
        "/drip" => Reply::Drip(0, 1, Duration::from_millis(50)),
        _ => Reply::Silence,
    });
    let mut options = options(&[server.origin()]);
    options.limits.max_response = 1 << 62;
    options.limits.idle = Duration::from_secs(1);
    options.limits.total = Duration::from_secs(3);
    let client = Client::new(options);
    let start = Instant::now();
    let error = |path: &str| message(&client.send(Request::get(server.url(path))).unwrap_err(), &[&server]);
    insta::assert_snapshot!(error("/silence"), @"GET http://127.0.0.1:A/silence timed out: no data was sent or received within 1s");
    insta::assert_snapshot!(error("/drip"), @"GET http://127.0.0.1:A/drip timed out: the transfer did not reach 32 KiB/s within 3s");
    assert!(start.elapsed() < Duration::from_secs(10));
}

/// Writes to nowhere, and counts.
#[derive(Default)]
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Downloads what `reply` drips, with a second to spare; gives the error, the bytes that came, and how long that took.
fn dripped(reply: fn() -> Reply) -> (Error, u64, Duration) {
    let server = Server::start(move |_| reply());
    let mut options = options(&[server.origin()]);
    options.limits = HttpLimits { total: Duration::from_secs(1), retry_waits: Vec::new(), ..options.limits };
    let (start, mut out) = (Instant::now(), Counted::default());
    let failed = Client::new(options).download(Request::get(server.url("/")), &mut out, 1 << 62).unwrap_err();
    let DownloadError::Request(error) = failed else { unreachable!("{failed}") };
    (error, out.0, start.elapsed())
}

#[test]
fn a_size_that_the_server_states_buys_it_no_time() {
    let (error, came, took) = dripped(|| Reply::Drip(0, 1, Duration::from_millis(50)));
    assert!(matches!(error, Error::Timeout { .. }) && came < 100, "{error}: {came}");
    assert!(
        error.to_string().ends_with("timed out: the transfer did not reach 32 KiB/s within 1s"),
        "{error}"
    );
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_server_that_was_fast_may_not_become_slow() {
    let (error, came, took) = dripped(|| Reply::Drip(64 << 20, 1, Duration::from_millis(50)));
    assert!(matches!(error, Error::Timeout { .. }) && came >= 64 << 20, "{error}: {came}");
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn a_transfer_that_is_fast_enough_may_take_long() {
    // 100 KiB/s, for three seconds.
    let server = Server::start(|_| Reply::Drip(0, 10 << 10, Duration::from_millis(100)));
    let mut options = options(&[server.origin()]);
    options.limits = HttpLimits { total: Duration::from_secs(1), retry_waits: Vec::new(), ..options.limits };
    let start = Instant::now();
    let mut out = UpTo(300 << 10);
    let error = Client::new(options).download(Request::get(server.url("/")), &mut out, 1 << 62).unwrap_err();
    assert!(matches!(error, DownloadError::Write(_)), "{error}");
    assert!(start.elapsed() > Duration::from_secs(2), "{:?}", start.elapsed());
}

/// Takes so many bytes.
struct UpTo(usize);

impl Write for UpTo {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn all_requests_of_a_command_share_its_time() {
    let server = Server::start(|request| match request.target.as_str() {
        "/silence" => Reply::Silence,
        _ => Reply::Drip(0, 64 << 10, Duration::from_millis(50)),
    });
    let mut options = options(&[server.origin()]);
    options.time = Some(Arc::new(TimeBudget::new(Duration::from_secs(1))));
    let client = Client::new(options);
    let start = Instant::now();
    let get = |path| Request::get(server.url(path));
    let error = client.download(get("/"), &mut Counted::default(), 1 << 62).unwrap_err();
    insta::assert_snapshot!(error.to_string().replace(&server.origin(), "ORIGIN"), @"GET ORIGIN/ timed out: all requests of the command together were not done within 1s");
    assert!(matches!(client.send(get("/silence")), Err(Error::Timeout { .. })), "no time is left");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn a_download_that_breaks_off_behind_its_last_byte_is_whole() {
    let server = Server::start(|request| match request.headers.get("range") {
        None => Reply::Unended(b"all of it".to_vec()),
        // As nginx and distribution answer it.
        Some(_) => Reply::status(416),
    });
    let client = client(&[server.origin()]);
    let mut out = Vec::new();
    let response = client.download(Request::get(server.url("/")), &mut out, 9).unwrap();
    assert_eq!((response.status, out.as_slice()), (200, &b"all of it"[..]));
    assert_eq!(server.received().len(), 1);
}

#[test]
fn answers_keep_their_order_and_few_are_on_their_way_at_once() {
    static NOW: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let server = Server::start(|request| {
        MOST.fetch_max(NOW.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let number: u64 = request.target[1..].parse().unwrap();
        thread::sleep(Duration::from_millis(60 - 3 * number));
        NOW.fetch_sub(1, Ordering::SeqCst);
        Reply::ok(request.target.clone())
    });
    let mut options = options(&[server.origin()]);
    options.limits.concurrency = 3;
    let answers =
        Client::new(options).send_all((0..12).map(|n| Request::get(server.url(&format!("/{n}")))).collect());
    let bodies: Vec<_> =
        answers.into_iter().map(|answer| String::from_utf8(answer.unwrap().body).unwrap()).collect();
    assert_eq!(bodies, (0..12).map(|n| format!("/{n}")).collect::<Vec<_>>());
    assert_eq!(MOST.load(Ordering::SeqCst), 3);
}

#[test]
fn a_download_is_written_as_it_comes_and_bounded() {
    let server = Server::start(|request| match request.target.as_str() {
        "/404" => Reply::Answer(404, Vec::new(), b"no such blob".to_vec()),
        "/cut" => Reply::Truncated(6 << 20, vec![1; 1 << 20]),
        _ => Reply::ok(vec![7; 6 << 20]),
    });
    let client = client(&[server.origin()]);
    let mut out = Vec::new();
    let response = client.download(Request::get(server.url("/")), &mut out, 6 << 20).unwrap();
    assert_eq!((response.status, response.body.len(), out.len()), (200, 0, 6 << 20));

    let mut out = Vec::new();
    let response = client.download(Request::get(server.url("/404")), &mut out, 10).unwrap();
    assert_eq!((response.status, response.body.as_slice(), out.len()), (404, &b"no such blob"[..], 0));

    let error = client.download(Request::get(server.url("/")), &mut Vec::new(), (6 << 20) - 1).unwrap_err();
    assert!(matches!(error, DownloadError::Request(Error::TooLarge { .. })), "{error}");

    // A server that always breaks off at the same place, and knows no ranges.
    let before = server.received().len();
    let error = client.download(Request::get(server.url("/cut")), &mut Vec::new(), 6 << 20).unwrap_err();
    assert!(matches!(error, DownloadError::Request(Error::Connection { .. })), "{error}");
    assert_eq!(server.received().len(), before + 3);
}

#[test]
fn a_download_that_breaks_off_is_resumed() {
    let content: Vec<u8> = (0..3000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
    let partial = |range: &str, body: &[u8]| {
        Reply::Answer(206, vec![("content-range".to_owned(), range.to_owned())], body.to_vec())
    };
    // The first 1,000 bytes come, then the connection breaks.
    let outcome = |second: Reply| {
        let replies = Mutex::new(vec![second, Reply::Truncated(3000, content[..1000].to_vec())]);
        let server = Server::start(move |_| replies.lock().unwrap().pop().unwrap_or(Reply::Close));
        let mut out = Vec::new();
        let done = client(&[server.origin()]).download(Request::get(server.url("/")), &mut out, 3000);
        let asked: Vec<_> = server.received().iter().map(|r| r.headers.get("range").cloned()).collect();
        assert_eq!(asked, [None, Some("bytes=1000-".to_owned())]);
        match done {
            Ok(_) => Ok(out),
            Err(error) => Err(error.to_string().replace(&server.origin(), "ORIGIN")),
        }
    };
    assert_eq!(outcome(partial("bytes 1000-2999/3000", &content[1000..])).as_ref(), Ok(&content));
    // A server that knows no ranges begins anew.
    assert_eq!(outcome(Reply::ok(content.clone())).as_ref(), Ok(&content));
    let wrong = [
        outcome(partial("bytes 0-2999/3000", &content)),
        outcome(partial("bytes 1000-3000/3001", &[0; 2001])),
        outcome(Reply::ok(vec![0; 3001])),
    ];
    insta::assert_snapshot!(wrong.map(Result::unwrap_err).join("\n"), @"
    GET ORIGIN/ failed: it sent `bytes 0-2999/3000` when it was asked for the bytes from 1000
    the response from ORIGIN/ exceeds the limit of 3000 bytes
    the response from ORIGIN/ exceeds the limit of 3000 bytes
    ");
}

/// A full disk.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_download_that_cannot_be_written_ends() {
    let server = Server::start(|_| Reply::ok(vec![7; 6 << 20]));
    let error =
        client(&[server.origin()]).download(Request::get(server.url("/")), &mut Full, 6 << 20).unwrap_err();
    assert!(matches!(error, DownloadError::Write(e) if e.kind() == io::ErrorKind::StorageFull));
}

#[test]
fn a_failed_handshake_is_not_repeated() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("https://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = stream.unwrap().write_all(b"HTTP/1.1 400 this is not TLS\r\n\r\n");
        }
    });
    let error = client(std::slice::from_ref(&origin)).send(Request::get(format!("{origin}/"))).unwrap_err();
    assert!(matches!(error, Error::Connection { .. }) && !error.is_transient(), "{error}");
    // None where the system has no certificates at all.
    assert!(connections.load(Ordering::SeqCst) <= 1);
}

#[test]
fn nobody_there_is_a_connection_error() {
    let server = Server::start(|_| Reply::status(200));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let origin = format!("http://127.0.0.1:{closed}");
    let mut options = options(&[origin.clone(), server.origin()]);
    options.limits = HttpLimits { retry_waits: Vec::new(), ..options.limits };
    let error = Client::new(options).send(Request::get(format!("{origin}/"))).unwrap_err();
    insta::assert_snapshot!(error.to_string().replace(&closed.to_string(), "PORT"), @"GET http://127.0.0.1:PORT/ failed: tcp connect error: Connection refused (os error 111)");
}
