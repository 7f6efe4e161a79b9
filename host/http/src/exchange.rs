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

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, retry_after: Option<&str>) -> Response {
        let headers =
            retry_after.map(|value| ("retry-after".to_owned(), value.to_owned())).into_iter().collect();
        Response { status, headers, body: Vec::new(), url: String::new() }
    }

    #[test]
    fn a_server_may_ask_for_a_wait_up_to_the_bound() {
        let wait = |status, asked| {
            pause(&Ok(response(status, asked)), Duration::from_secs(2)).map(|wait| wait.as_secs())
        };
        assert_eq!(wait(503, None), Some(2));
        assert_eq!(wait(503, Some("0")), Some(0));
        assert_eq!(wait(503, Some("30")), Some(30));
        assert_eq!(wait(503, Some("31")), None);
        // Dates are not read.
        assert_eq!(wait(503, Some("Fri, 31 Dec 1999 23:59:59 GMT")), Some(2));
        for status in [429, 500, 502, 503, 504] {
            assert_eq!(wait(status, None), Some(2), "{status}");
        }
        for status in [200, 206, 301, 400, 401, 403, 404, 501, 505] {
            assert_eq!(wait(status, Some("1")), None, "{status}");
        }
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let failed = |transient| {
            let (method, url, reason) = ("GET".to_owned(), String::new(), String::new());
            pause(&Err(Error::Connection { method, url, reason, transient }), Duration::from_secs(2))
        };
        assert_eq!(failed(true), Some(Duration::from_secs(2)));
        assert_eq!(failed(false), None);
        assert_eq!(pause(&Err(Error::TooLarge { url: String::new(), limit: 1 }), Duration::ZERO), None);
    }

    #[test]
    fn credentials_belong_to_one_host_and_port() {
        let at = |registry: &str, url: &str| is_at(registry, &url.parse().unwrap());
        assert!(at("ghcr.io", "https://ghcr.io/v2/") && at("docker.io", "https://registry-1.docker.io/"));
        assert!(at("r.example:5000", "https://r.example:5000/"));
        for url in ["https://ghcr.io:8443/", "https://a.ghcr.io/", "https://ghcr.io.evil.example/"] {
            assert!(!at("ghcr.io", url), "{url}");
        }
        assert!(!at("docker.io", "https://docker.io/") && !at("not a host", "https://ghcr.io/"));
    }
}
