//! `seed run`: plugins, source, selection, packing, signing, publishing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use seed_model::Digest;

use crate::capabilities::RunKeyring;
use crate::durable;
use crate::engine::{Engine, RunOptions};
use crate::error::{EngineError, ErrorKind};
use crate::events::{EventSink, Level, Step};
use crate::pipeline::Pipeline;
use crate::prepare::{Planned, Prepared, prepare};
use crate::record::{Record, RecordedPlace, RecordedPlugin};
use crate::release::{self, Release};
use crate::stages::{self, PackedImage};
use crate::summary::{ImageSummary, LayerSummary, LockState, RunSummary, SCHEMA};

pub(crate) fn run(
    engine: &Engine,
    pipeline: &Pipeline,
    options: &RunOptions,
    sink: Arc<dyn EventSink>,
) -> Result<RunSummary, EngineError> {
    let mut prepared = prepare(engine, pipeline, options, sink)?;
    if let Some(path) = &options.record {
        check_record(&prepared, path)?;
    }
    // Keys are opened before the long part, so that a wrong password is told at once.
    let keyrings = if options.pack_only { Vec::new() } else { release::keyrings(engine, &prepared)? };
    let settled = prepared.lock.settle(prepared.locked_plugins())?;

    let planned = prepared.plan()?;
    prepared.write_pins(&planned)?;
    let images = pack(&mut prepared, &planned)?;
    let summaries: Vec<_> =
        planned.iter().zip(&images).map(|(planned, image)| image_summary(planned, image)).collect();
    let (release, lock) = if options.pack_only {
        (release::unpublished(&prepared, &images)?, settled)
    } else {
        publish(&mut prepared, options, (&keyrings, settled), &images)?
    };
    if let Some(path) = &options.record {
        record(&prepared, &images[0], &summaries[0], &release).write(path)?;
    }

    Ok(RunSummary {
        schema: SCHEMA,
        name: pipeline.seed.name.clone(),
        digest: release.digest,
        images: summaries,
        signatures: release.signatures,
        published: release.published,
        verify_with: release.verify_with,
        notes: planned.iter().flat_map(|planned| planned.plan.notes.iter().cloned()).collect(),
        legal: planned.iter().filter_map(|planned| planned.legal.clone()).collect(),
        plugins: prepared.plugins.all().map(|plugin| plugin.identity.clone()).collect(),
        steps: {
            prepared.times.sort_by_key(|time| time.step);
            prepared.times
        },
        lock,
    })
}

/// Signs and publishes. The lock learns of it where that is for all of the pipeline's systems.
fn publish(
    prepared: &mut Prepared<'_>,
    options: &RunOptions,
    (keyrings, settled): (&[Arc<RunKeyring>], LockState),
    images: &[PackedImage],
) -> Result<(Release, LockState), EngineError> {
    // A tag stands for all systems: with some of them missing it would lose the others.
    let complete = options.record.is_none() && prepared.is_complete();
    if !complete && options.record.is_none() {
        let text = "this run is not for all of the pipeline's systems: registries get it by digest only, and tags stay \
                    where they are; `--record FILE` and `seed index` compose the index";
        prepared.context.events.message(Level::Warning, text);
    }
    let release = release::release(prepared, keyrings, images, complete)?;
    let lock = if complete { release::lock(prepared, settled, images, &release)? } else { settled };
    Ok((release, lock))
}

/// Refuses a record that could not be written after all is published, or that would be of several images.
fn check_record(prepared: &Prepared<'_>, path: &Path) -> Result<(), EngineError> {
    if prepared.systems.len() > 1 {
        let names: Vec<_> = prepared.systems.iter().map(|(system, _)| system.as_str()).collect();
        return Err(ErrorKind::Usage {
            message: format!("a record is of one system, and this run is for {}", names.join(", ")),
            help: format!("name one: `--system {} --record {}`", names[0], path.display()),
        }
        .into());
    }
    if path.is_dir() || !durable::directory(path).is_dir() {
        return Err(ErrorKind::Usage {
            message: format!("`{}` cannot be the file of a record", path.display()),
            help: "name a file in a directory that exists".to_owned(),
        }
        .into());
    }
    Ok(())
}

fn record(prepared: &Prepared<'_>, image: &PackedImage, summary: &ImageSummary, release: &Release) -> Record {
    let plugin = |plugin: &crate::plugins::ResolvedPlugin| RecordedPlugin {
        stage: plugin.used.stage.section().to_owned(),
        source: plugin.identity.source.clone(),
        name: plugin.identity.name.clone(),
        version: plugin.identity.version.clone(),
        digest: plugin.identity.digest,
    };
    let place = |published: &crate::summary::PublishedSummary| RecordedPlace {
        plugin: published.plugin.clone(),
        reference: published.reference.clone(),
        digest: published.digest,
    };
    Record::new(
        &prepared.context.pipeline.seed.name,
        summary,
        image.image.manifest.clone(),
        prepared.plugins.all().map(plugin).collect(),
        prepared.context.variables.clone(),
        release.published.iter().map(place).collect(),
    )
}

fn pack(prepared: &mut Prepared<'_>, planned: &[Planned]) -> Result<Vec<PackedImage>, EngineError> {
    let (context, plugin, times) = (&prepared.context, &prepared.plugins.pack, &mut prepared.times);
    let mut images = Vec::new();
    for Planned { system, platform, built, plan, .. } in planned {
        images.push(context.events.step(times, Step::Pack, Some(system), || {
            stages::pack(context, plugin, (system, platform), plan, built).map_err(EngineError::from)
        })?);
    }
    Ok(images)
}

fn image_summary(planned: &Planned, image: &PackedImage) -> ImageSummary {
    let by_digest: BTreeMap<Digest, _> = image
        .packed
        .iter()
        .map(|(layer, packed)| (packed.layer.descriptor.digest, (*layer, packed.cached)))
        .collect();
    let layers = image.image.layers.iter().map(|layer| {
        let made = by_digest.get(&layer.descriptor.digest);
        // A layer that the packer wrote itself has no place in the plan.
        let plan = made.map(|(index, _)| &planned.plan.layers[*index as usize]);
        LayerSummary {
            name: plan.map_or_else(String::new, |layer| layer.name.clone()),
            digest: layer.descriptor.digest,
            diff_id: layer.diff_id,
            size: layer.descriptor.size,
            nar_size: plan.map_or(0, |layer| planned.nar_size(layer)),
            paths: plan.map_or(0, |layer| layer.paths.len()),
            cached: made.is_some_and(|(_, cached)| *cached),
        }
    });
    ImageSummary {
        system: image.system.clone(),
        platform: image.platform.clone(),
        digest: image.image.manifest.digest,
        closure: planned.closure_digest(),
        layers: layers.collect(),
    }
}
