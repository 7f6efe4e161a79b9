//! One request as its caller sees it: repeated when that is safe, redirected, authenticated.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue, LOCATION, RANGE, WWW_AUTHENTICATE};
use reqwest::{Response as Answer, StatusCode};
use url::Url;

use crate::activity::Activity;
use crate::body::{BlobBody, BlobSource, Task};
use crate::challenge;
use crate::error::{Error, shown};
use crate::grants::{is_confidential, registry_url};
use crate::limits::HttpLimits;
use crate::message::{Body, Response};
use crate::prepare::{Prepared, check_url};
use crate::progress::Progress;
use crate::referred_origins::ReferredOrigins;
use crate::tokens::{Area, Tokens};
use crate::wire::{Sink, Wire};

/// Hops after the first request.
const MAX_REDIRECTS: usize = 10;

/// What all exchanges of a client share.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) wire: Wire,
    pub(crate) tokens: Tokens,
    pub(crate) named: ReferredOrigins,
    pub(crate) blobs: Option<Arc<dyn BlobSource>>,
    pub(crate) progress: Option<Arc<dyn Progress>>,
}

impl Exchange {
    /// Sends `request` until there is an answer that is worth returning.
    pub(crate) async fn run(&self, request: &Prepared, sink: &Sink) -> Result<Response, Error> {
        for planned in &self.wire.limits().retry_waits {
            let outcome = self.once(request, sink).await;
            match pause(&outcome, *planned) {
                Some(wait) if request.is_safe() => tokio::time::sleep(wait).await,
                _ => return outcome,
            }
        }
        self.once(request, sink).await
    }

    async fn once(&self, request: &Prepared, sink: &Sink) -> Result<Response, Error> {
        let activity = Arc::new(Activity::new(self.wire.limits()));
        self.wire
            .within(&request.method, &request.url, &activity, self.follow(request, &activity, sink))
            .await
    }

    /// Follows redirects of `GET` and `HEAD`; each hop is checked as the first request was. After too many of them the
    /// last redirect is the answer.
    async fn follow(
        &self,
        request: &Prepared,
        activity: &Arc<Activity>,
        sink: &Sink,
    ) -> Result<Response, Error> {
        let mut url = request.url.clone();
        let mut hops = 0;
        loop {
            self.wire.grants().check(&url, self.named.by(&url).as_deref())?;
            activity.moved(0);
            let answer = self.authenticated(request, &url, activity, sink.received()).await?;
            let location = location(&answer, &url);
            if let Some(location) = &location {
                self.named.note(&url, location);
            }
            match location.filter(|_| is_redirect(&answer) && request.is_safe() && hops < MAX_REDIRECTS) {
                Some(target) => {
                    check_url(&target)?;
                    url = target;
                    hops = hops.saturating_add(1);
                }
                None => return self.wire.body(&request.method, &url, answer, activity, sink).await,
            }
        }
    }

    /// Sends one request to one URL, and answers the challenge of the registry whose credentials are asked for.
    async fn authenticated(
        &self,
        request: &Prepared,
        url: &Url,
        activity: &Arc<Activity>,
        from: u64,
    ) -> Result<Answer, Error> {
        let Some(registry) = request.credentials.as_deref().filter(|registry| is_at(registry, url)) else {
            return self.attempt(request, url, None, activity, from).await;
        };
        let area = Area::of(registry, url, !request.is_safe());
        let known = if is_confidential(url) { self.tokens.known(&area).await } else { None };
        let answer = self.attempt(request, url, known.as_ref(), activity, from).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let failed = |reason: String| Error::Auth { registry: registry.to_owned(), reason };
        if !is_confidential(url) {
            return Err(failed("credentials are sent only over https or to this machine".to_owned()));
        }
        let headers = answer.headers().get_all(WWW_AUTHENTICATE).iter();
        let challenge = challenge::choose(headers.filter_map(|value| value.to_str().ok()))
            .ok_or_else(|| failed("it answered 401 without a Basic or Bearer challenge".to_owned()))?;
        drop(answer);
        let header = self.tokens.answer(&area, challenge, known.as_ref(), &self.wire).await?;
        activity.moved(0);
        let answer = self.attempt(request, url, Some(&header), activity, from).await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            return Err(failed(format!(
                "it rejected its own token or the stored credential for {}; run `docker login {registry}`",
                shown(url)
            )));
        }
        Ok(answer)
    }

    async fn attempt(
        &self,
        request: &Prepared,
        url: &Url,
        authorization: Option<&HeaderValue>,
        activity: &Arc<Activity>,
        from: u64,
    ) -> Result<Answer, Error> {
        let mut message = self.wire.message(&request.method, url)?.headers(request.headers.clone());
        if url.origin() == request.url.origin() {
            for (name, value) in &request.secret_headers {
                message = message.header(name, value);
            }
        }
        if let Some(value) = authorization {
            message = message.header(AUTHORIZATION, value);
        }
        if from > 0 {
            message = message.header(RANGE, format!("bytes={from}-"));
        }
        let task = match (&self.progress, &request.progress) {
            (Some(progress), Some(label)) => Some(Task::start(progress, label, request.body_size())),
            _ => None,
        };
        message = match &request.body {
            Body::Empty => message,
            Body::Bytes(bytes) => message.body(bytes.clone()),
            Body::Blob(range) => {
                let invalid = |reason: String| Error::Invalid { url: shown(url), reason };
                let source =
                    self.blobs.as_deref().ok_or_else(|| invalid("no blobs are available here".to_owned()))?;
                let body = BlobBody::open(source, *range, Arc::clone(activity), task.clone())
                    .map_err(|e| invalid(format!("cannot send the blob {}: {e}", range.digest)))?;
                message.body(reqwest::Body::wrap(body))
            }
        };
        let answer = self.wire.head(&request.method, url, message, activity).await;
        if let Some(task) = task {
            task.end();
        }
        answer
    }
}

/// Whether `url` is where `registry` lives. The scheme is not compared: see [`is_confidential`].
fn is_at(registry: &str, url: &Url) -> bool {
    Url::parse(&registry_url(registry)).is_ok_and(|own| own.host() == url.host() && own.port() == url.port())
}

/// Whether the answer is elsewhere.
fn is_redirect(answer: &Answer) -> bool {
    matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// What the `Location` header names, if there is one that can be read.
fn location(answer: &Answer, url: &Url) -> Option<Url> {
    url.join(answer.headers().get(LOCATION)?.to_str().ok()?).ok()
}

/// Whether the outcome is worth another attempt, and after which wait: what the server asks for, or else `planned`.
fn pause(outcome: &Result<Response, Error>, planned: Duration) -> Option<Duration> {
    match outcome {
        Ok(response) if matches!(response.status, 429 | 500 | 502 | 503 | 504) => {
            let asked =
                response.header("retry-after").and_then(|value| value.parse().ok()).map(Duration::from_secs);
            Some(asked.unwrap_or(planned)).filter(|wait| *wait <= HttpLimits::MAX_RETRY_AFTER)
        }
        Err(Error::Connection { transient: true, .. }) => Some(planned),
        Ok(_) | Err(_) => None,
    }
}
