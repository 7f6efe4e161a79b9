//! What registries and other programs say about logging in.

use seed_http::fuzzing;

/// The value of a `WWW-Authenticate` header.
pub(crate) fn challenge(bytes: &[u8]) {
    fuzzing::challenge(&String::from_utf8_lossy(bytes));
}

/// A configuration file of Docker.
pub(crate) fn docker_config(bytes: &[u8]) {
    fuzzing::docker_config(bytes, "ghcr.io");
}
