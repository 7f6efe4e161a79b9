//! `seed plan`.

use std::path::PathBuf;

use clap::Args;
use seed_engine::{PlanOptions, WhyOptions};
use seed_report::Error;

use crate::session::{self, EngineArgs, Session};
use crate::summary;

/// Show what a run would do: layers, paths, sizes, keys, and what is cached
///
/// Nix builds what is missing, because the plan depends on the closure; nothing is packed, signed or published, and
/// `seed.lock` is not written.
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

    /// Show by which references a package is in the image, and nothing else
    ///
    /// NAME is the name of a package (`glibc` means any version; `*` stands for any text) or a whole store path. It also
    /// answers for an image that is too large or holds something forbidden.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["paths", "locked", "lock_layers"])]
    why: Option<String>,

    /// Write the layers to the file that `layer-lock` in `[select]` names, for later runs to keep
    ///
    /// Layers that were locked and did not change stay as they are. What has changed is sent again anyway, and is split anew,
    /// with what the file says of how often each package changed.
    #[arg(long, conflicts_with = "locked")]
    lock_layers: bool,

    /// Fail where a run with `--locked` would fail
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
