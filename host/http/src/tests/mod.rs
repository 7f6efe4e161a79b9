//! The client against real servers on loopback.

mod authentication;
mod authorisation;
mod child;
mod transfer;

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seed_model::Digest;
use seed_tests::{PASSWORD, Server, USER};

use crate::body::BlobSource;
use crate::client::{Client, Options};
use crate::credentials::{Anonymous, Credential, CredentialError, CredentialStore, Secret};
use crate::error::Error;
use crate::grants::Grants;
use crate::limits::HttpLimits;
use crate::message::{BlobRange, Body, Request};
use crate::progress::Progress;
use crate::resolver::Lookup;

/// Options that grant these origins, with short time limits.
fn options(origins: &[String]) -> Options {
    Options {
        grants: Grants { origins: origins.iter().map(|o| o.parse().unwrap()).collect(), ..Grants::default() },
        credential_store: Arc::new(Anonymous),
        blobs: None,
        progress: None,
        limits: HttpLimits { retry_waits: vec![Duration::from_millis(10); 2], ..HttpLimits::default() },
        time: None,
    }
}

fn client(origins: &[String]) -> Client {
    Client::new(options(origins))
}

/// One user with one password, for one registry.
#[derive(Debug)]
struct OneCredential(String, Credential);

impl CredentialStore for OneCredential {
    fn get(&self, registry: &str) -> Result<Option<Credential>, CredentialError> {
        Ok((registry == self.0).then(|| self.1.clone()))
    }
}

/// The password of the one user that registries of tests know.
fn password() -> Credential {
    Credential::Password { username: USER.to_owned(), password: Secret::new(PASSWORD) }
}

/// A client that is granted these origins and the credentials of `registry`.
fn client_with_password(origins: &[String], registry: &str) -> Client {
    client_with(origins, registry, Some(password()))
}

fn client_with(origins: &[String], registry: &str, credential: Option<Credential>) -> Client {
    Client::new(options_with(origins, registry, credential))
}

fn options_with(origins: &[String], registry: &str, credential: Option<Credential>) -> Options {
    let mut options = options(origins);
    options.grants.credentials = BTreeSet::from([registry.to_owned()]);
    if let Some(credential) = credential {
        options.credential_store = Arc::new(OneCredential(registry.to_owned(), credential));
    }
    options
}

/// A name server that points every name at this machine. The check that counts is the one at the connection, which is
/// the only time that a name is resolved: an earlier answer could have been another.
#[derive(Debug)]
struct PointsInside;

impl Lookup for PointsInside {
    fn addresses(&self, _: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        Box::pin(async { Ok(vec!["127.0.0.1".parse().unwrap()]) })
    }
}

fn with_credentials(registry: &str, request: Request) -> Request {
    Request { credentials: Some(registry.to_owned()), ..request }
}

/// One blob.
#[derive(Debug)]
struct OneBlob(Vec<u8>);

impl BlobSource for OneBlob {
    fn open(&self, digest: Digest, offset: u64, length: u64) -> io::Result<Box<dyn Read + Send>> {
        if digest != Digest::of(&self.0) {
            return Err(io::Error::new(io::ErrorKind::NotFound, "it is not part of this run"));
        }
        let (offset, length) = (usize::try_from(offset).unwrap(), usize::try_from(length).unwrap());
        let end = (offset + length).min(self.0.len());
        Ok(Box::new(io::Cursor::new(self.0[offset..end].to_vec())))
    }
}

fn blob_body(content: &[u8], offset: u64, length: u64) -> Body {
    Body::Blob(BlobRange { digest: Digest::of(content), offset, length })
}

/// Remembers what it was told.
#[derive(Debug, Default)]
struct Recorded(Mutex<Vec<String>>);

impl Progress for Recorded {
    fn start(&self, label: &str, total: u64) -> u64 {
        self.0.lock().unwrap().push(format!("{label} of {total}"));
        7
    }

    fn advance(&self, task: u64, bytes: u64) {
        self.0.lock().unwrap().push(format!("{task} +{bytes}"));
    }

    fn end(&self, task: u64) {
        self.0.lock().unwrap().push(format!("{task} ended"));
    }
}

/// The message of an error, with the port of each server replaced by its letter.
fn message(error: &Error, servers: &[&Server]) -> String {
    let mut text = error.to_string();
    for (letter, server) in ('A'..).zip(servers) {
        text = text.replace(&server.port().to_string(), &letter.to_string());
    }
    text
}
