//! Interface `http`.

use std::sync::Arc;

use seed_http::Client;
use wasmtime::Result;

use crate::error::InvalidOutput;
use crate::state::State;
use crate::text::printable;
use crate::v0_1::bindings::seed::pipeline::http::{Body, Error, Host, Request, Response};
use crate::v0_1::convert;

/// The longest origin that a message shows, in bytes.
const ORIGIN: usize = 200;

impl Host for State {
    fn send(&mut self, request: Request) -> Result<Result<Response, Error>> {
        self.waiting(|state| {
            state.count_requests(1)?;
            state.count_bytes(body_size(&request))?;
            Ok(client(state, &request.url).and_then(|client| {
                let request = convert::request(request).map_err(|error| invalid(&error))?;
                client.send(request).map(Into::into).map_err(Into::into)
            }))
        })
    }

    fn send_all(&mut self, requests: Vec<Request>) -> Result<Vec<Result<Response, Error>>> {
        self.waiting(|state| {
            state.count_requests(requests.len())?;
            state.count_bytes(requests.iter().map(body_size).fold(0, u64::saturating_add))?;
            let Some(first) = requests.first() else { return Ok(Vec::new()) };
            Ok(match client(state, &first.url) {
                Ok(client) => send_all(&client, requests),
                Err(error) => vec![Err(error); requests.len()],
            })
        })
    }
}

/// The bytes that a request sends.
fn body_size(request: &Request) -> u64 {
    match &request.body {
        Body::Empty => 0,
        Body::Bytes(bytes) => bytes.len() as u64,
        Body::Blob(range) => range.length,
    }
}

/// Sends the requests that are well-formed, and puts the others' errors in their places.
fn send_all(client: &Client, requests: Vec<Request>) -> Vec<Result<Response, Error>> {
    let mut well_formed = Vec::new();
    let mut errors = Vec::new();
    for request in requests {
        match convert::request(request) {
            Ok(request) => {
                well_formed.push(request);
                errors.push(None);
            }
            Err(error) => errors.push(Some(invalid(&error))),
        }
    }
    let mut answers = client.send_all(well_formed).into_iter();
    let answer = |error: Option<Error>| match error {
        Some(error) => Err(error),
        None => answers.next().expect("one answer for each request").map(Into::into).map_err(Into::into),
    };
    errors.into_iter().map(answer).collect()
}

fn invalid(error: &InvalidOutput) -> Error {
    Error::Invalid(format!("{}: {}", error.field, error.reason))
}

/// The capability. One that is there says itself which origin is missing from its grants.
fn client(state: &State, url: &str) -> Result<Arc<Client>, Error> {
    state.capabilities.http.clone().ok_or_else(|| {
        // `scheme://host:port`, without what follows.
        let origin = printable(&url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/"), ORIGIN);
        Error::Denied(state.denied(&format!("`{origin}`"), &format!("http = [{origin:?}]")))
    })
}
