//! The engine: one value for all commands that share a cache.

use std::fmt;
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use seed_oci::{BlobStore, Packer};
use seed_runtime::{Limits, Options, Runtime};

use crate::commands::exec::ExecOptions;
use crate::commands::index::IndexOptions;
use crate::commands::{exec, index, init, plan, plugin_inspect, run, why};
use crate::error::{CacheError, EngineError, ErrorKind};
use crate::events::EventSink;
use crate::limits::limits;
use crate::lock::Policy;
use crate::pipeline::Pipeline;
use crate::stage_cache::StageCache;
use crate::summary::{PlanSummary, PluginSummary, RunSummary, WhySummary};

/// Asks for passwords that the pipeline file does not say where to find.
pub trait Passwords: Send + Sync + fmt::Debug {
    /// The password of the key `name` in `file`; none where nobody can be asked.
    fn password(&self, name: &str, file: &Path) -> Option<String>;
}

/// What holds for every command.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Where caches live; [`default_cache_directory`](crate::default_cache_directory) says where that usually is.
    pub cache_directory: PathBuf,
    /// Threads for packing; none for one per processor. The bytes do not depend on it.
    pub threads: Option<NonZero<usize>>,
    /// Whether compiled plugins are kept.
    pub aot_cache: bool,
    /// Refuse plugins from files and registries that are neither locked nor pinned, as in CI.
    pub require_lock: bool,
    /// Who is asked for passwords.
    pub passwords: Arc<dyn Passwords>,
}

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
    /// Write the pinned layers anew.
    pub pin: bool,
}

/// Runs pipelines. May be used from several threads, and by several processes with one cache.
#[derive(Debug)]
pub struct Engine {
    pub(crate) options: EngineOptions,
    pub(crate) store: BlobStore,
    pub(crate) packer: Arc<Packer>,
    pub(crate) memo: StageCache,
}

impl Engine {
    /// An engine that keeps its caches in `options.cache_directory`, which is made where it is missing.
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        let path = &options.cache_directory;
        let failed = |source: CacheError| {
            let help = match &source {
                CacheError::Store(error) => error.help().map(str::to_owned),
                CacheError::Pack(error) => error.help().map(str::to_owned),
                CacheError::Io(_) => None,
            };
            let choose = || Some(format!("name another directory in {}", crate::CACHE_VARIABLE));
            EngineError::from(ErrorKind::Cache { path: path.clone(), source, help: help.or_else(choose) })
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| failed(error.into()))?;
        }
        let store = BlobStore::open(path).map_err(|error| failed(error.into()))?;
        let packer = Packer::new(store.clone(), options.threads).map_err(|error| failed(error.into()))?;
        let memo = StageCache::open(path.join("stages")).map_err(|error| failed(error.into()))?;
        Ok(Self { store, packer: Arc::new(packer), memo, options })
    }

    /// Builds, packs, signs and publishes.
    pub fn run(
        &self,
        pipeline: &Pipeline,
        options: &RunOptions,
        sink: Arc<dyn EventSink>,
    ) -> Result<RunSummary, EngineError> {
        run::run(self, pipeline, options, sink)
    }

    /// Composes an index over images that runs with [`RunOptions::record`] published, signs and publishes it.
    pub fn index(
        &self,
        pipeline: &Pipeline,
        options: &IndexOptions,
        sink: Arc<dyn EventSink>,
    ) -> Result<RunSummary, EngineError> {
        index::index(self, pipeline, options, sink)
    }

    /// Makes a container engine have the locked image. Gives the program that runs a command in it, without network.
    pub fn exec(
        &self,
        pipeline: &Pipeline,
        options: &ExecOptions,
        sink: Arc<dyn EventSink>,
    ) -> Result<Command, EngineError> {
        exec::exec(self, pipeline, options, sink)
    }

    /// Says what [`run`](Self::run) would do: builds with Nix, but packs, signs and publishes nothing, and leaves the
    /// lock alone.
    pub fn plan(
        &self,
        pipeline: &Pipeline,
        options: &RunOptions,
        sink: Arc<dyn EventSink>,
    ) -> Result<PlanSummary, EngineError> {
        plan::plan(self, pipeline, options, sink)
    }

    /// Says by which references paths are in the image: builds with Nix as [`plan`](Self::plan) does, but asks no plugin
    /// for a plan and checks no rule. `wanted` is a store path or the name of a package, with `*` for any text.
    pub fn why(
        &self,
        pipeline: &Pipeline,
        options: &RunOptions,
        wanted: &str,
        sink: Arc<dyn EventSink>,
    ) -> Result<WhySummary, EngineError> {
        why::why(self, pipeline, options, wanted, sink)
    }

    /// The text of a commented pipeline file for `flake`, whose relative paths begin at `directory`.
    pub fn init(&self, flake: &str, directory: &Path) -> Result<String, EngineError> {
        init::init(flake, directory)
    }

    /// Describes the component at `source` (`builtin:NAME`, a file, `oci://…`; relative paths begin at the working
    /// directory) without running a stage.
    pub fn plugin_inspect(&self, source: &str) -> Result<PluginSummary, EngineError> {
        plugin_inspect::describe(self, source, Path::new("."))
    }

    /// A runtime with the limits of `pipeline`, or the default ones.
    pub(crate) fn runtime(&self, pipeline: Option<&Pipeline>) -> Result<(Runtime, Limits), EngineError> {
        let limits = pipeline.map(limits).transpose()?.unwrap_or_default();
        let aot_directory = self.options.aot_cache.then(|| self.options.cache_directory.join("aot"));
        let options = Options { limits: limits.clone(), aot_directory };
        match Runtime::new(options) {
            Ok(runtime) => Ok((runtime, limits)),
            Err(source) => Err(ErrorKind::Runtime { help: source.help(), source }.into()),
        }
    }

    /// What a run with these options may do about the lock.
    pub(crate) fn policy(&self, options: &RunOptions) -> Policy {
        match (options.locked, self.options.require_lock) {
            (true, _) => Policy::Locked,
            (false, true) => Policy::RequireForeign,
            (false, false) => Policy::Update,
        }
    }
}
