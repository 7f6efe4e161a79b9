//! Requests and responses, as in `publishing.wit`, interface `http`.

use seed_model::Digest;

/// Part of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobRange {
    pub digest: Digest,
    /// First byte.
    pub offset: u64,
    /// Number of bytes.
    pub length: u64,
}

/// What a request carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// These bytes, at most [`MAX_BODY`].
    Bytes(Vec<u8>),
    /// Part of a blob, streamed from the [`BlobSource`](crate::body::BlobSource).
    Blob(BlobRange),
}

/// The largest [`Body::Bytes`]: 4 MiB.
pub const MAX_BODY: usize = 4 << 20;

/// A header whose value ends with a granted secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretHeader {
    /// The header's name.
    pub name: String,
    /// The prefix of the secret, such as `Bearer `.
    pub prefix: String,
    /// The secret's name.
    pub secret: String,
}

/// An HTTP request, as a plugin or the host makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `HEAD`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Absolute URL without user name and password.
    pub url: String,
    /// Headers. Those that belong to the host are refused.
    pub headers: Vec<(String, String)>,
    /// Headers whose values end with a secret.
    pub secret_headers: Vec<SecretHeader>,
    /// What to send.
    pub body: Body,
    /// The registry (`ghcr.io`) whose challenges to answer. Its credentials go to its own origin only: requests to
    /// other hosts, such as a storage service, are sent without.
    pub credentials: Option<String>,
    /// Label of a progress bar that counts the bytes of the body.
    pub progress: Option<String>,
}

impl Request {
    /// A `GET` of `url`, with nothing else.
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: "GET".to_owned(), url: url.into(), ..Self::default() }
    }
}

/// A response. It can have any status: what is an error, the caller knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers in the order of their names, which are in lower case. Cookies and authentication headers are left out.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The URL that answered.
    pub url: String,
}

impl Response {
    /// The memory that it takes, about, in bytes.
    pub(crate) fn size(&self) -> u64 {
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| name.len().saturating_add(value.len()).saturating_add(48));
        headers.fold(self.body.len(), usize::saturating_add) as u64
    }

    /// The first header of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}
