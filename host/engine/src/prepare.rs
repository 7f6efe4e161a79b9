//! The first half of a run, which `seed plan` shares: plugins, source, and which systems.

use std::collections::BTreeSet;
use std::sync::Arc;

use seed_model::{Digest, ImagePlan, OutputRequest, Platform, SourceKind};

use crate::capabilities::{RunBlobs, WrittenPaths};
use crate::engine::{Engine, RunOptions};
use crate::error::{EngineError, ErrorKind};
use crate::events::{Event, EventSink, Events, Level, Step};
use crate::lock::{Lock, LockedPlugin, lock_path};
use crate::pin::Pins;
use crate::pipeline::{Pipeline, Stage};
use crate::plugins::{Places, ResolvedPlugin, resolve};
use crate::rules::{self, APPLE_SDK_ANNOTATION};
use crate::source::{Built, OpenSource};
use crate::stages::{self, Context, Selection};
use crate::summary::{LegalSummary, StepTime};

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
    pub(crate) pins: Pins,
    pub(crate) systems: Vec<(String, Platform)>,
    pub(crate) times: Vec<StepTime>,
}

/// What was built for one system.
#[derive(Debug)]
pub(crate) struct BuiltSystem {
    pub(crate) system: String,
    pub(crate) platform: Platform,
    /// The layers that were on offer.
    pub(crate) available: Vec<OutputRequest>,
    pub(crate) built: Built,
}

/// One system's paths and plan.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) system: String,
    pub(crate) platform: Platform,
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
        layer.paths.iter().map(|index| self.built.closure.paths[*index as usize].nar_size).sum()
    }
}

/// Reads, checks and compiles all plugins.
pub(crate) fn prepare<'a>(
    engine: &Engine,
    pipeline: &'a Pipeline,
    options: &RunOptions,
    sink: Arc<dyn EventSink>,
) -> Result<Prepared<'a>, EngineError> {
    let systems = systems(pipeline, options)?;
    let events = Arc::new(Events::new(sink));
    let mut times = Vec::new();
    let lock = Lock::open(lock_path(&pipeline.file.path), engine.policy(options))?;
    let pin = pipeline.pin.as_ref().map(|pin| pipeline.file.directory().join(pin));
    let names = systems.iter().map(|(system, _)| system.clone());
    let pins = Pins::open(pin, engine.policy(options), options.pin, names)?;
    let plugins = events.step(&mut times, Step::Plugins, None, || {
        let (runtime, limits) = engine.runtime(Some(pipeline))?;
        let places = Places {
            directory: pipeline.file.directory(),
            limit: limits.component_size,
            store: &engine.store,
        };
        let resolved = resolve(pipeline, &runtime, &lock, places)?;
        let cached = resolved.iter().all(|plugin| plugin.plugin.origin() == seed_runtime::Origin::Cache);
        Ok::<_, EngineError>((by_stage(resolved), cached))
    })?;
    let context = Context {
        pipeline,
        events,
        blobs: RunBlobs::new(engine.store.clone()),
        written: WrittenPaths::default(),
        packer: Arc::clone(&engine.packer),
        memo: engine.memo.clone(),
        variables: std::collections::BTreeMap::new(),
    };
    Ok(Prepared { context, plugins, lock, pins, systems, times })
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

fn systems(pipeline: &Pipeline, options: &RunOptions) -> Result<Vec<(String, Platform)>, EngineError> {
    let wanted: BTreeSet<&String> = match options.systems.as_slice() {
        [] => pipeline.systems.iter().collect(),
        systems => systems.iter().collect(),
    };
    let platform = |system: &String| match Platform::of_system(system) {
        Ok(platform) => Ok((system.clone(), platform)),
        Err(error) => Err(ErrorKind::Usage {
            message: error.to_string(),
            help: "write `--system` with one of these names of Nix".to_owned(),
        }
        .into()),
    };
    wanted.into_iter().map(platform).collect()
}

impl Prepared<'_> {
    /// What the lock has to say of the plugins.
    pub(crate) fn locked_plugins(&self) -> Vec<LockedPlugin> {
        self.plugins.all().map(|plugin| plugin.locked.clone()).collect()
    }

    /// Whether this is for all systems that the pipeline file names. Where it names none, what the command line says is all.
    pub(crate) fn is_complete(&self) -> bool {
        let pipeline = self.context.pipeline;
        let is_here = |system: &String| self.systems.iter().any(|(here, _)| here == system);
        !pipeline.systems_given || pipeline.systems.iter().all(is_here)
    }

    /// Evaluates, builds and selects for every system.
    pub(crate) fn plan(&mut self) -> Result<Vec<Planned>, EngineError> {
        let source = self.open_source()?;
        let mut planned = Vec::new();
        for (system, platform) in self.systems.clone() {
            let built = self.build_one(&source, &system, platform)?;
            planned.push(self.plan_one(source.kind(), built)?);
        }
        Ok(planned)
    }

    /// Writes what is to be pinned, and says so.
    pub(crate) fn write_pins(&mut self, planned: &[Planned]) -> Result<(), EngineError> {
        if let Some(path) = self.pins.write(planned)? {
            self.context.events.message(Level::Info, format!("wrote the layers to {}", path.display()));
        }
        Ok(())
    }

    /// Evaluates and builds for every system.
    pub(crate) fn build(&mut self) -> Result<Vec<BuiltSystem>, EngineError> {
        let source = self.open_source()?;
        let systems = self.systems.clone();
        systems.into_iter().map(|(system, platform)| self.build_one(&source, &system, platform)).collect()
    }

    fn open_source(&mut self) -> Result<OpenSource, EngineError> {
        let events = Arc::clone(&self.context.events);
        let source = events.step(&mut self.times, Step::Evaluate, None, || {
            let source = OpenSource::open(self.context.pipeline, &events)?;
            Ok::<_, EngineError>((source, false))
        })?;
        self.context.variables = source.variables();
        Ok(source)
    }

    fn build_one(
        &mut self,
        source: &OpenSource,
        system: &str,
        platform: Platform,
    ) -> Result<BuiltSystem, EngineError> {
        let (context, times) = (&self.context, &mut self.times);
        let events = &context.events;
        let available = events.step(times, Step::Evaluate, Some(system), || {
            Ok::<_, EngineError>((source.available(system)?, false))
        })?;
        let selection = Selection {
            plugin: &self.plugins.select,
            system,
            platform: platform.clone(),
            source: source.kind(),
            available: available.clone(),
            pin: None,
        };
        let outputs = events.step(times, Step::Select, Some(system), || {
            stages::outputs(context, &selection).map_err(EngineError::from)
        })?;
        let built = events.step(times, Step::Build, Some(system), || {
            Ok::<_, EngineError>((source.build(system, &outputs)?, false))
        })?;
        Ok(BuiltSystem { system: system.to_owned(), platform, available, built })
    }

    fn plan_one(&mut self, source: SourceKind, built: BuiltSystem) -> Result<Planned, EngineError> {
        let BuiltSystem { system, platform, available, built } = built;
        let legal = rules::check(&self.context, &system, &built)?;
        let (context, times) = (&self.context, &mut self.times);
        let plugin = &self.plugins.select;
        let pin = self.pins.of(&system);
        let selection =
            Selection { plugin, system: &system, platform: platform.clone(), source, available, pin };
        let mut plan = context.events.step(times, Step::Select, Some(&system), || {
            stages::plan(context, &selection, &built.closure).map_err(EngineError::from)
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
        Ok(Planned { system, platform, built, plan, legal })
    }
}
