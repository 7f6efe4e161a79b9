//! A registry that misbehaves in one way, and remembers what it was asked.

use std::path::{Path, PathBuf};

use crate::gate::Gate;
use crate::server::{Received, Reply, Server};

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
    server: Server,
    address: String,
}

impl HostileRegistry {
    /// Starts one that lets everybody in.
    pub fn start(fault: Fault) -> Self {
        Self::behind(Gate::Open, fault)
    }

    /// Starts one that has all that is in this directory, in files that are named by the hexadecimal SHA-256 of their
    /// content. It takes more, and keeps none of it.
    pub fn serving(blobs: PathBuf) -> Self {
        Self::answering(move |request| {
            kept(&blobs, &request.method, &request.target)
                .or_else(|| answer(Fault::None, &request.method, &request.target))
        })
    }

    /// Starts one that lets in whoever passes the gate.
    pub fn behind(gate: Gate, fault: Fault) -> Self {
        Self::answering(move |request| {
            gate.refuse(request).or_else(|| answer(fault, &request.method, &request.target))
        })
    }

    fn answering(answer: impl Fn(&Received) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let server = Server::start(move |request| answer(request).unwrap_or(Reply::Close));
        let address = server.registry();
        Self { server, address }
    }

    /// `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The requests so far, such as `PUT /v2/org/app/manifests/v1`.
    pub fn requests(&self) -> Vec<String> {
        let received = self.server.received();
        received.iter().map(|request| format!("{} {}", request.method, request.target)).collect()
    }
}

/// The blob or document that a request names by its digest, if it is there.
fn kept(blobs: &Path, method: &str, target: &str) -> Option<Reply> {
    let (_, hex) = target.rsplit_once("/sha256:").filter(|_| matches!(method, "GET" | "HEAD"))?;
    let content = std::fs::read(blobs.join(hex)).ok()?;
    let document: Option<serde_json::Value> = serde_json::from_slice(&content).ok();
    let media_type = document.and_then(|document| Some(document["mediaType"].as_str()?.to_owned()));
    let media_type = media_type.unwrap_or_else(|| "application/octet-stream".to_owned());
    Some(Reply::Answer(200, vec![("content-type".to_owned(), media_type)], content))
}

/// The answer; none closes the connection.
fn answer(fault: Fault, method: &str, target: &str) -> Option<Reply> {
    let is_upload = matches!(method, "POST" | "PUT" | "PATCH");
    let zeros = format!("sha256:{}", "0".repeat(64));
    match fault {
        Fault::Unauthorized => return Some(Reply::challenge("Basic realm=\"test\"")),
        Fault::ServerError if is_upload => return Some(Reply::status(500)),
        Fault::Reset if is_upload => return None,
        Fault::LocationInside if is_upload => {
            return Some(Reply::with_header(202, "location", "http://10.0.0.7:8080/admin"));
        }
        Fault::RedirectLoop if !is_upload => return Some(Reply::redirect(target)),
        Fault::LyingDigest if method == "PUT" => {
            return Some(Reply::with_header(201, "docker-content-digest", zeros));
        }
        Fault::ManifestError if method == "PUT" && target.contains("/manifests/") => {
            return Some(Reply::status(500));
        }
        Fault::EndlessBody if is_upload => {
            return Some(Reply::Answer(500, Vec::new(), vec![b'x'; 64 << 20]));
        }
        _ => {}
    }
    Some(match method {
        "POST" | "PATCH" => Reply::with_header(202, "location", "/v2/org/app/blobs/uploads/1"),
        "PUT" => Reply::status(201),
        _ if target == "/v2/" => Reply::status(200),
        _ => Reply::status(404),
    })
}
