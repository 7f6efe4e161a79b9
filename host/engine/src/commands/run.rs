//! `seed run`: plugins, source, selection, packing, signing, publishing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use seed_report::Error;

use crate::capabilities::RunKeyring;
use crate::events::{EventSink, Level, Step};
use crate::pipeline::Pipeline;
use crate::prepare::{Planned, Prepared, Request, prepare};
use crate::record::{Record, RecordedPlace, RecordedPlugin, RecordedSignature};
use crate::release::{self, Release};
use crate::session::Session;
use crate::stages::{self, LayerOrigin, PackedImage, Subject};
use crate::summary::{ImageSummary, LayerSummary, PublishedSummary, RecordedLayer, RunSummary};
use crate::usage::UsageError;

/// What holds for one run.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Any needed change of the lock is an error.
    pub locked: bool,
    /// Systems instead of those in the pipeline file; empty for those.
    pub systems: Vec<String>,
    /// Build and pack only: no key is opened, nothing is signed or published.
    pub pack_only: bool,
    /// Publish by digest only, and write what `seed index` needs into this file; the run is for one system then.
    pub record: Option<PathBuf>,
    /// What the record says of which run it is.
    pub run: Option<String>,
}

/// Builds, packs, signs and publishes.
pub(crate) fn run(
    session: &Session,
    pipeline: &Pipeline,
    options: &RunOptions,
    sink: Arc<dyn EventSink>,
) -> Result<RunSummary, Error> {
    let request = Request { locked: options.locked, systems: &options.systems, ..Request::default() };
    let mut prepared = prepare(session, pipeline, request, sink)?;
    if let Some(path) = &options.record {
        check_record(&prepared, path)?;
    }
    // Keys are opened before the long part, so that a wrong password is told at once.
    let keyrings = if options.pack_only { Vec::new() } else { release::keyrings(&prepared)? };
    prepared.lock.settle(prepared.locked_plugins())?;

    let planned = prepared.plan()?;
    prepared.write_layer_locks(&planned)?;
    let images = pack(&prepared, &planned)?;
    let summaries: Vec<_> =
        planned.iter().zip(&images).map(|(planned, image)| image_summary(planned, image)).collect();
    let release = if options.pack_only {
        release::unpublished(&prepared, &images)?
    } else {
        publish(&mut prepared, options, &keyrings, &images)?
    };
    if let Some(path) = &options.record {
        let mut record = record(&prepared, &images[0], &summaries[0], &release, options.run.clone());
        endorse(&prepared, &keyrings, &mut record)?;
        record.write(path)?;
    }
    Ok(release::summary(&prepared, &planned, summaries, release))
}

/// Signs and publishes. The lock learns of it where that is for all of the pipeline's systems.
fn publish(
    prepared: &mut Prepared<'_>,
    options: &RunOptions,
    keyrings: &[Arc<RunKeyring>],
    images: &[PackedImage],
) -> Result<Release, Error> {
    // A tag stands for all systems: with some of them missing it would lose the others.
    let complete = options.record.is_none() && prepared.is_complete();
    if !complete && options.record.is_none() {
        let text = "this run does not cover all of the pipeline's systems: it pushes the images by digest \
                    and leaves the tags alone; use `--record FILE` and `seed index` to publish an index";
        prepared.context.events.message(Level::Warning, text);
    }
    let release = release::release(prepared, keyrings, images, complete)?;
    if complete {
        release::lock(prepared, images, &release)?;
    }
    Ok(release)
}

/// Refuses a record that could not be written after all is published, or that would be of several images.
fn check_record(prepared: &Prepared<'_>, path: &Path) -> Result<(), UsageError> {
    if prepared.targets.len() > 1 {
        let names: Vec<_> = prepared.targets.iter().map(|target| target.system.as_str()).collect();
        return Err(UsageError::new(
            format!("`--record` takes one system, but this run is for {}", names.join(", ")),
            format!("choose one: `--system {} --record {}`", names[0], path.display()),
        ));
    }
    if path.is_dir() || !seed_disk::parent(path).is_dir() {
        return Err(UsageError::new(
            format!("cannot write a record to `{}`", path.display()),
            "name a file in an existing directory",
        ));
    }
    Ok(())
}

/// Has every signing plugin sign the record.
fn endorse(prepared: &Prepared<'_>, keyrings: &[Arc<RunKeyring>], record: &mut Record) -> Result<(), Error> {
    let context = &prepared.context;
    let (descriptor, bytes) = record.signed_part();
    let subject = Subject { descriptor: &descriptor, system: Some(&record.system), references: &[] };
    let mut signatures = Vec::new();
    for (plugin, keyring) in prepared.plugins.sign.iter().zip(keyrings) {
        let reference = &plugin.identity.reference;
        for signature in stages::endorse(context, plugin, keyring, subject, &bytes)? {
            signatures.push(RecordedSignature::new(reference, &signature));
        }
    }
    record.signatures = signatures;
    Ok(())
}

fn record(
    prepared: &Prepared<'_>,
    image: &PackedImage,
    summary: &ImageSummary,
    release: &Release,
    run: Option<String>,
) -> Record {
    let plugin = |plugin: &crate::plugins::ResolvedPlugin| RecordedPlugin {
        stage: plugin.used.stage.section().to_owned(),
        reference: plugin.identity.reference.clone(),
        name: plugin.identity.name.clone(),
        version: plugin.identity.version.clone(),
        digest: plugin.identity.digest,
    };
    let place = |published: &PublishedSummary| RecordedPlace {
        plugin: published.plugin.clone(),
        reference: published.published.reference.clone(),
        digest: published.published.digest,
    };
    Record::new(
        &prepared.context.pipeline.seed.name,
        summary,
        image.image.manifest.clone(),
        prepared.plugins.all().map(plugin).collect(),
        prepared.context.variables.clone(),
        release.published.iter().map(place).collect(),
        run,
    )
}

fn pack(prepared: &Prepared<'_>, planned: &[Planned]) -> Result<Vec<PackedImage>, Error> {
    let (context, plugin) = (&prepared.context, &prepared.plugins.pack);
    let mut images = Vec::new();
    for Planned { target, built, plan, .. } in planned {
        images.push(context.events.step(Step::Pack, Some(&target.system), || {
            stages::pack(context, plugin, target, plan, built).map_err(Error::from)
        })?);
    }
    Ok(images)
}

fn image_summary(planned: &Planned, image: &PackedImage) -> ImageSummary {
    let layers = image.image.layers.iter().zip(&image.origins).zip(&planned.plan.layers);
    let layers = layers.map(|((layer, origin), planned_layer)| LayerSummary {
        layer: RecordedLayer {
            name: planned_layer.name.clone(),
            digest: layer.descriptor.digest,
            diff_id: layer.diff_id,
            size: layer.descriptor.size,
            nar_size: planned.nar_size(planned_layer),
            paths: planned_layer.paths.len(),
            unverified: (*origin == LayerOrigin::Unverified).then(|| layer.descriptor.media_type.clone()),
        },
        cached: *origin == LayerOrigin::Host { cached: true },
    });
    ImageSummary {
        system: image.target.system.clone(),
        platform: image.target.platform.clone(),
        digest: image.image.manifest.digest,
        closure: planned.closure_digest(),
        layers: layers.collect(),
    }
}
