//! From a request as a plugin makes it to one that may be sent.

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use seed_report::visible;
use url::Url;

use crate::error::{Error, shown};
use crate::grants::{Grants, is_confidential};
use crate::message::{Body, MAX_BODY, Request, SecretHeader};

const MAX_URL: usize = 8 << 10;
const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 16 << 10;

/// Headers that belong to the host: credentials, framing, routing, and what RFC 9110 calls connection-specific.
const HOST_HEADERS: [&str; 16] = [
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "cookie2",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// A request that has been checked, with secrets filled in.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    /// Sent to the origin of `url` only; marked sensitive, so that `Debug` leaves the values out.
    pub(crate) secret_headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) credentials: Option<String>,
    pub(crate) progress: Option<String>,
}

impl Prepared {
    /// Checks everything but the origin, which is checked at every hop.
    pub(crate) fn new(request: Request, grants: &Grants) -> Result<Self, Error> {
        let method = method(&request)?;
        let url = parse_url(&request.url)?;
        let invalid = |reason: String| Error::Invalid { url: shown(&url), reason };
        if let Body::Bytes(bytes) = &request.body
            && bytes.len() > MAX_BODY
        {
            return Err(invalid(format!("the body has {} bytes, more than {MAX_BODY}", bytes.len())));
        }
        let lengths = request.headers.iter().flat_map(|(name, value)| [name.len(), value.len()]);
        let size = lengths.fold(0, usize::saturating_add);
        let count = request.headers.len().saturating_add(request.secret_headers.len());
        if count > MAX_HEADERS || size > MAX_HEADER_BYTES {
            return Err(invalid(format!(
                "the headers exceed {MAX_HEADERS} fields or {MAX_HEADER_BYTES} bytes"
            )));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let name = header_name(name).map_err(invalid)?;
            if HOST_HEADERS.contains(&name.as_str()) {
                return Err(invalid(format!("only the host may set the header `{name}`")));
            }
            let value = HeaderValue::from_str(value)
                .map_err(|_| invalid(format!("the value of `{name}` contains control characters")))?;
            headers.append(name, value);
        }
        let secret_headers = secret_headers(&request.secret_headers, &url, grants)?;
        if let Some(registry) = &request.credentials {
            grants.check_credentials(registry)?;
            if secret_headers.contains_key("authorization") {
                return Err(invalid("it uses both `credentials` and a secret `authorization`".to_owned()));
            }
        }
        let Request { body, credentials, progress, .. } = request;
        Ok(Self { method, url, headers, secret_headers, body, credentials, progress })
    }

    /// Whether sending it twice is the same as sending it once.
    pub(crate) fn is_safe(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }

    /// The number of bytes that are sent.
    pub(crate) fn body_size(&self) -> u64 {
        match &self.body {
            Body::Empty => 0,
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::Blob(range) => range.length,
        }
    }
}

fn method(request: &Request) -> Result<Method, Error> {
    match request.method.as_str() {
        "GET" => Ok(Method::GET),
        "HEAD" => Ok(Method::HEAD),
        "POST" => Ok(Method::POST),
        "PUT" => Ok(Method::PUT),
        "PATCH" => Ok(Method::PATCH),
        "DELETE" => Ok(Method::DELETE),
        other => Err(Error::Invalid {
            url: clip(&request.url),
            reason: format!(
                "unsupported method `{}`: use GET, HEAD, POST, PUT, PATCH or DELETE",
                clip(other)
            ),
        }),
    }
}

/// Parses the URL of a request or a redirect.
pub(crate) fn parse_url(text: &str) -> Result<Url, Error> {
    let invalid = |reason: &str| Error::Invalid { url: clip(text), reason: reason.to_owned() };
    if text.len() > MAX_URL {
        return Err(invalid(&format!("the URL is longer than {MAX_URL} bytes")));
    }
    let url = Url::parse(text).map_err(|e| invalid(&e.to_string()))?;
    check_url(&url)?;
    Ok(url)
}

/// Refuses schemes other than HTTP, and URLs that carry a password.
pub(crate) fn check_url(url: &Url) -> Result<(), Error> {
    let invalid = |reason: &str| Err(Error::Invalid { url: shown(url), reason: reason.to_owned() });
    if !matches!(url.scheme(), "http" | "https") {
        return invalid("the scheme must be `https` or `http`");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return invalid("the URL contains a user name or password");
    }
    Ok(())
}

