//! What registries answer, and what their refusals mean.

use seed_plugin::StageError;
use seed_plugin::http::Response;
use serde::Deserialize;

/// How much of a registry's own message is passed on.
const MAX_MESSAGE: usize = 300;

/// The value of a header, whose name is given in lower case.
pub(crate) fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// Whether the status may pass: too many requests, or the server's own fault.
pub(crate) fn is_transient(status: u16) -> bool {
    status == 429 || (500..600).contains(&status)
}

/// The error for an unexpected answer to `what` ("push manifest …").
pub(crate) fn refusal(what: &str, response: &Response) -> StageError {
    let status = response.status;
    let message = format!("cannot {what}: the registry answered HTTP {status}{}", detail(&response.body));
    match status {
        401 | 403 => {
            StageError::Auth(format!("{message}; check that your account may push to this repository"))
        }
        404 => StageError::Remote(format!(
            "{message}; check the repository's name; some registries do not create repositories on push"
        )),
        413 => StageError::Remote(format!(
            "{message}; it limits the size of a request: set `chunk-size` in the publisher's `config`"
        )),
        status if is_transient(status) => StageError::Transient(message),
        _ => StageError::Remote(message),
    }
}

/// Refuses an answer that names another digest than the one that was asked for or sent.
pub(crate) fn check_digest(expected: &str, response: &Response) -> Result<(), StageError> {
    match header(response, "docker-content-digest") {
        Some(said) if said != expected => Err(StageError::Remote(format!(
            "digest mismatch: expected {expected}, but the registry answered {}",
            clip(said)
        ))),
        _ => Ok(()),
    }
}

/// The registry's own words (distribution-spec, "Error Codes").
fn detail(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<ErrorEntry>,
    }
    #[derive(Deserialize)]
    struct ErrorEntry {
        code: String,
        #[serde(default)]
        message: String,
    }
    let Ok(Errors { errors }) = serde_json::from_slice::<Errors>(body) else { return String::new() };
    let entry = |entry: &ErrorEntry| format!("{} {}", entry.code, entry.message).trim_end().to_owned();
    let text = errors.iter().take(3).map(entry).collect::<Vec<_>>().join(", ");
    if text.is_empty() { text } else { format!(" ({})", clip(&text)) }
}

fn clip(text: &str) -> String {
    if text.chars().count() <= MAX_MESSAGE {
        return text.to_owned();
    }
    text.chars().take(MAX_MESSAGE).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> Response {
        Response { status, headers: vec![], body: body.as_bytes().to_vec(), url: String::new() }
    }

    #[test]
    fn tells_what_to_do() {
        let body = r#"{"errors":[{"code":"DENIED","message":"no push"}]}"#;
        let StageError::Auth(text) = refusal("push blob x", &response(403, body)) else { panic!() };
        assert_eq!(
            text,
            "cannot push blob x: the registry answered HTTP 403 (DENIED no push); check that your account may push to \
             this repository"
        );
        assert!(matches!(refusal("x", &response(429, "")), StageError::Transient(_)));
        assert!(matches!(refusal("x", &response(503, "")), StageError::Transient(_)));
        assert!(matches!(refusal("x", &response(404, "<html>")), StageError::Remote(_)));
        let StageError::Remote(text) = refusal("x", &response(413, "")) else { panic!() };
        assert!(text.ends_with("set `chunk-size` in the publisher's `config`"), "{text}");
    }

    #[test]
    fn passes_on_a_bounded_message() {
        let body = format!(r#"{{"errors":[{{"code":"X","message":"{}"}}]}}"#, "é".repeat(1000));
        assert_eq!(detail(body.as_bytes()).chars().count(), MAX_MESSAGE + " ()…".chars().count());
    }

    #[test]
    fn notices_a_lie_about_a_digest() {
        let mut answer = response(201, "");
        assert_eq!(check_digest("sha256:aa", &answer), Ok(()));
        answer.headers.push(("docker-content-digest".to_owned(), "sha256:bb".to_owned()));
        let Err(StageError::Remote(text)) = check_digest("sha256:aa", &answer) else { panic!() };
        assert_eq!(text, "digest mismatch: expected sha256:aa, but the registry answered sha256:bb");
    }
}
