//! A small HTTP/1.1 server on loopback, one thread per connection: in the clear, and over TLS if it has a certificate.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::{ServerConnection, StreamOwned};

use crate::authority::Identity;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// Whether it came over TLS.
    pub tls: bool,
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Received {
    /// The header of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers: status, headers, body. A `content-length` among the headers is sent whatever the body has.
    Answer(u16, Vec<(String, String)>, Vec<u8>),
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
    /// 200 with this body.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::Answer(200, Vec::new(), body.into())
    }

    /// This status and nothing else.
    pub fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), Vec::new())
    }

    /// This status with one header.
    pub fn with_header(status: u16, name: &str, value: impl Into<String>) -> Self {
        Self::Answer(status, vec![(name.to_owned(), value.into())], Vec::new())
    }

    /// 307.
    pub fn redirect(location: impl Into<String>) -> Self {
        Self::with_header(307, "location", location)
    }

    /// 401.
    pub fn challenge(challenge: impl Into<String>) -> Self {
        Self::with_header(401, "www-authenticate", challenge)
    }
}

type Answer = dyn Fn(&Received) -> Reply + Send + Sync;

/// The server, which lives as long as the test process.
#[derive(Clone, Debug)]
pub struct Server {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    /// Starts one that speaks in the clear.
    pub fn start(answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(None, Arc::new(answer))
    }

    /// Starts one that speaks TLS with whoever begins with it, and in the clear with others.
    pub fn start_tls(
        identity: Identity,
        answer: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Some(identity), Arc::new(answer))
    }

    fn listen(identity: Option<Identity>, answer: Arc<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { port: listener.local_addr().unwrap().port(), received: Arc::default() };
        let received = Arc::clone(&server.received);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (identity, received, answer) =
                    (identity.clone(), Arc::clone(&received), Arc::clone(&answer));
                // The client may leave in the middle: that is what some tests are about.
                thread::spawn(move || _ = serve(stream, identity, &received, &answer));
            }
        });
        server
    }

    /// Where it listens, on `127.0.0.1`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `127.0.0.1:PORT`.
    pub fn registry(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `http://127.0.0.1:PORT`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.registry())
    }

    /// `http://127.0.0.1:PORT` and this path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// All requests so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

/// A connection, whatever it is made of.
trait Connection: Read + Write {}
impl<T: Read + Write> Connection for T {}

/// Answers one request, and closes the connection.
fn serve(
    stream: TcpStream,
    identity: Option<Identity>,
    received: &Mutex<Vec<Received>>,
    answer: &Arc<Answer>,
) -> io::Result<()> {
    let mut first = [0];
    stream.peek(&mut first)?;
    // A handshake begins with this byte, which no method does.
    let identity = identity.filter(|_| first == [0x16]);
    let tls = identity.is_some();
    let mut connection: Box<dyn Connection> = match identity {
        None => Box::new(stream),
        Some(identity) => {
            let session = ServerConnection::new(identity.0).map_err(io::Error::other)?;
            Box::new(StreamOwned::new(session, stream))
        }
    };
    let Some(request) = read_request(&mut connection, tls)? else { return Ok(()) };
    received.lock().unwrap().push(request.clone());
    write_reply(&mut connection, answer(&request), request.method == "HEAD")?;
    connection.flush()
}

fn read_request(connection: &mut dyn Connection, tls: bool) -> io::Result<Option<Received>> {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    assert!(!headers.contains_key("transfer-encoding"), "bodies have a known length");
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Received { tls, method: method.to_owned(), target: target.to_owned(), headers, body }))
}

fn write_reply(connection: &mut dyn Connection, reply: Reply, head_only: bool) -> io::Result<()> {
    let mut head = |status: u16, length: &str, headers: &str| {
        let fixed = format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {length}\r\n");
        connection.write_all(format!("{fixed}{headers}\r\n").as_bytes())
    };
    match reply {
        Reply::Answer(status, headers, body) => {
            let (lengths, others): (Vec<_>, Vec<_>) =
                headers.into_iter().partition(|(name, _)| name == "content-length");
            let length = lengths.into_iter().next().map_or_else(|| body.len().to_string(), |(_, own)| own);
            let others: Vec<String> =
                others.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            head(status, &length, &others.concat())?;
            if head_only { Ok(()) } else { connection.write_all(&body) }
        }
        Reply::Truncated(promised, body) => {
            head(200, &promised.to_string(), "")?;
            connection.write_all(&body)
        }
        Reply::Drip(first, piece, interval) => {
            head(200, &(1_u64 << 62).to_string(), "")?;
            connection.write_all(&vec![b'x'; first])?;
            loop {
                thread::sleep(interval);
                connection.write_all(&vec![b'x'; piece])?;
                connection.flush()?;
            }
        }
        Reply::Unended(body) => {
            write!(
                connection,
                "HTTP/1.1 200 x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n",
                body.len()
            )?;
            connection.write_all(&body)?;
            connection.write_all(b"\r\n")
        }
        Reply::Silence => {
            thread::sleep(Duration::from_mins(1));
            Ok(())
        }
        Reply::Close => Ok(()),
    }
}
