//! A small real HTTP/1.1 server on loopback, one thread per connection.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    /// Names in lower case.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

/// What the server does with a request.
pub(super) enum Reply {
    /// Answers.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Promises so many bytes of body, sends these, and closes the connection.
    Truncated(usize, Vec<u8>),
    /// Promises 2^62 bytes of body, sends so many at once, and then a piece of so many in each such interval, for ever.
    Drip(usize, usize, Duration),
    /// Sends these bytes as a chunked body, and closes the connection instead of ending it.
    Unended(Vec<u8>),
    /// Sends nothing, and keeps the connection open.
    Silence,
    /// Closes the connection.
    Close,
}

impl Reply {
    pub(super) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::Answer(200, Vec::new(), body.into())
    }

    pub(super) fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), Vec::new())
    }

    pub(super) fn redirect(location: impl Into<String>) -> Self {
        Self::Answer(307, vec![("location", location.into())], Vec::new())
    }

    pub(super) fn challenge(challenge: impl Into<String>) -> Self {
        Self::Answer(401, vec![("www-authenticate", challenge.into())], Vec::new())
    }
}

/// The server, which lives as long as the test process.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    pub(super) fn start(answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { port: listener.local_addr().unwrap().port(), received: Arc::default() };
        let received = Arc::clone(&server.received);
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (received, answer) = (Arc::clone(&received), Arc::clone(&answer));
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    if let Some(request) = read_request(&mut stream) {
                        received.lock().unwrap().push(request.clone());
                        // The client may be gone: that is what some tests are about.
                        let _ = write_reply(&mut stream, answer(&request), request.method == "HEAD");
                    }
                });
            }
        });
        server
    }

    /// `http://127.0.0.1:PORT`.
    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.registry())
    }

    /// `127.0.0.1:PORT`.
    pub(super) fn registry(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// All requests so far.
    pub(super) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

fn read_request(stream: &mut TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    assert!(!headers.contains_key("transfer-encoding"), "bodies have a known length");
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Received { method, target, headers, body })
}

fn write_reply(stream: &mut TcpStream, reply: Reply, head_only: bool) -> std::io::Result<()> {
    match reply {
        Reply::Answer(status, headers, body) => {
            write!(stream, "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n", body.len())?;
            for (name, value) in headers {
                write!(stream, "{name}: {value}\r\n")?;
            }
            stream.write_all(b"\r\n")?;
            if head_only { Ok(()) } else { stream.write_all(&body) }
        }
        Reply::Truncated(promised, body) => {
            write!(stream, "HTTP/1.1 200 x\r\nconnection: close\r\ncontent-length: {promised}\r\n\r\n")?;
            stream.write_all(&body)
        }
        Reply::Drip(first, piece, interval) => {
            write!(stream, "HTTP/1.1 200 x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", 1_u64 << 62)?;
            stream.write_all(&vec![b'x'; first])?;
            loop {
                thread::sleep(interval);
                stream.write_all(&vec![b'x'; piece])?;
            }
        }
        Reply::Unended(body) => {
            write!(
                stream,
                "HTTP/1.1 200 x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n",
                body.len()
            )?;
            stream.write_all(&body)?;
            stream.write_all(b"\r\n")
        }
        Reply::Silence => {
            thread::sleep(Duration::from_mins(1));
            Ok(())
        }
        Reply::Close => Ok(()),
    }
}
