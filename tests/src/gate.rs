//! How the registries of tests let clients in: they check what they are sent.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::server::{Received, Reply, Server};

/// The one user that registries of tests know.
pub const USER: &str = "me";
/// The user's password.
pub const PASSWORD: &str = "hunter2";
/// The name of every registry at its token service.
const SERVICE: &str = "registry of the test";

/// A refresh token that a token service takes for the user's.
pub const IDENTITY_TOKEN: &str = "refresh-me";

/// What a registry asks of its clients.
#[derive(Clone, Debug)]
pub enum Gate {
    /// Nothing.
    Open,
    /// User name and password, in every request.
    Basic,
    /// A token of the service at this realm, for the repository and for what is done with it.
    Bearer {
        /// The URL of the token service.
        realm: String,
    },
    /// The same, of a token service at `/token` of the registry itself.
    BearerHere,
}

impl Gate {
    /// What a request gets that may not come in: a challenge, mostly.
    pub fn refuse(&self, request: &Received) -> Option<Reply> {
        let authorization = request.header("authorization");
        match self {
            Self::Open => None,
            Self::Basic if authorization.is_some_and(is_password) => None,
            Self::Basic => Some(Reply::challenge("Basic realm=\"test\"")),
            Self::Bearer { realm } => challenge(realm, request),
            Self::BearerHere if request.target.starts_with("/token?") => Some(answer_token_request(request)),
            Self::BearerHere => {
                let scheme = if request.tls { "https" } else { "http" };
                let host = request.header("host").unwrap_or_default();
                challenge(&format!("{scheme}://{host}/token"), request)
            }
        }
    }
}

/// The challenge to a request without a token that allows it.
fn challenge(realm: &str, request: &Received) -> Option<Reply> {
    let scope = scope(request);
    let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    if token.is_some_and(|token| allows(token, &scope)) {
        return None;
    }
    let scope = if scope.is_empty() { String::new() } else { format!(",scope=\"{scope}\"") };
    Some(Reply::challenge(format!("Bearer realm=\"{realm}\",service=\"{SERVICE}\"{scope}")))
}

/// Starts a token service: it gives the user every scope that is asked for, a client without a password the right to
/// pull from repositories that begin with `public`, and nothing to a wrong password.
pub fn token_service() -> Server {
    Server::start(answer_token_request)
}

/// What a token service answers.
pub fn answer_token_request(request: &Received) -> Reply {
    let (query, user) = if request.method == "GET" {
        let query = request.target.split_once('?').map_or("", |(_, query)| query);
        match request.header("authorization") {
            None => (query.to_owned(), false),
            Some(value) if is_password(value) => (query.to_owned(), true),
            Some(_) => return Reply::status(401),
        }
    } else {
        let form = String::from_utf8(request.body.clone()).unwrap();
        if !form.split('&').any(|pair| pair == format!("refresh_token={IDENTITY_TOKEN}")) {
            return Reply::status(401);
        }
        (form, true)
    };
    let pairs: Vec<(String, String)> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), decoded(value)))
        .collect();
    if !pairs.iter().any(|(name, value)| name == "service" && value == SERVICE) {
        return Reply::status(400);
    }
    let asked = pairs.iter().filter(|(name, _)| name == "scope").flat_map(|(_, value)| value.split(' '));
    let granted: Vec<&str> = asked
        .filter(|scope| user || scope.starts_with("repository:public") && scope.ends_with(":pull"))
        .collect();
    let token = URL_SAFE_NO_PAD.encode(json!({"service": SERVICE, "scopes": granted}).to_string());
    Reply::ok(json!({"token": token, "expires_in": 300}).to_string())
}

fn is_password(authorization: &str) -> bool {
    authorization == format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")))
}

/// The scope that a request needs; empty where any token will do.
fn scope(request: &Received) -> String {
    let path = request.target.split('?').next().unwrap_or_default().strip_prefix("/v2/").unwrap_or_default();
    let end =
        ["/blobs/", "/manifests/", "/tags/", "/referrers/"].iter().filter_map(|part| path.rfind(part)).max();
    let Some(end) = end else { return String::new() };
    let actions = if matches!(request.method.as_str(), "GET" | "HEAD") { "pull" } else { "pull,push" };
    format!("repository:{}:{actions}", &path[..end])
}

fn allows(token: &str, scope: &str) -> bool {
    let decoded = URL_SAFE_NO_PAD.decode(token).ok();
    let token: Option<Value> = decoded.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    token.is_some_and(|token| {
        let scopes = token["scopes"].as_array().into_iter().flatten();
        token["service"] == SERVICE && (scope.is_empty() || scopes.into_iter().any(|own| own == scope))
    })
}

/// A value of a query or form, without its escapes.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    String::from_utf8(bytes).unwrap()
}
