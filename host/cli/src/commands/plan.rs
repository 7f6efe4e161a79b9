//! `seed plan`.

use std::path::PathBuf;

use clap::Args;
use seed_engine::{PlanOptions, WhyOptions};
use seed_report::Error;

use crate::session::{self, EngineArgs, Session};
use crate::summary;

/// Show what a run would do: layers, paths, sizes, keys, and what is cached
///
/// Nix builds what is missing, because the plan depends on the closure. Packs, signs and publishes nothing, and does
/// not write `seed.lock`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  seed plan                                  layers of pipeline.toml as a table
  seed plan --paths                          and each store path in them
  seed plan --why glibc                      what refers to it, from the layer down
  seed plan --lock-layers                    keep these layers in later runs
  seed plan --json > plan.json               to compare with another plan")]
pub(crate) struct PlanArgs {
    /// The pipeline file, or a directory that holds a `pipeline.toml`
    #[arg(default_value = "pipeline.toml")]
    pipeline: PathBuf,

    /// Show each store path of each layer
    #[arg(long)]
    paths: bool,

    /// Show only which references bring a package into the image
    ///
    /// NAME is a package name (`glibc` matches any version, `*` matches any text) or a full store path. Also works
    /// for images that are too large or contain forbidden paths.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["paths", "locked", "lock_layers"])]
    why: Option<String>,

    /// Write the layers to the layer lock, the file that `layer-lock` in `[select]` names
    ///
    /// Later runs keep these layers. Locked layers that have not changed stay as they are. Changed layers must be
    /// uploaded again anyway, so they are split again, by how often each package has changed.
    #[arg(long, conflicts_with = "locked")]
    lock_layers: bool,

    /// Fail if a run with `--locked` would fail
    #[arg(long)]
    locked: bool,

    /// Plan for this Nix system only (can be repeated)
    #[arg(long, value_name = "SYSTEM")]
    system: Vec<String>,

    #[command(flatten)]
    engine: EngineArgs,
}

pub(crate) fn run(args: &PlanArgs, session: &Session) -> Result<(), Error> {
    let pipeline = session::pipeline(&args.pipeline)?;
    let engine = session.engine(&args.engine, None);
    if let Some(wanted) = &args.why {
        let options = WhyOptions { wanted: wanted.clone(), systems: args.system.clone() };
        let why = engine.why(&pipeline, &options, session.progress())?;
        return session.show(&why, summary::why_depends::why);
    }
    let options =
        PlanOptions { locked: args.locked, systems: args.system.clone(), lock_layers: args.lock_layers };
    let plan = engine.plan(&pipeline, &options, session.progress())?;
    session.show(&plan, |plan| summary::plan::plan(plan, args.paths))
}
