//! `seed run`: plugins, source, selection, packing, signing, publishing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seed_model::{Descriptor, Digest};
use seed_oci::documents::{DocumentError, make_index};

use crate::capabilities::RunKeyring;
use crate::engine::{Engine, RunOptions};
use crate::error::EngineError;
use crate::events::{EventSink, Level, Step};
use crate::pipeline::Pipeline;
use crate::prepare::{Planned, Prepared, prepare};
use crate::stages::{self, PackedImage, SignedArtifact, Subject};
use crate::summary::{ImageSummary, LayerSummary, PublishedSummary, RunSummary, SCHEMA, SignatureSummary};
use crate::vault;

pub(crate) fn run(
    engine: &Engine,
    pipeline: &Pipeline,
    options: &RunOptions,
    sink: Arc<dyn EventSink>,
) -> Result<RunSummary, EngineError> {
    let mut prepared = prepare(engine, pipeline, options, sink)?;
    // Keys are opened before the long part, so that a wrong password is told at once.
    let keyrings = if options.pack_only { Vec::new() } else { keyrings(engine, &prepared)? };
    let locked = prepared.plugins.all().map(|plugin| plugin.locked.clone()).collect();
    let lock = prepared.lock.settle(locked)?;

    let planned = prepared.plan()?;
    let images = pack(&mut prepared, &planned)?;
    let index = index(&prepared, &planned, &images)?;
    let (mut references, mut signed, mut published) = (Vec::new(), AllSigned::default(), Vec::new());
    if !options.pack_only {
        references = targets(&prepared)?;
        signed = sign(&mut prepared, &keyrings, &images, index.as_ref(), &references)?;
        published = publish(&mut prepared, &images, index.as_ref(), &signed.artifacts)?;
    }

    let digest = index.as_ref().map_or(images[0].image.manifest.digest, |index| index.digest);
    let name = pipeline.seed.name.clone();
    Ok(RunSummary {
        schema: SCHEMA,
        digest,
        images: planned.iter().zip(&images).map(|(planned, image)| image_summary(planned, image)).collect(),
        signatures: signed.signatures,
        published,
        verify_with: verify_with(&signed.commands, &references, &name, digest),
        notes: planned.iter().flat_map(|planned| planned.plan.notes.iter().cloned()).collect(),
        legal: planned.iter().filter_map(|planned| planned.legal.clone()).collect(),
        plugins: prepared.plugins.all().map(|plugin| plugin.identity.clone()).collect(),
        steps: {
            prepared.times.sort_by_key(|time| time.step);
            prepared.times
        },
        lock,
        name,
    })
}

/// The granted keys of each signing plugin.
fn keyrings(engine: &Engine, prepared: &Prepared<'_>) -> Result<Vec<Arc<RunKeyring>>, EngineError> {
    let passwords = engine.options.passwords.as_ref();
    let open = |plugin: &crate::plugins::ResolvedPlugin| {
        let names = plugin.used.grants.keys.iter().map(|name| name.get_ref().as_str());
        let keys = vault::keys(prepared.context.pipeline, names, passwords)?;
        Ok(Arc::new(RunKeyring::new(keys)))
    };
    prepared.plugins.sign.iter().map(open).collect()
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

/// The index over several images; none for one. It has the annotations that all images have.
fn index(
    prepared: &Prepared<'_>,
    planned: &[Planned],
    images: &[PackedImage],
) -> Result<Option<Descriptor>, EngineError> {
    if images.len() < 2 {
        return Ok(None);
    }
    let mut annotations = planned[0].plan.annotations.clone();
    annotations.retain(|name, value| {
        planned.iter().all(|planned| planned.plan.annotations.get(name) == Some(value))
    });
    let manifests: Vec<_> =
        images.iter().map(|image| (image.platform.clone(), image.image.manifest.clone())).collect();
    let (bytes, descriptor) = make_index(&manifests, &annotations)?;
    let blobs = &prepared.context.blobs;
    blobs.admit(blobs.store().put(&bytes).map_err(DocumentError::from)?);
    Ok(Some(descriptor))
}

/// The repositories that will be written to, each once.
fn targets(prepared: &Prepared<'_>) -> Result<Vec<String>, EngineError> {
    let mut all = Vec::new();
    for plugin in &prepared.plugins.publish {
        all.extend(stages::targets(&prepared.context, plugin)?);
    }
    let mut seen = BTreeSet::new();
    all.retain(|target| seen.insert(target.clone()));
    Ok(all)
}

/// What all signing plugins made.
#[derive(Default)]
struct AllSigned {
    artifacts: Vec<SignedArtifact>,
    signatures: Vec<SignatureSummary>,
    commands: Vec<String>,
}

/// Signs what people pull: the index and each image in it, or the only image.
fn sign(
    prepared: &mut Prepared<'_>,
    keyrings: &[Arc<RunKeyring>],
    images: &[PackedImage],
    index: Option<&Descriptor>,
    references: &[String],
) -> Result<AllSigned, EngineError> {
    let (context, times) = (&prepared.context, &mut prepared.times);
    let mut all = AllSigned::default();
    if prepared.plugins.sign.is_empty() {
        context.events.message(Level::Info, "there is no [[sign]]: the image is not signed");
        return Ok(all);
    }
    let index = index.map(|descriptor| Subject { descriptor, system: None, references });
    let images = images.iter().map(|image| Subject {
        descriptor: &image.image.manifest,
        system: Some(&image.system),
        references,
    });
    let subjects: Vec<_> = index.into_iter().chain(images).collect();
    context.events.step(times, Step::Sign, None, || {
        for (plugin, keyring) in prepared.plugins.sign.iter().zip(keyrings) {
            for subject in &subjects {
                let signed = stages::sign(context, plugin, keyring, *subject)?;
                all.artifacts.extend(signed.artifacts);
                all.signatures.extend(signed.signatures);
                all.commands.extend(signed.verify_with);
            }
        }
        let mut seen = BTreeSet::new();
        all.commands.retain(|command| seen.insert(command.clone()));
        Ok((all, false))
    })
}

fn publish(
    prepared: &mut Prepared<'_>,
    images: &[PackedImage],
    index: Option<&Descriptor>,
    artifacts: &[SignedArtifact],
) -> Result<Vec<PublishedSummary>, EngineError> {
    let (context, times) = (&prepared.context, &mut prepared.times);
    context.events.step(times, Step::Publish, None, || {
        let mut all = Vec::new();
        for plugin in &prepared.plugins.publish {
            for published in stages::publish(context, plugin, images, index, artifacts)? {
                all.push(PublishedSummary {
                    plugin: plugin.identity.name.clone(),
                    reference: published.reference,
                    digest: published.digest,
                    uploaded: published.uploaded,
                    skipped: published.skipped,
                    bytes: published.bytes,
                    try_with: published.try_with,
                });
            }
        }
        let cached = all.iter().all(|published| published.uploaded == 0);
        Ok((all, cached))
    })
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

/// The plugins' commands for each place. What was published to no registry can be verified once it is in one.
fn verify_with(commands: &[String], references: &[String], name: &str, digest: Digest) -> Vec<String> {
    let elsewhere = [format!("REGISTRY/{name}")];
    let places = if references.is_empty() { &elsewhere } else { references };
    let command = |place: &String| {
        let reference = format!("{place}@{digest}");
        commands.iter().map(move |command| command.replace("{reference}", &reference))
    };
    places.iter().flat_map(command).collect()
}
