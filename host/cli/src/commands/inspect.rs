//! `seed inspect`.

use clap::Args;
use seed_engine::InspectOptions;
use seed_report::Error;

use crate::commands::reference;
use crate::session::Session;
use crate::summary;

/// Show what an image holds: layers, sizes, largest paths, signatures
///
/// Reads an OCI layout directory, an OCI or Docker archive, or a registry. Checks everything that it fetches against
/// its digest. Lists signatures without verifying them.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  seed inspect result                        a layout directory
  seed inspect hello.tar                     an archive
  seed inspect ghcr.io/org/app:v1            a registry")]
pub(crate) struct InspectArgs {
    #[arg(help = reference::HELP, long_help = reference::LONG_HELP)]
    reference: String,

    /// How many of the largest paths to show
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=1000))]
    largest: u16,
}

pub(crate) fn run(args: &InspectArgs, session: &Session) -> Result<(), Error> {
    let options = InspectOptions { reference: args.reference.clone(), largest: args.largest.into() };
    let found = session.engine_without_plugins(None).inspect(&options)?;
    session.show(&found, |found| summary::inspection::inspection(&found.image))
}
