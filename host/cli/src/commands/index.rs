//! `seed index`.

use std::path::{Path, PathBuf};

use clap::Args;
use seed_engine::IndexOptions;
use seed_engine::lock::lock_path;
use seed_report::Error;

use crate::session::{self, EngineArgs, Session};
use crate::summary;

/// Compose, sign and tag an index of images that single-system runs published
///
/// Each file is a record written by `seed run --system SYSTEM --record FILE`. Before it publishes anything, `seed`
/// looks up every image by digest where the pipeline publishes, and compares it with its record. The index is
/// identical to that of a single run for all systems. It gets the tags of the pipeline file, and `latest` only if the
/// file asks for it.
#[derive(Debug, Args)]
#[command(
    override_usage = "seed index [OPTIONS] [PIPELINE] <RECORD>...",
    after_long_help = "\
Examples:
  seed index x86.json arm.json               for pipeline.toml in this directory
  seed index images/api.toml *.json          for another pipeline file"
)]
pub(crate) struct IndexArgs {
    /// The records, one per system of the pipeline. If `pipeline.toml` is not in this directory, name the pipeline
    /// file (`*.toml`) or the directory that holds it first
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<PathBuf>,

    /// Do not change `seed.lock`, and fail if its plugins would change
    #[arg(long)]
    locked: bool,

    /// The run that the records are of, as `seed run --run` named it
    #[arg(long, value_name = "ID")]
    run: Option<String>,

    #[command(flatten)]
    engine: EngineArgs,
}

pub(crate) fn run(args: &IndexArgs, session: &Session) -> Result<(), Error> {
    let (pipeline, records) = split(&args.records);
    let pipeline = session::pipeline(pipeline)?;
    let engine = session.engine(&args.engine, None);
    let options = IndexOptions { records: records.to_vec(), locked: args.locked, run: args.run.clone() };
    let made = engine.index(&pipeline, &options, session.progress())?;
    session.show(&made, |made| {
        summary::run::run(made, &lock_path(&pipeline.file.path), session.printer.verbosity())
    })
}

/// The pipeline file, if it stands first, and the records.
fn split(paths: &[PathBuf]) -> (&Path, &[PathBuf]) {
    match paths.split_first() {
        Some((first, records)) if first.is_dir() || first.extension().is_some_and(|end| end == "toml") => {
            (first, records)
        }
        _ => (Path::new("pipeline.toml"), paths),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_path_may_be_the_pipeline() {
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        let all = paths(&["api.toml", "a.json"]);
        assert_eq!(split(&all), (Path::new("api.toml"), &all[1..]));
        let all = paths(&["a.json", "b.json"]);
        assert_eq!(split(&all), (Path::new("pipeline.toml"), &all[..]));
        let all = paths(&[env!("CARGO_MANIFEST_DIR"), "a.json"]);
        assert_eq!(split(&all).1, &all[1..]);
    }
}
