//! `seed index`: one index over images that runs on several machines published by digest.
//!
//! All is checked before anything is published: the records agree with the pipeline file and with each other, and each
//! place that will be tagged has the images that they name. The index has the bytes that one run for all systems makes.

mod children;
mod error;
mod records;

use std::path::PathBuf;
use std::sync::Arc;

use seed_report::Error;

use crate::events::{EventSink, Level, Step};
use crate::pipeline::Pipeline;
use crate::prepare::{Request, prepare};
use crate::record::Record;
use crate::release;
use crate::session::Session;
use crate::summary::RunSummary;

/// What to compose an index of.
#[derive(Clone, Debug, Default)]
pub struct IndexOptions {
    /// The records of the runs, one per system.
    pub records: Vec<PathBuf>,
    /// Leave the lock alone, and refuse plugins that it does not have.
    pub locked: bool,
    /// The run that the records must be of; none where they say nothing of it.
    pub run: Option<String>,
}

/// Composes an index over images that runs with a record published, signs and publishes it.
pub(crate) fn index(
    session: &Session,
    pipeline: &Pipeline,
    options: &IndexOptions,
    sink: Arc<dyn EventSink>,
) -> Result<RunSummary, Error> {
    let records = records::read(pipeline, &options.records, options.run.as_deref())?;
    let systems: Vec<_> = records.iter().map(|(_, record)| record.system.clone()).collect();
    let request = Request { locked: options.locked, systems: &systems, ..Request::default() };
    let mut prepared = prepare(session, pipeline, request, sink)?;
    records::check_plugins(&prepared, &records)?;
    let keyrings = release::keyrings(&prepared)?;
    records::check_signatures(&prepared, &keyrings, &records)?;
    if options.run.is_none() && !keyrings.is_empty() {
        let text = "the records name no run, so an older one could take the place of a new one; pass the same \
                    `--run` to `seed run --record` and to `seed index`";
        prepared.context.events.message(Level::Warning, text);
    }
    prepared.context.variables = records::variables(&records);

    let context = &prepared.context;
    let images = context.events.step(Step::Fetch, None, || {
        children::fetch(context, &prepared.plugins, &records).map(|images| (images, false))
    })?;
    prepared.lock.settle(prepared.locked_plugins())?;
    let release = release::release(&prepared, &keyrings, &images, true)?;
    release::lock(&mut prepared, &images, &release)?;
    let images = records.iter().map(|(_, record)| Record::summary(record)).collect();
    // There are no plans: each run showed its notes and what it granted, and its image's annotations say so.
    Ok(release::summary(&prepared, &[], images, release))
}
