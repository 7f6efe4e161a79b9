//! The first half of a run, which `seed plan` shares: plugins, source, and which systems.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seed_model::{Digest, ImagePlan, OutputRequest, SourceKind, Stage, Target, total};
use seed_report::Error;

use crate::capabilities::{RunBlobs, WrittenPaths};
use crate::check::UNVERIFIED_ANNOTATION;
use crate::events::{Event, EventSink, Events, Level, Step};
use crate::layer_lock::LayerLocks;
use crate::limits::limits;
use crate::lock::{Lock, LockedPlugin, lock_path};
use crate::pipeline::Pipeline;
use crate::plugins::{Places, ResolvedPlugin, resolve};
use crate::rules::{self, APPLE_SDK_ANNOTATION};
use crate::session::Session;
use crate::source::{Built, OpenSource};
use crate::stages::{self, Context, Selection};
use crate::summary::LegalSummary;
use crate::usage::UsageError;

/// The plugins of a pipeline by stage.
#[derive(Debug)]
pub(crate) struct Plugins {
    pub(crate) select: ResolvedPlugin,
    pub(crate) pack: ResolvedPlugin,
    pub(crate) sign: Vec<ResolvedPlugin>,
    pub(crate) publish: Vec<ResolvedPlugin>,
}

impl Plugins {
    /// All of them, in the order of the stages.
    pub(crate) fn all(&self) -> impl Iterator<Item = &ResolvedPlugin> {
        [&self.select, &self.pack].into_iter().chain(&self.sign).chain(&self.publish)
    }
}

/// A pipeline whose plugins are ready.
#[derive(Debug)]
pub(crate) struct Prepared<'a> {
    pub(crate) context: Context<'a>,
    pub(crate) plugins: Plugins,
    pub(crate) lock: Lock,
    pub(crate) layer_locks: LayerLocks,
    pub(crate) targets: Vec<Target>,
}

/// What a command asks of its pipeline.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Request<'a> {
    /// Any needed change of the lock is an error.
    pub(crate) locked: bool,
    /// Systems instead of those in the pipeline file; empty for those.
    pub(crate) systems: &'a [String],
    /// Whether the locked layers will be rewritten.
    pub(crate) renew_layer_locks: bool,
}

/// What was built for one system.
#[derive(Debug)]
pub(crate) struct BuiltSystem {
    pub(crate) target: Target,
    /// The layers that were on offer.
    pub(crate) available: Vec<OutputRequest>,
    pub(crate) built: Built,
}

/// One system's paths and plan.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) target: Target,
    pub(crate) built: Built,
    pub(crate) plan: ImagePlan,
    /// What `[legal]` grants.
    pub(crate) legal: Option<LegalSummary>,
}

impl Planned {
    /// The digest of the closure manifest.
    pub(crate) fn closure_digest(&self) -> Digest {
        Digest::of(self.built.closure.manifest().as_bytes())
    }

    /// The sum of the NAR sizes of a layer's paths.
    pub(crate) fn nar_size(&self, layer: &seed_model::Layer) -> u64 {
        total(layer.paths.iter().map(|index| self.built.closure.paths[*index as usize].nar_size))
    }
}

/// Reads, checks and compiles all plugins.
pub(crate) fn prepare<'a>(
    session: &'a Session,
    pipeline: &'a Pipeline,
    request: Request<'_>,
    sink: Arc<dyn EventSink>,
) -> Result<Prepared<'a>, Error> {
    let cache = session.cache()?;
    let targets = targets(pipeline, request.systems)?;
    let events = Arc::new(Events::new(sink));
    let policy = session.policy(request.locked);
    let lock = Lock::open(lock_path(&pipeline.file.path), policy)?;
    let layer_lock =
        pipeline.layer_lock.as_ref().map(|layer_lock| pipeline.file.directory().join(layer_lock));
    let systems = targets.iter().map(|target| target.system.as_str());
    let layer_locks = LayerLocks::open(layer_lock, policy, request.renew_layer_locks, systems)?;
    let plugins = events.step(Step::Plugins, None, || {
        let limits = limits(pipeline)?;
        let runtime = session.runtime(cache, &limits)?;
        let places = Places {
            directory: pipeline.file.directory(),
            limit: limits.component_size,
            store: &cache.store,
            credentials: &session.credentials(),
            network_time: session.network_time(),
        };
        let resolved = resolve(pipeline, &runtime, &lock, places)?;
        let cached = resolved.iter().all(|plugin| plugin.plugin.origin() == seed_runtime::Origin::Cache);
        Ok::<_, Error>((by_stage(resolved), cached))
    })?;
    let context = Context {
        session,
        cache,
        pipeline,
        events,
        blobs: RunBlobs::new(cache.store.clone()),
        written: WrittenPaths::default(),
        variables: BTreeMap::new(),
    };
    Ok(Prepared { context, plugins, lock, layer_locks, targets })
}

fn by_stage(resolved: Vec<ResolvedPlugin>) -> Plugins {
    let (mut select, mut pack, mut sign, mut publish) = (None, None, Vec::new(), Vec::new());
    for plugin in resolved {
        match plugin.used.stage {
            Stage::Select => select = Some(plugin),
            Stage::Pack => pack = Some(plugin),
            Stage::Sign => sign.push(plugin),
            Stage::Publish => publish.push(plugin),
        }
    }
    let one = "a pipeline has one selection and one packing plugin";
    Plugins { select: select.expect(one), pack: pack.expect(one), sign, publish }
}

