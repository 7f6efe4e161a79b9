//! `seed plugin inspect`.

use clap::Args;
use seed_engine::PluginInspectOptions;
use seed_report::Error;

use crate::session::{EngineArgs, Session};
use crate::summary;

/// Show a plugin's world, imports, exports, configuration schema, hash and size
///
/// Reads the component and asks it to describe itself, without any grant. Runs none of its stages.
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

pub(crate) fn run(args: &InspectArgs, session: &Session) -> Result<(), Error> {
    let options = PluginInspectOptions { reference: args.plugin.clone() };
    let plugin = session.engine(&args.engine, None).plugin_inspect(&options)?;
    session.show(&plugin, summary::plugin::plugin)
}
