//! Single messages on the wire: connections, time limits, bodies. Redirects and challenges are the caller's.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use reqwest::header::{AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder, Response as Answer, StatusCode, redirect};
use tokio::sync::mpsc;
use url::Url;

use crate::activity::Activity;
use crate::error::{Error, late, shown};
use crate::grants::Grants;
use crate::limits::HttpLimits;
use crate::message::Response;
use crate::resolver::{GrantedAddresses, Lookup};

/// The largest answer of a token service: 256 KiB.
const MAX_TOKEN_ANSWER: u64 = 256 << 10;

/// Response headers that plugins do not see.
const HIDDEN_HEADERS: [&str; 6] = [
    "set-cookie",
    "set-cookie2",
    "www-authenticate",
    "proxy-authenticate",
    "authentication-info",
    "proxy-authentication-info",
];

/// Where the body of a successful response goes.
#[derive(Debug)]
pub(crate) enum Sink {
    /// Into the response, up to so many bytes.
    Memory(u64),
    /// Piece by piece to another thread.
    Pieces {
        /// To that thread.
        sender: mpsc::Sender<bytes::Bytes>,
        /// The most bytes.
        limit: u64,
        /// How many bytes were handed on. They cannot be taken back: a repeated request asks for the rest.
        received: AtomicU64,
    },
}

impl Sink {
    /// The bytes of the body that are there, and need not come again.
    pub(crate) fn received(&self) -> u64 {
        match self {
            Self::Memory(_) => 0,
            Self::Pieces { received, .. } => received.load(Ordering::Relaxed),
        }
    }
}

/// Sends messages to granted addresses.
#[derive(Debug)]
pub(crate) struct Wire {
    grants: Arc<Grants>,
    limits: HttpLimits,
    lookup: Arc<dyn Lookup>,
    /// Made for the first request: reading the system's certificates takes time.
    client: OnceLock<reqwest::Client>,
}

impl Wire {
    pub(crate) fn new(grants: Arc<Grants>, limits: HttpLimits, lookup: Arc<dyn Lookup>) -> Self {
        Self { grants, limits, lookup, client: OnceLock::new() }
    }

    pub(crate) fn grants(&self) -> &Grants {
        &self.grants
    }

    pub(crate) const fn limits(&self) -> &HttpLimits {
        &self.limits
    }

    /// Begins a message. The caller has checked `url` against the grants.
    pub(crate) fn message(&self, method: &Method, url: &Url) -> Result<RequestBuilder, Error> {
        Ok(self.client(method, url)?.request(method.clone(), url.clone()))
    }

