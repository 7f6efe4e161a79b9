//! A registry that misbehaves in one way, and remembers what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

/// How it misbehaves. What is not named works as the distribution specification says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not at all, but it keeps nothing that it takes.
    None,
    /// Refuses every request: 401 with a Basic challenge.
    Unauthorized,
    /// Answers every upload with 500.
    ServerError,
    /// Closes the connection instead of answering an upload.
    Reset,
    /// Says that it stored blobs and manifests under other digests than those sent.
    LyingDigest,
    /// Takes all blobs, and answers every manifest with 500.
    ManifestError,
    /// Answers with a body that never ends.
    EndlessBody,
    /// Has uploads sent to an address of the publisher's own network.
    LocationInside,
    /// Redirects whoever reads to where they were.
    RedirectLoop,
}

/// A running registry; it answers until the test ends.
#[derive(Debug)]
pub struct HostileRegistry {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl HostileRegistry {
    /// Starts one.
    pub fn start(fault: Fault) -> Self {
        Self::with(fault, None)
    }

    /// Starts one that has all that is in this directory, in files that are named by the hexadecimal SHA-256 of their
    /// content. It takes more, and keeps none of it.
    pub fn serving(blobs: PathBuf) -> Self {
        Self::with(Fault::None, Some(blobs))
    }

    fn with(fault: Fault, blobs: Option<PathBuf>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, blobs) = (Arc::clone(&seen), blobs.clone());
                // A client that hangs up in the middle is no fault of the test.
                thread::spawn(move || _ = serve(&stream, fault, blobs.as_deref(), &seen));
            }
        });
        Self { address, requests }
    }

    /// `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The requests so far, such as `PUT /v2/org/app/manifests/v1`.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Answers one request and closes the connection.
fn serve(
    stream: &TcpStream,
    fault: Fault,
    blobs: Option<&Path>,
    seen: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    seen.lock().unwrap().push(format!("{method} {target}"));
    let kept = blobs.filter(|_| matches!(method, "GET" | "HEAD")).and_then(|blobs| kept(blobs, target));
    let Some((status, headers, body)) = kept.or_else(|| answer(fault, method, target)) else { return Ok(()) };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    if method != "HEAD" {
        stream.write_all(&body)?;
    }
    Ok(())
}

type Answer = (&'static str, String, Vec<u8>);

/// The blob or document that a request names by its digest, if it is there.
fn kept(blobs: &Path, target: &str) -> Option<Answer> {
    let (_, hex) = target.rsplit_once("/sha256:")?;
    let content = std::fs::read(blobs.join(hex)).ok()?;
    let document: Option<serde_json::Value> = serde_json::from_slice(&content).ok();
    let media_type = document.and_then(|document| Some(document["mediaType"].as_str()?.to_owned()));
    let media_type = media_type.unwrap_or_else(|| "application/octet-stream".to_owned());
    Some(("200 OK", format!("Content-Type: {media_type}\r\n"), content))
}

/// The answer; none closes the connection.
fn answer(fault: Fault, method: &str, target: &str) -> Option<Answer> {
    let plain = |status| Some((status, String::new(), Vec::new()));
    let is_upload = matches!(method, "POST" | "PUT" | "PATCH");
    let zeros = format!("Docker-Content-Digest: sha256:{}\r\n", "0".repeat(64));
    match fault {
        Fault::Unauthorized => {
            return Some((
                "401 Unauthorized",
                "WWW-Authenticate: Basic realm=\"test\"\r\n".to_owned(),
                Vec::new(),
            ));
        }
        Fault::ServerError if is_upload => return plain("500 Internal Server Error"),
        Fault::Reset if is_upload => return None,
        Fault::LocationInside if is_upload => {
            return Some(("202 Accepted", "Location: http://10.0.0.7:8080/admin\r\n".to_owned(), Vec::new()));
        }
        Fault::RedirectLoop if !is_upload => {
            return Some(("307 Temporary Redirect", format!("Location: {target}\r\n"), Vec::new()));
        }
        Fault::LyingDigest if method == "PUT" => return Some(("201 Created", zeros, Vec::new())),
        Fault::ManifestError if method == "PUT" && target.contains("/manifests/") => {
            return plain("500 Internal Server Error");
        }
        Fault::EndlessBody if is_upload => {
            return Some(("500 Internal Server Error", String::new(), vec![b'x'; 64 << 20]));
        }
        _ => {}
    }
    match method {
        "POST" | "PATCH" => {
            Some(("202 Accepted", "Location: /v2/org/app/blobs/uploads/1\r\n".to_owned(), Vec::new()))
        }
        "PUT" => plain("201 Created"),
        _ if target == "/v2/" => plain("200 OK"),
        _ => plain("404 Not Found"),
    }
}
