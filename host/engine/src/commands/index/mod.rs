//! `seed index`: one index over images that runs on several machines published by digest.
//!
//! All is checked before anything is published: the records agree with the pipeline file and with each other, and each
//! place that will be tagged has the images that they name. The index has the bytes that one run for all systems makes.

mod children;
mod error;
mod records;

use std::path::PathBuf;
use std::sync::Arc;

pub use error::IndexError;

use crate::engine::{Engine, RunOptions};
use crate::error::EngineError;
use crate::events::{EventSink, Step};
use crate::pipeline::Pipeline;
use crate::prepare::prepare;
use crate::record::Record;
use crate::release;
use crate::summary::{RunSummary, SCHEMA};

/// What to compose an index of.
#[derive(Clone, Debug, Default)]
pub struct IndexOptions {
    /// The records of the runs, one per system.
    pub records: Vec<PathBuf>,
    /// Leave the lock alone, and refuse plugins that it does not have.
    pub locked: bool,
}

pub(crate) fn index(
    engine: &Engine,
    pipeline: &Pipeline,
    options: &IndexOptions,
    sink: Arc<dyn EventSink>,
) -> Result<RunSummary, EngineError> {
    let records = records::read(pipeline, &options.records)?;
    let systems = records.iter().map(|(_, record)| record.system.clone()).collect();
    let run = RunOptions { locked: options.locked, systems, ..RunOptions::default() };
    let mut prepared = prepare(engine, pipeline, &run, sink)?;
    records::check_plugins(&prepared, &records)?;
    let keyrings = release::keyrings(engine, &prepared)?;
    prepared.context.variables = records::variables(&records);

    let context = &prepared.context;
    let images = context.events.step(&mut prepared.times, Step::Fetch, None, || {
        children::fetch(context, &prepared.plugins, &records).map(|images| (images, false))
    })?;
    let settled = prepared.lock.settle(prepared.locked_plugins())?;
    let release = release::release(&mut prepared, &keyrings, &images, true)?;
    let lock = release::lock(&prepared, settled, &images, &release)?;
    Ok(RunSummary {
        schema: SCHEMA,
        name: pipeline.seed.name.clone(),
        digest: release.digest,
        images: records.iter().map(|(_, record)| Record::summary(record)).collect(),
        signatures: release.signatures,
        published: release.published,
        verify_with: release.verify_with,
        notes: Vec::new(),
        // Each run showed what it granted, and its image's annotations say so.
        legal: Vec::new(),
        plugins: prepared.plugins.all().map(|plugin| plugin.identity.clone()).collect(),
        steps: {
            prepared.times.sort_by_key(|time| time.step);
            prepared.times
        },
        lock,
    })
}