fn secret_headers(wanted: &[SecretHeader], url: &Url, grants: &Grants) -> Result<HeaderMap, Error> {
    let invalid = |reason: String| Error::Invalid { url: shown(url), reason };
    let mut headers = HeaderMap::new();
    for SecretHeader { name, prefix, secret } in wanted {
        let value = grants.secret(secret)?;
        let name = header_name(name).map_err(invalid)?;
        if name != "authorization" && HOST_HEADERS.contains(&name.as_str()) {
            return Err(invalid(format!("only the host may set the header `{name}`")));
        }
        if !is_confidential(url) {
            return Err(invalid(format!("the secret `{secret}` is sent only over https or to this machine")));
        }
        let mut value = HeaderValue::from_str(&format!("{prefix}{}", value.reveal())).map_err(|_| {
            invalid(format!("the prefix or the secret `{secret}` contains control characters"))
        })?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

fn header_name(name: &str) -> Result<HeaderName, String> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{}` is not a header name", clip(name)))
}

/// At most 120 characters and no query, for messages.
fn clip(text: &str) -> String {
    visible::clip(text.split(['?', '#']).next().unwrap_or_default(), 120)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Secret;

    fn prepare(request: Request) -> Result<Prepared, String> {
        let mut grants = Grants { origins: vec!["https://a.example".parse().unwrap()], ..Grants::default() };
        grants.secrets.insert("token".to_owned(), Secret::new("hunter2"));
        grants.secrets.insert("broken".to_owned(), Secret::new("hunter2\n"));
        grants.credentials.insert("a.example".to_owned());
        Prepared::new(request, &grants).map_err(|e| e.to_string())
    }

    fn with_header(name: &str, value: &str) -> Request {
        Request {
            headers: vec![(name.to_owned(), value.to_owned())],
            ..Request::get("https://a.example/x?token=1")
        }
    }

    fn with_secret(url: &str, name: &str, secret: &str) -> Request {
        let header =
            SecretHeader { name: name.to_owned(), prefix: "Bearer ".to_owned(), secret: secret.to_owned() };
        Request { secret_headers: vec![header], ..Request::get(url) }
    }

    #[test]
    fn what_cannot_be_sent_is_refused_with_the_reason() {
        let error = |request: Request| prepare(request).unwrap_err();
        insta::assert_snapshot!(error(Request { method: "TRACE".to_owned(), ..Request::get("https://a.example/?s=1") }), @"invalid request to `https://a.example/`: unsupported method `TRACE`: use GET, HEAD, POST, PUT, PATCH or DELETE");
        insta::assert_snapshot!(error(Request::get("/v2/")), @"invalid request to `/v2/`: relative URL without a base");
        insta::assert_snapshot!(error(Request::get("file:///etc/passwd")), @"invalid request to `file:/etc/passwd`: the scheme must be `https` or `http`");
        insta::assert_snapshot!(error(Request::get("https://me:pw@a.example/")), @"invalid request to `https://a.example/`: the URL contains a user name or password");
        insta::assert_snapshot!(error(Request::get(format!("https://a.example/{}", "x".repeat(MAX_URL)))), @"invalid request to `https://a.example/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…`: the URL is longer than 8192 bytes");
        insta::assert_snapshot!(error(with_header("Authorization", "Basic x")), @"invalid request to `https://a.example/x`: only the host may set the header `authorization`");
        insta::assert_snapshot!(error(with_header("Transfer-Encoding", "chunked")), @"invalid request to `https://a.example/x`: only the host may set the header `transfer-encoding`");
        insta::assert_snapshot!(error(with_header("x y", "z")), @"invalid request to `https://a.example/x`: `x y` is not a header name");
        insta::assert_snapshot!(error(with_header("x", "a\r\nHost: b")), @"invalid request to `https://a.example/x`: the value of `x` contains control characters");
        let large =
            Request { body: Body::Bytes(vec![0; MAX_BODY + 1]), ..Request::get("https://a.example/") };
        insta::assert_snapshot!(error(large), @"invalid request to `https://a.example/`: the body has 4194305 bytes, more than 4194304");
        insta::assert_snapshot!(error(with_secret("https://a.example/", "x-token", "other")), @r#"the secret `other`: no `secrets` grant names it; to allow it, write grants = { secrets = ["broken", "token", "other"] }"#);
        insta::assert_snapshot!(error(with_secret("https://a.example/", "host", "token")), @"invalid request to `https://a.example/`: only the host may set the header `host`");
        insta::assert_snapshot!(error(with_secret("http://a.example/", "x-token", "token")), @"invalid request to `http://a.example/`: the secret `token` is sent only over https or to this machine");
        insta::assert_snapshot!(error(with_secret("https://a.example/", "x-token", "broken")), @"invalid request to `https://a.example/`: the prefix or the secret `broken` contains control characters");
        let other =
            Request { credentials: Some("b.example".to_owned()), ..Request::get("https://a.example/") };
        insta::assert_snapshot!(error(other), @r#"the credentials of `b.example`: no `credentials` grant names them; to allow it, write grants = { credentials = ["a.example", "b.example"] }"#);
    }

    #[test]
    fn the_largest_request_passes_and_one_more_is_too_much() {
        let url = |size: usize| Request::get(format!("{:x<size$}", "https://a.example/"));
        let headers = |count: usize| Request {
            headers: vec![("x".to_owned(), String::new()); count - 1],
            ..with_secret("https://a.example/", "x-token", "token")
        };
        let bytes = |size: usize| with_header("x", &"v".repeat(size - 1));
        let body =
            |size: usize| Request { body: Body::Bytes(vec![0; size]), ..Request::get("https://a.example/") };
        for (limit, request) in [
            (MAX_URL, &url as &dyn Fn(usize) -> Request),
            (MAX_HEADERS, &headers),
            (MAX_HEADER_BYTES, &bytes),
            (MAX_BODY, &body),
        ] {
            prepare(request(limit)).unwrap();
            let error = prepare(request(limit + 1)).unwrap_err();
            assert!(error.contains(&limit.to_string()), "{error}");
        }
    }

    #[test]
    fn every_header_of_the_host_is_refused() {
        for name in HOST_HEADERS {
            let error = prepare(with_header(name, "x")).unwrap_err();
            assert!(error.ends_with(&format!("only the host may set the header `{name}`")), "{error}");
            let with_secret = prepare(with_secret("https://a.example/", name, "token"));
            assert_eq!(with_secret.is_ok(), name == "authorization", "{name}");
        }
        let both = Request {
            credentials: Some("a.example".to_owned()),
            ..with_secret("https://a.example/", "authorization", "token")
        };
        insta::assert_snapshot!(prepare(both).unwrap_err(), @"invalid request to `https://a.example/`: it uses both `credentials` and a secret `authorization`");
    }

    #[test]
    fn secrets_are_filled_in_and_never_printed() {
        let prepared = prepare(with_secret("https://a.example/", "Authorization", "token")).unwrap();
        assert_eq!(prepared.secret_headers["authorization"], "Bearer hunter2");
        assert!(!format!("{prepared:?}").contains("hunter2"));
    }
}
