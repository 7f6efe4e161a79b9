//! `seed plan`: what a run would do, what is cached, and why.

use std::sync::Arc;

use seed_oci::LayerSpec;
use seed_report::Error;
use seed_runtime::capabilities::Capabilities;

use crate::capabilities::PackProbe;
use crate::events::EventSink;
use crate::pipeline::Pipeline;
use crate::prepare::{Planned, Prepared, Request, prepare};
use crate::session::Session;
use crate::stages::{self, PackingError, StageFailure, layer_specs};
use crate::summary::{PlanSummary, PlannedImage, PlannedLayer, PlannedPath, SCHEMA};

/// What `seed plan` is asked.
#[derive(Clone, Debug, Default)]
pub struct PlanOptions {
    /// Fail if a run with `--locked` would fail.
    pub locked: bool,
    /// Systems instead of those in the pipeline file; empty for those.
    pub systems: Vec<String>,
    /// Write the planned layers to the layer lock; changed layers are split anew, by the history in it.
    pub lock_layers: bool,
}

/// Says what a run would do: builds with Nix, but packs, signs and publishes nothing, and leaves the lock alone.
pub(crate) fn plan(
    session: &Session,
    pipeline: &Pipeline,
    options: &PlanOptions,
    sink: Arc<dyn EventSink>,
) -> Result<PlanSummary, Error> {
    let PlanOptions { locked, systems, lock_layers } = options;
    let request = Request { locked: *locked, systems, renew_layer_locks: *lock_layers };
    let mut prepared = prepare(session, pipeline, request, sink)?;
    if *locked {
        prepared.lock.settle(prepared.locked_plugins())?;
    }
    let planned = prepared.plan()?;
    if *lock_layers {
        prepared.write_layer_locks(&planned)?;
    }
    let mut targets = Vec::new();
    for plugin in &prepared.plugins.publish {
        targets.extend(stages::targets(&prepared.context, plugin)?);
        targets.extend(plugin.output_paths.iter().cloned());
    }
    let images = planned.iter().map(|planned| image(&prepared, planned)).collect::<Result<_, _>>()?;
    Ok(PlanSummary {
        schema: SCHEMA,
        name: pipeline.seed.name.clone(),
        images,
        targets,
        plugins: prepared.plugins.all().map(|plugin| plugin.identity.clone()).collect(),
        notes: planned.iter().flat_map(|planned| planned.plan.notes.iter().cloned()).collect(),
        legal: planned.iter().filter_map(|planned| planned.legal.clone()).collect(),
    })
}

fn image(prepared: &Prepared<'_>, planned: &Planned) -> Result<PlannedImage, Error> {
    let context = &prepared.context;
    let plugin = &prepared.plugins.pack;
    let probe = Arc::new(PackProbe::new(
        Arc::clone(&context.cache.packer),
        layer_specs(&planned.plan, &planned.built),
    ));
    let capabilities = Capabilities {
        archive: Some(probe.clone()),
        blobs: Some(Arc::new(context.blobs.clone())),
        ..context.no_capabilities(plugin)
    };
    let request = stages::pack_request(context, plugin, &planned.target, &planned.plan);
    let result = plugin.plugin.pack(&capabilities, &request);
    let asked = probe.asked();
    let mut layers = Vec::new();
    let mut all_cached = true;
    for (index, layer) in (0_u32..).zip(&planned.plan.layers) {
        let planned = planned_layer(prepared, planned, layer, asked.get(&index))?;
        all_cached &= planned.cached;
        layers.push(planned);
    }
    match result {
        // With layers that are not cached the plugin cannot go on, which is what was to be found out.
        Err(error) if all_cached || asked.is_empty() => {
            Err(PackingError::from(StageFailure::new(context, plugin, error)).into())
        }
        _ => Ok(PlannedImage {
            system: planned.target.system.clone(),
            platform: planned.target.platform.clone(),
            closure: planned.closure_digest(),
            config: planned.plan.config.clone(),
            annotations: planned.plan.annotations.clone(),
            layers,
        }),
    }
}

fn planned_layer(
    prepared: &Prepared<'_>,
    planned: &Planned,
    layer: &seed_model::Layer,
    spec: Option<&LayerSpec>,
) -> Result<PlannedLayer, Error> {
    let failed = |source: seed_oci::PackError| PackingError::Pack { help: source.help(), source };
    let key = spec.map(|spec| spec.key().map_err(|error| failed(error.into()))).transpose()?;
    let cached = match spec {
        Some(spec) => prepared.context.cache.packer.lookup(spec).map_err(failed)?.is_some(),
        None => false,
    };
    let reason = match (spec, cached) {
        (Some(_), true) => "the cache has a layer with this key",
        (Some(_), false) => "the cache has no layer with this key",
        (None, _) => "the packer has not requested this layer yet",
    };
    let path = |index: &u32| {
        let path = &planned.built.closure.paths[*index as usize];
        PlannedPath { store_path: path.store_path.clone(), nar_hash: path.nar_hash, nar_size: path.nar_size }
    };
    Ok(PlannedLayer {
        name: layer.name.clone(),
        key,
        cached,
        reason: reason.to_owned(),
        nar_size: planned.nar_size(layer),
        paths: layer.paths.iter().map(path).collect(),
        entries: layer.entries.iter().map(|entry| entry.path.clone()).collect(),
    })
}
