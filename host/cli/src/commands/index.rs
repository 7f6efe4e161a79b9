//! `seed index`.

use std::path::{Path, PathBuf};

use clap::Args;
use seed_engine::IndexOptions;
use seed_engine::lock::lock_path;
use seed_report::Error;

use crate::session::{self, EngineArgs, Session};
use crate::summary;

/// Compose, sign and tag one index over images that runs for single systems published
///
/// Each file is a record that `seed run --system SYSTEM --record FILE` wrote. Every image is looked up by its digest where the
/// pipeline publishes, and compared with its record, before anything is published. The index has the same bytes as
/// if one run had built for all systems. Its tags are those of the pipeline file, `latest` only if that asks for it.
#[derive(Debug, Args)]
#[command(
    override_usage = "seed index [OPTIONS] [PIPELINE] <RECORD>...",
    after_long_help = "\
Examples:
  seed index x86.json arm.json               for pipeline.toml in this directory
  seed index images/api.toml *.json          for another pipeline file"
)]
pub(crate) struct IndexArgs {
    /// The records, one per system of the pipeline; before them the pipeline file (its name ends in `.toml`) or a directory that
    /// holds a `pipeline.toml`, if it is not in this directory
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<PathBuf>,

    /// Leave `seed.lock` alone, and fail if its plugins would have to change
    #[arg(long)]
    locked: bool,

    #[command(flatten)]
    engine: EngineArgs,
}

pub(crate) fn run(args: &IndexArgs, session: &Session) -> Result<(), Error> {
    let (pipeline, records) = split(&args.records);
    let pipeline = session::pipeline(pipeline)?;
    let engine = session.engine(&args.engine, None);
    let options = IndexOptions { records: records.to_vec(), locked: args.locked };
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
