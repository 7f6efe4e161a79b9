//! `seed verify`.

use std::path::PathBuf;

use clap::Args;
use seed_engine::VerifyOptions;
use seed_report::Error;

use crate::commands::reference;
use crate::session::Session;
use crate::summary;

/// Verify that an image is complete and signed with your keys
///
/// Reads the whole image from an OCI layout directory, an archive or a registry, and checks every document, digest,
/// size and layer. Then verifies its cosign signatures, in both formats: each key must have signed. Contacts only the
/// registry.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  seed verify result --key cosign.pub                              a layout directory
  seed verify ghcr.io/org/app:v1 --key a.pub --key b.pub           a registry, two signers

Exit codes: 0 verified, 6 not signed with one of the keys, 2 invalid key or reference, 1 any other failure.")]
pub(crate) struct VerifyArgs {
    #[arg(help = reference::HELP, long_help = reference::LONG_HELP)]
    reference: String,

    /// PEM file of a public key that must have signed (can be repeated)
    #[arg(long = "key", value_name = "FILE", required = true)]
    keys: Vec<PathBuf>,
}

pub(crate) fn run(args: &VerifyArgs, session: &Session) -> Result<(), Error> {
    let options = VerifyOptions { reference: args.reference.clone(), keys: args.keys.clone() };
    let verified = session.engine_without_plugins(None).verify(&options)?;
    session.show(&verified, summary::verify::verified)
}
