//! Interface `http`.

use super::types::{TEXT, digest};
use crate::error::InvalidOutput;
use crate::text::printable;
use crate::v0_1::bindings::seed::pipeline::http as wit;

/// A request from a component. The client checks what it says.
pub(in crate::v0_1) fn request(wit: wit::Request) -> Result<seed_http::Request, InvalidOutput> {
    let secret_header = |header: wit::SecretHeader| seed_http::SecretHeader {
        name: header.name,
        prefix: header.prefix,
        secret: header.secret,
    };
    Ok(seed_http::Request {
        method: wit.method,
        url: wit.url,
        headers: wit.headers,
        secret_headers: wit.secret_headers.into_iter().map(secret_header).collect(),
        body: match wit.body {
            wit::Body::Empty => seed_http::Body::Empty,
            wit::Body::Bytes(bytes) => seed_http::Body::Bytes(bytes),
            wit::Body::Blob(range) => seed_http::Body::Blob(seed_http::BlobRange {
                digest: digest("body.digest", &range.digest)?,
                offset: range.offset,
                length: range.length,
            }),
        },
        credentials: wit.credentials,
        progress: wit.progress.map(|label| printable(&label, TEXT)),
    })
}

impl From<seed_http::Response> for wit::Response {
    fn from(response: seed_http::Response) -> Self {
        let seed_http::Response { status, headers, body, url } = response;
        Self { status, headers, body, url }
    }
}

impl From<seed_http::Error> for wit::Error {
    fn from(error: seed_http::Error) -> Self {
        let text = error.to_string();
        match error {
            seed_http::Error::Denied { .. } => Self::Denied(text),
            seed_http::Error::Auth { .. } => Self::Auth(text),
            seed_http::Error::Invalid { .. } => Self::Invalid(text),
            seed_http::Error::Connection { .. } => Self::Connection(text),
            seed_http::Error::Timeout { .. } => Self::Timeout(text),
            seed_http::Error::TooLarge { .. } => Self::TooLarge(text),
        }
    }
}
