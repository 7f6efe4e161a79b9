//! Records that must agree: with the pipeline file, with its plugins, and with each other.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use seed_model::Stage;
use seed_report::Error;

use crate::capabilities::RunKeyring;
use crate::commands::index::error::IndexError;
use crate::pipeline::Pipeline;
use crate::prepare::Prepared;
use crate::record::{Record, RecordedSignature};
use crate::stages::{self, Subject};

/// A record and its file.
pub(super) type RecordFile = (PathBuf, Record);

/// Reads the records, sorted by system: one for each of the pipeline's systems. Where the pipeline file names none, the
/// records say which there are. All are of the run `run`.
pub(super) fn read(
    pipeline: &Pipeline,
    paths: &[PathBuf],
    run: Option<&str>,
) -> Result<Vec<RecordFile>, Error> {
    let mut records: BTreeMap<String, RecordFile> = BTreeMap::new();
    for path in paths {
        let record = Record::load(path)?;
        let path = path.clone();
        let expected = &pipeline.seed.name;
        if record.name != *expected {
            return Err(IndexError::Name { path, found: record.name, expected: expected.clone() }.into());
        }
        if record.run.as_deref() != run {
            let shown = |run: Option<&str>| run.map_or_else(|| "none".to_owned(), str::to_owned);
            let (found, expected) = (shown(record.run.as_deref()), shown(run));
            return Err(IndexError::Run { path, found, expected }.into());
        }
        if pipeline.systems_given && !pipeline.systems.contains(&record.system) {
            let help = format!("its systems are {}", pipeline.systems.join(", "));
            return Err(IndexError::System { path, system: record.system, help }.into());
        }
        let system = record.system.clone();
        if let Some((first, _)) = records.get(&system) {
            return Err(IndexError::Twice { system, first: first.clone(), second: path }.into());
        }
        records.insert(system, (path, record));
    }
    if pipeline.systems_given {
        let missing = pipeline.systems.iter().filter(|system| !records.contains_key(*system));
        let systems: Vec<String> = missing.cloned().collect();
        if let Some(first) = systems.first() {
            let help = format!(
                "run `seed run --system {first} --record {first}.json` on a machine that builds for it, \
                 then pass the file to `seed index`"
            );
            return Err(IndexError::NoRecord { systems, help }.into());
        }
    }
    let records: Vec<RecordFile> = records.into_values().collect();
    check_source(&records)?;
    Ok(records)
}

/// A commit stands for the sources; where they have none, nothing is known of them.
fn check_source(records: &[RecordFile]) -> Result<(), IndexError> {
    let mut commits =
        records.iter().filter_map(|(path, record)| Some((path, record.variables.get("commit")?)));
    let Some((first, first_commit)) = commits.next() else { return Ok(()) };
    match commits.find(|(_, commit)| *commit != first_commit) {
        None => Ok(()),
        Some((second, second_commit)) => Err(IndexError::Source {
            first: first.clone(),
            first_commit: first_commit.clone(),
            second: second.clone(),
            second_commit: second_commit.clone(),
        }),
    }
}

/// What decided on layers and bytes must be the same everywhere, or the images are not what one run would make.
pub(super) fn check_plugins(prepared: &Prepared<'_>, records: &[RecordFile]) -> Result<(), IndexError> {
    for plugin in [&prepared.plugins.select, &prepared.plugins.pack] {
        let stage: Stage = plugin.used.stage;
        for (path, record) in records {
            let recorded = record.plugins.iter().find(|recorded| recorded.stage == stage.section());
            let recorded = match recorded {
                Some(recorded) if recorded.digest == plugin.identity.digest => continue,
                Some(recorded) => recorded.digest.to_string(),
                None => "none".to_owned(),
            };
            return Err(IndexError::Plugin {
                path: path.clone(),
                stage: stage.section(),
                plugin: plugin.identity.reference.clone(),
                recorded,
                here: plugin.identity.digest,
            });
        }
    }
    Ok(())
}

/// Each signing plugin of this pipeline has signed each record. Without one, nobody vouches for what is published, and
/// nobody does for the records.
pub(super) fn check_signatures(
    prepared: &Prepared<'_>,
    keyrings: &[Arc<RunKeyring>],
    records: &[RecordFile],
) -> Result<(), IndexError> {
    for (path, record) in records {
        let (descriptor, _) = record.signed_part();
        let subject = Subject { descriptor: &descriptor, system: Some(&record.system), references: &[] };
        for (plugin, keyring) in prepared.plugins.sign.iter().zip(keyrings) {
            let reference = &plugin.identity.reference;
            let own = record.signatures.iter().filter(|signature| signature.plugin == *reference);
            let unsigned = || IndexError::Unsigned { path: path.clone(), plugin: reference.clone() };
            let own: Option<Vec<_>> = own.map(RecordedSignature::signature).collect();
            let own = own.filter(|own| !own.is_empty()).ok_or_else(unsigned)?;
            stages::check_endorsement(&prepared.context, plugin, keyring, subject, &own)
                .map_err(|error| IndexError::Signature { path: path.clone(), source: Box::new(error) })?;
        }
    }
    Ok(())
}

/// The facts of the source that all records agree on.
pub(super) fn variables(records: &[RecordFile]) -> BTreeMap<String, String> {
    let Some(((_, first), others)) = records.split_first() else { return BTreeMap::new() };
    let mut variables = first.variables.clone();
    variables.retain(|name, value| others.iter().all(|(_, other)| other.variables.get(name) == Some(value)));
    variables
}
