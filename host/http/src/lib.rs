//! The only crate that opens sockets: origins, private addresses, credentials, streamed bodies.

/// Placeholder until the crate's first commit.
#[derive(Debug)]
pub struct Client;
