//! `seed plugin inspect`.

use std::sync::Arc;

use clap::Args;

use crate::args::EngineArgs;
use crate::error::CliError;
use crate::printer::Printer;
use crate::{session, summary};

/// Show a plugin's world, imports, exports, configuration schema, hash and size
///
/// The component is read, and asked to describe itself without any grant; none of its stages runs.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  seed plugin inspect builtin:cosign-signer
  seed plugin inspect ./acme-signer.wasm
  seed plugin inspect builtin:oci-packer --json | jq '.\"config-schema\"'")]
pub(crate) struct InspectArgs {
    /// `builtin:NAME`, a file, or `oci://registry/repository:tag`
    plugin: String,

    #[command(flatten)]
    engine: EngineArgs,
}

pub(crate) fn run(args: &InspectArgs, printer: &Arc<Printer>) -> Result<(), CliError> {
    let plugin = session::engine(&args.engine, None, printer)?.plugin_inspect(&args.plugin)?;
    if printer.is_json() {
        printer.json(&plugin)?;
    } else {
        printer.data(&summary::plugin(&plugin))?;
    }
    Ok(())
}
