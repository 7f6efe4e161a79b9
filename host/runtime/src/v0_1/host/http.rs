//! Interface `http`.

use std::sync::Arc;

use seed_http::Client;
use wasmtime::Result;

use crate::InvalidOutput;
use crate::state::State;
use crate::v0_1::bindings::seed::pipeline::http::{Error, Host, Request, Response};
use crate::v0_1::convert;

impl Host for State {
    fn send(&mut self, request: Request) -> Result<Result<Response, Error>> {
        self.timed(|state| {
            state.count_requests(1)?;
            Ok(client(state).and_then(|client| {
                let request = convert::request(request).map_err(invalid)?;
                client.send(request).map(Into::into).map_err(Into::into)
            }))
        })
    }

    fn send_all(&mut self, requests: Vec<Request>) -> Result<Vec<Result<Response, Error>>> {
        self.timed(|state| {
            state.count_requests(requests.len())?;
            Ok(match client(state) {
                Ok(client) => send_all(&client, requests),
                Err(error) => vec![Err(error); requests.len()],
            })
        })
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
            Err(error) => errors.push(Some(invalid(error))),
        }
    }
    let mut answers = client.send_all(well_formed).into_iter();
    let answer = |error: Option<Error>| match error {
        Some(error) => Err(error),
        None => answers.next().expect("one answer for each request").map(Into::into).map_err(Into::into),
    };
    errors.into_iter().map(answer).collect()
}

fn invalid(error: InvalidOutput) -> Error {
    Error::Invalid(format!("{}: {}", error.field, error.reason))
}

/// The capability. An engine that gives one says itself which origin is missing.
fn client(state: &State) -> Result<Arc<Client>, Error> {
    let denied = || state.denied("no origin is granted", "grants = { http = [\"https://HOST\"] }");
    state.capabilities.http.clone().ok_or_else(|| Error::Denied(denied().to_string()))
}
