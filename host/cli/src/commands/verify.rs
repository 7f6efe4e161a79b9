//! `seed verify`.

use std::path::PathBuf;

use clap::Args;
use seed_engine::VerifyOptions;
use seed_report::Error;

use crate::session::Session;
use crate::summary;

/// Check that an image is whole, and signed with your keys
///
/// Reads all of an image in an OCI layout directory, an archive or a registry: every document, every digest and size, and
/// every layer to its end. Then looks for cosign's signatures of it, in both forms, and checks them against the keys.
/// Each key must have signed. Nothing but the registry is asked.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  seed verify result --key cosign.pub                              a layout directory
  seed verify ghcr.io/org/app:v1 --key a.pub --key b.pub           a registry, two signers

Exit codes: 0 verified, 6 not signed with a key, 2 a key or the reference cannot be used, 1 anything else.")]
pub(crate) struct VerifyArgs {
    /// A directory, a tar, or `host/repository` with `:tag` or `@sha256:…`
    reference: String,

    /// File of a public key that must have signed, as PEM (can be repeated)
    #[arg(long = "key", value_name = "FILE", required = true)]
    keys: Vec<PathBuf>,
}

pub(crate) fn run(args: &VerifyArgs, session: &Session) -> Result<(), Error> {
    let options = VerifyOptions { reference: args.reference.clone(), keys: args.keys.clone() };
    let verified = session.engine_without_plugins(None).verify(&options)?;
    session.show(&verified, summary::verify::verified)
}
