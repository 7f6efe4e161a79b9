//! `seed run`.

use std::path::PathBuf;

use clap::Args;
use miette::Diagnostic;
use seed_engine::RunOptions;
use seed_engine::lock::lock_path;
use seed_report::styled;
use seed_report::{Error, Kind, Report};

use crate::commands::exec::{self, Locked};
use crate::session::{self, EngineArgs, Session};
use crate::summary;

/// Build, pack, sign and publish what a pipeline file describes
///
/// Nix builds the outputs; then each stage's plugin decides what to do, and `seed` does it. Cached work is not
/// repeated. `seed.lock`, next to the pipeline file, records the plugins that ran: commit it, and use `--locked` in
/// CI.
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
    /// The run fails before it builds anything if a plugin is not in the lock file, or if its hash, imports or grants
    /// differ. The image digests in the file change with the sources: they are neither compared nor written.
    #[arg(long)]
    locked: bool,

    /// Build for this Nix system only (can be repeated)
    #[arg(long, value_name = "SYSTEM")]
    system: Vec<String>,

    /// Build and pack only: sign nothing, publish nothing
    ///
    /// For builds that must not publish, such as those of pull requests. Needs no key, password or login. A later run
    /// that publishes finds the packed layers in the cache.
    #[arg(long)]
    no_publish: bool,

    /// Publish the image of one system by digest only, and write FILE for `seed index`
    ///
    /// For pipelines whose systems are built on different machines. Sets no tag, and keeps the digests in
    /// `seed.lock`. `seed index` then checks the images of all systems against their records, and publishes and tags
    /// their index.
    #[arg(long, value_name = "FILE", conflicts_with = "no_publish")]
    record: Option<PathBuf>,

    /// Which run the record is of, such as a number that your CI gives; `seed index` requires the same
    ///
    /// Without it, an old record can take the place of a new one.
    #[arg(long, value_name = "ID", requires = "record")]
    run: Option<String>,

    /// Build nothing, and run a command in the locked seed, as `seed exec` does
    ///
    /// Accepts at most one `--system`. Runs neither Nix nor plugins, and publishes nothing.
    #[arg(long, conflicts_with_all = ["no_publish", "record", "locked"])]
    use_seed: bool,

    /// With `--use-seed`: the command and its arguments
    #[arg(last = true, value_name = "COMMAND", requires = "use_seed")]
    command: Vec<String>,

    /// Number of threads for packing and compression; does not affect the result
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
#[diagnostic(code("seed::cli::several-systems"), help("pass `--system` once"))]
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
        run: args.run.clone(),
    };
    let done = engine.run(&pipeline, &options, session.progress())?;
    let lock = lock_path(&pipeline.file.path);
    session.show(&done, |done| summary::run::run(done, &lock, session.printer.verbosity()))?;
    if let Some(record) = &args.record {
        session.printer.status(&styled!("Wrote {}: pass it to `seed index`.", record.display()));
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
