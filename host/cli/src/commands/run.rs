//! `seed run`.

use std::path::PathBuf;

use clap::Args;
use miette::Diagnostic;
use seed_engine::RunOptions;
use seed_engine::lock::lock_path;
use seed_report::{Error, Kind, Report};

use crate::commands::exec::{self, Locked};
use crate::session::{self, EngineArgs, Session};
use crate::summary;

/// Build, pack, sign and publish what a pipeline file describes
///
/// Nix builds the outputs, then each stage's plugin decides and the host does the work. What is already in the cache
/// is not read, packed or uploaded again. The plugins that ran are recorded in `seed.lock` beside the pipeline file:
/// commit it, and use `--locked` in CI.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  seed run                                   pipeline.toml in this directory
  seed run images/api.toml --locked          in CI: nothing may differ from seed.lock
  seed run --system x86_64-linux             one of the pipeline's systems
  seed run --system aarch64-linux --record arm.json
                                             the same, for `seed index` on another machine
  seed run --use-seed -- make test           build nothing: a command in the locked seed
  seed run --json | jq -r .digest            the digest, for a script")]
pub(crate) struct RunArgs {
    /// The pipeline file, or a directory that holds a `pipeline.toml`
    #[arg(default_value = "pipeline.toml")]
    pipeline: PathBuf,

    /// Fail instead of changing `seed.lock`
    ///
    /// A plugin whose bytes, imports or grants differ from the lock file, or that is not in it, stops the run before
    /// anything is built. The digests of images in it change with the sources: they are neither compared nor written.
    #[arg(long)]
    locked: bool,

    /// Build for this Nix system only (can be repeated)
    #[arg(long, value_name = "SYSTEM")]
    system: Vec<String>,

    /// Build and pack only: sign nothing, publish nothing
    ///
    /// For changes that may not publish, such as a pull request: no key, password or login is needed, and what was
    /// packed is in the cache for the run that publishes.
    #[arg(long)]
    no_publish: bool,

    /// Publish the image of one system by digest only, and write FILE for `seed index`
    ///
    /// For pipelines whose systems are built on different machines: registries get no tag, and `seed.lock` keeps the digests that
    /// it has. `seed index` composes the images of all systems, checks them against the files, and tags.
    #[arg(long, value_name = "FILE", conflicts_with = "no_publish")]
    record: Option<PathBuf>,

    /// Build nothing: run a command in the seed that `seed.lock` has, as `seed exec` does
    ///
    /// With one `--system` at most. Neither Nix nor any plugin runs, and nothing is published.
    #[arg(long, conflicts_with_all = ["no_publish", "record", "locked"])]
    use_seed: bool,

    /// With `--use-seed`: the command and its arguments
    #[arg(last = true, value_name = "COMMAND", requires = "use_seed")]
    command: Vec<String>,

    /// Number of threads that pack and compress; the bytes do not depend on it
    ///
    /// Default: one per processor.
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,

    #[command(flatten)]
    engine: EngineArgs,
}

/// `--use-seed` with several systems.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("`--use-seed` runs the image of one system, but `--system` names several")]
#[diagnostic(code("seed::cli::several-systems"), help("give `--system` once"))]
struct SeveralSystems;

impl Report for SeveralSystems {
    fn kind(&self) -> Kind {
        Kind::Usage
    }
}

pub(crate) fn run(args: &RunArgs, session: &Session) -> Result<(), Error> {
    if args.use_seed {
        return use_seed(args, session);
    }
    let pipeline = session::pipeline(&args.pipeline)?;
    let engine = session.engine(&args.engine, args.threads);
    let options = RunOptions {
        locked: args.locked,
        systems: args.system.clone(),
        pack_only: args.no_publish,
        record: args.record.clone(),
    };
    let done = engine.run(&pipeline, &options, session.progress())?;
    let lock = lock_path(&pipeline.file.path);
    session.show(&done, |done| summary::run::run(done, &lock, session.printer.verbosity()))?;
    if let Some(record) = &args.record {
        session.printer.status(&format!("Wrote {}: give it to `seed index`.", record.display()));
    }
    Ok(())
}

/// `seed exec` under its other name.
fn use_seed(args: &RunArgs, session: &Session) -> Result<(), Error> {
    let ([] | [_]) = args.system.as_slice() else { return Err(SeveralSystems.into()) };
    let locked = Locked {
        pipeline: &args.pipeline,
        system: args.system.first().cloned(),
        command: &args.command,
        container_engine: None,
        without_entrypoint: false,
    };
    exec::start(&locked, &args.engine, session)
}