    fn client(&self, method: &Method, url: &Url) -> Result<&reqwest::Client, Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Fails when a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let resolver =
            GrantedAddresses { grants: Arc::clone(&self.grants), lookup: Arc::clone(&self.lookup) };
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("seed/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            // A proxy would resolve names itself, past the check of addresses: proxy variables are not read.
            .no_proxy()
            .connect_timeout(self.limits.connect)
            .dns_resolver(Arc::new(resolver));
        if !self.grants.uses_tls() {
            // A machine without certificates can still talk to a registry on loopback.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|e| failure(method, url, &e, &self.limits))?;
        Ok(self.client.get_or_init(|| client))
    }

    /// Sends a message and waits for the head of the answer.
    #[expect(clippy::disallowed_methods, reason = "measures how long it takes, for traces only")]
    pub(crate) async fn head(
        &self,
        method: &Method,
        url: &Url,
        message: RequestBuilder,
        activity: &Activity,
    ) -> Result<Answer, Error> {
        let start = Instant::now();
        let answer = self.unless_stalled(method, url, activity, message.send()).await?;
        let answer = answer.map_err(|e| failure(method, url, &e, &self.limits))?;
        activity.moved(0);
        // Never the query, which carries tokens, nor a header.
        let (url, status, milliseconds) = (shown(url), answer.status().as_u16(), start.elapsed().as_millis());
        tracing::debug!(%method, %url, status, milliseconds, "request");
        Ok(answer)
    }

    /// Reads the body of an answer.
    #[expect(clippy::disallowed_methods, reason = "measures how long the receiver keeps the sender waiting")]
    pub(crate) async fn body(
        &self,
        method: &Method,
        url: &Url,
        mut answer: Answer,
        activity: &Activity,
        sink: &Sink,
    ) -> Result<Response, Error> {
        let status = answer.status();
        let headers = visible_headers(&answer);
        let (pieces, limit) = match sink {
            Sink::Pieces { sender, limit, received } if status.is_success() => {
                (Some((sender, received)), *limit)
            }
            Sink::Pieces { .. } => (None, self.limits.max_response),
            Sink::Memory(limit) => (None, *limit),
        };
        let too_large = || Error::TooLarge { url: shown(url), limit };
        // A server that does not know ranges begins anew, and what is there already is passed over.
        let kept = sink.received();
        let mut position = if kept > 0 && status == StatusCode::PARTIAL_CONTENT {
            check_range(method, url, &answer, kept)?;
            kept
        } else {
            0
        };
        let expected = answer.content_length().map(|length| length.saturating_add(position));
        if *method != Method::HEAD && expected.is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        loop {
            let next = self.unless_stalled(method, url, activity, answer.chunk()).await;
            let piece = match next.and_then(|next| next.map_err(|e| failure(method, url, &e, &self.limits))) {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                // It broke off behind its last byte: nothing is left to ask for, and some servers refuse an empty range.
                Err(_) if expected == Some(position) || (pieces.is_some() && position == limit) => break,
                Err(error) => return Err(error),
            };
            activity.moved(piece.len() as u64);
            let passed_over = kept.saturating_sub(position).min(piece.len() as u64);
            position = position.saturating_add(piece.len() as u64);
            if position > limit {
                return Err(too_large());
            }
            match pieces {
                None => body.extend_from_slice(&piece),
                Some(_) if passed_over == piece.len() as u64 => {}
                Some((sender, received)) => {
                    received.store(position, Ordering::Relaxed);
                    let passed_over = usize::try_from(passed_over).expect("it is a part of the piece");
                    let start = Instant::now();
                    if sender.send(piece.slice(passed_over..)).await.is_err() {
                        break; // the receiver could not write, and says so itself
                    }
                    activity.waited(start.elapsed());
                }
            }
        }
        Ok(Response { status: status.as_u16(), headers, body, url: url.to_string() })
    }

    /// Sends the one request of the token flow: a `GET`, or a `POST` where there is a form.
    pub(crate) async fn ask_token_service(
        &self,
        url: Url,
        basic: Option<HeaderValue>,
        form: Option<String>,
    ) -> Result<(u16, Vec<u8>), Error> {
        let method = if form.is_some() { Method::POST } else { Method::GET };
        let mut message = self.message(&method, &url)?;
        if let Some(value) = basic {
            message = message.header(AUTHORIZATION, value);
        }
        if let Some(form) = form {
            message = message.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        }
        let activity = Activity::new(&self.limits);
        let exchange = async {
            let answer = self.head(&method, &url, message, &activity).await?;
            self.body(&method, &url, answer, &activity, &Sink::Memory(MAX_TOKEN_ANSWER)).await
        };
        let response = self.within(&method, &url, &activity, exchange).await?;
        Ok((response.status, response.body))
    }

    /// Bounds a whole exchange: it ends when too little moves.
    pub(crate) async fn within<T>(
        &self,
        method: &Method,
        url: &Url,
        activity: &Activity,
        exchange: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::select! {
            done = exchange => done,
            () = activity.too_slow() => {
                Err(late(method, url, "the transfer did not reach 32 KiB/s", self.limits.total))
            }
        }
    }

    async fn unless_stalled<T>(
        &self,
        method: &Method,
        url: &Url,
        activity: &Activity,
        work: impl Future<Output = T>,
    ) -> Result<T, Error> {
        tokio::select! {
            done = work => Ok(done),
            () = activity.stalled(self.limits.idle) => {
                Err(late(method, url, "no data was sent or received", self.limits.idle))
            }
        }
    }
}

/// Checks that a partial answer begins after the `kept` bytes that are there already.
fn check_range(method: &Method, url: &Url, answer: &Answer, kept: u64) -> Result<(), Error> {
    let range = answer.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if range.starts_with(&format!("bytes {kept}-")) {
        return Ok(());
    }
    Err(Error::Connection {
        method: method.to_string(),
        url: shown(url),
        reason: format!("it sent `{}` when it was asked for the bytes from {kept}", range.escape_debug()),
        transient: false,
    })
}

/// What reqwest says, with its causes; our own errors come back as they were.
fn failure(method: &Method, url: &Url, error: &reqwest::Error, limits: &HttpLimits) -> Error {
    let mut causes: Vec<String> = Vec::new();
    let mut bad_tls = false;
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        if let Some(own) = cause.downcast_ref::<Error>() {
            return own.clone();
        }
        bad_tls |= is_tls_failure(cause);
        causes.push(cause.to_string());
        next = cause.source();
    }
    if error.is_timeout() {
        return late(method, url, "no connection was established", limits.connect);
    }
    let transient = !bad_tls && !error.is_dns() && !error.is_builder();
    // The first cause says which layer of the client failed, the others what happened.
    let telling = if causes.len() > 1 { &causes[1..] } else { &causes[..] };
    let mut reason = if telling.is_empty() { "unknown cause".to_owned() } else { telling.join(": ") };
    if bad_tls {
        reason.push_str("; trusted certificates are those of the system, or those in $SSL_CERT_FILE");
    }
    Error::Connection { method: method.to_string(), url: shown(url), reason, transient }
}

/// Whether the TLS handshake failed, as opposed to the connection under it. I/O errors hide what they wrap from
/// `source`, and there are several around each other.
fn is_tls_failure(cause: &(dyn std::error::Error + 'static)) -> bool {
    match cause.downcast_ref::<io::Error>() {
        Some(wrapper) => wrapper.get_ref().is_some_and(|inner| is_tls_failure(inner)),
        None => cause.is::<rustls::Error>(),
    }
}

fn visible_headers(answer: &Answer) -> Vec<(String, String)> {
    let mut headers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in answer.headers() {
        if !HIDDEN_HEADERS.contains(&name.as_str()) {
            headers
                .entry(name.as_str())
                .or_default()
                .push(String::from_utf8_lossy(value.as_bytes()).into_owned());
        }
    }
    headers.into_iter().flat_map(|(name, values)| values.into_iter().map(|v| (name.to_owned(), v))).collect()
}