/// What images are made for: `systems`, or those of the pipeline file where there are none.
fn targets(pipeline: &Pipeline, systems: &[String]) -> Result<Vec<Target>, UsageError> {
    let wanted: BTreeSet<&String> =
        if systems.is_empty() { pipeline.systems.iter().collect() } else { systems.iter().collect() };
    let target = |system: &String| match Target::of_system(system) {
        Ok(target) => Ok(target),
        Err(error) => Err(UsageError::new(error.to_string(), "pass one of Nix's system names to `--system`")),
    };
    wanted.into_iter().map(target).collect()
}

impl Prepared<'_> {
    /// What the lock has to say of the plugins.
    pub(crate) fn locked_plugins(&self) -> Vec<LockedPlugin> {
        self.plugins.all().map(|plugin| plugin.locked.clone()).collect()
    }

    /// Whether this is for all systems that the pipeline file names. Where it names none, what the command line says is all.
    pub(crate) fn is_complete(&self) -> bool {
        let pipeline = self.context.pipeline;
        let is_here = |system: &String| self.targets.iter().any(|target| target.system == *system);
        !pipeline.systems_given || pipeline.systems.iter().all(is_here)
    }

    /// Evaluates, builds and selects for every system.
    pub(crate) fn plan(&mut self) -> Result<Vec<Planned>, Error> {
        let source = self.open_source()?;
        let mut planned = Vec::new();
        for target in self.targets.clone() {
            let built = self.build_one(&source, target)?;
            planned.push(self.plan_one(source.kind(), built)?);
        }
        Ok(planned)
    }

    /// Writes what is to be locked, and says so.
    pub(crate) fn write_layer_locks(&mut self, planned: &[Planned]) -> Result<(), Error> {
        let plans = planned.iter().map(|one| (one.target.system.as_str(), &one.plan, &one.built.closure));
        if let Some(path) = self.layer_locks.write(plans)? {
            self.context.events.message(Level::Info, format!("wrote the layer lock {}", path.display()));
        }
        Ok(())
    }

    /// Evaluates and builds for every system.
    pub(crate) fn build(&mut self) -> Result<Vec<BuiltSystem>, Error> {
        let source = self.open_source()?;
        self.targets.iter().map(|target| self.build_one(&source, target.clone())).collect()
    }

    fn open_source(&mut self) -> Result<OpenSource, Error> {
        let events = Arc::clone(&self.context.events);
        let source = events.step(Step::Evaluate, None, || {
            let source = OpenSource::open(self.context.session, self.context.pipeline, &events)?;
            Ok::<_, Error>((source, false))
        })?;
        self.context.variables = source.variables();
        Ok(source)
    }

    fn build_one(&self, source: &OpenSource, target: Target) -> Result<BuiltSystem, Error> {
        let (context, system) = (&self.context, target.system.as_str());
        let events = &context.events;
        let available = events
            .step(Step::Evaluate, Some(system), || Ok::<_, Error>((source.available(system)?, false)))?;
        let selection = Selection {
            plugin: &self.plugins.select,
            target: &target,
            source: source.kind(),
            available: available.clone(),
            layer_lock: None,
        };
        let outputs = events
            .step(Step::Select, Some(system), || stages::outputs(context, &selection).map_err(Error::from))?;
        let built = events
            .step(Step::Build, Some(system), || Ok::<_, Error>((source.build(system, &outputs)?, false)))?;
        Ok(BuiltSystem { target, available, built })
    }

    fn plan_one(&self, source: SourceKind, built: BuiltSystem) -> Result<Planned, Error> {
        let BuiltSystem { target, available, built } = built;
        let (context, system) = (&self.context, target.system.as_str());
        let legal = rules::check(context.pipeline, &context.cache.stages, system, &built)?;
        let plugin = &self.plugins.select;
        let layer_lock = self.layer_locks.of(system);
        let selection = Selection { plugin, target: &target, source, available, layer_lock };
        let mut plan = context.events.step(Step::Select, Some(system), || {
            stages::plan(context, &selection, &built.closure).map_err(Error::from)
        })?;
        for note in &plan.notes {
            let level = match note.severity {
                seed_model::Severity::Note => Level::Info,
                seed_model::Severity::Warning => Level::Warning,
                seed_model::Severity::Error => Level::Error,
            };
            let plugin = Some(self.plugins.select.identity.name.clone());
            context.events.send(Event::Message { plugin, level, text: note.message.clone() });
        }
        if let Some(used) = legal.as_ref().filter(|legal| !legal.paths.is_empty()) {
            plan.annotations.insert(APPLE_SDK_ANNOTATION.to_owned(), used.reason.clone());
        }
        let unverified = &self.plugins.pack.used.grants.unverified_layers;
        if !unverified.is_empty() {
            let media_types: Vec<_> = unverified.iter().map(|name| name.get_ref().as_str()).collect();
            plan.annotations.insert(UNVERIFIED_ANNOTATION.to_owned(), media_types.join(","));
        }
        Ok(Planned { target, built, plan, legal })
    }
}
