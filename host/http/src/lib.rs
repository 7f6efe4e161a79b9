//! The only crate that opens sockets: origins, private addresses, credentials, streamed bodies.
//!
//! A [`Client`] belongs to one plugin (or to the host itself) and mirrors interface `http` of `publishing.wit`. It
//! reaches the origins of its [`Grants`], checks every redirect and every resolved address again, answers the
//! challenges of registries with credentials that its caller never sees, and streams blobs from disk.
//!
//! Proxy variables (`HTTPS_PROXY` and so on) are not read: a proxy resolves names itself, past the check of addresses.
//! Certificates are those of the system, or of `$SSL_CERT_FILE` and `$SSL_CERT_DIR`. The reasons for these rules are
//! in `docs/design/http.md`.

// Numbers from outside are added up with a limit, or the sum is checked.
#![warn(clippy::arithmetic_side_effects)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::disallowed_methods,
        clippy::unwrap_used,
        reason = "tests fail by panicking"
    )
)]

mod activity;
mod address;
mod body;
mod challenge;
mod client;
mod credentials;
mod docker_config;
mod error;
mod exchange;
#[doc(hidden)]
pub mod fuzzing;
mod grants;
mod helper;
mod limits;
mod message;
mod origin;
mod prepare;
mod progress;
mod referred_origins;
mod resolver;
#[cfg(test)]
mod tests;
mod time_budget;
mod tokens;
mod wire;

pub use body::BlobSource;
pub use client::{Client, DownloadError, Options};
pub use credentials::{Anonymous, Credential, CredentialError, CredentialStore, Secret};
pub use docker_config::DockerConfig;
pub use error::Error;
pub use grants::{Grants, Reach, reaches, registry_url};
pub use limits::HttpLimits;
pub use message::{BlobRange, Body, MAX_BODY, Request, Response, SecretHeader};
pub use origin::{OriginError, OriginPattern, Scheme};
pub use progress::Progress;
pub use time_budget::TimeBudget;
