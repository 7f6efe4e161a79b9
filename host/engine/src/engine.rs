//! The engine: one value for all commands that share a cache.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::EngineError;
use crate::events::EventSink;
use crate::pipeline::Pipeline;
use crate::summary::{PlanSummary, PluginSummary, RunSummary};

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
    /// Threads for packing; none for one per processor.
    pub threads: Option<usize>,
    /// Whether compiled plugins are kept.
    pub aot_cache: bool,
    /// Refuse plugins from files and registries that `seed.lock` does not name, as in CI.
    pub require_lock: bool,
    /// Who is asked for passwords.
    pub passwords: Arc<dyn Passwords>,
}

/// What holds for one run.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Any needed change of `seed.lock` is an error.
    pub locked: bool,
    /// Systems instead of those in the pipeline file; empty for those.
    pub systems: Vec<String>,
}

/// Runs pipelines.
#[derive(Debug)]
pub struct Engine {
    options: EngineOptions,
}

impl Engine {
    /// An engine that keeps its caches in `options.cache_directory`, which is made where it is missing.
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        Ok(Self { options })
    }

    /// Builds, packs, signs and publishes.
    pub fn run(
        &self,
        _pipeline: &Pipeline,
        _options: &RunOptions,
        _sink: Arc<dyn EventSink>,
    ) -> Result<RunSummary, EngineError> {
        Err(EngineError::Unfinished)
    }

    /// Says what [`run`](Self::run) would do: builds with Nix, but packs, signs and publishes nothing.
    pub fn plan(
        &self,
        _pipeline: &Pipeline,
        _options: &RunOptions,
        _sink: Arc<dyn EventSink>,
    ) -> Result<PlanSummary, EngineError> {
        Err(EngineError::Unfinished)
    }

    /// The text of a commented pipeline file for `flake`, whose relative paths begin at `directory`.
    pub fn init(&self, _flake: &str, _directory: &Path) -> Result<String, EngineError> {
        Err(EngineError::Unfinished)
    }

    /// Describes the component at `source` (`builtin:NAME`, a file, `oci://…`) without running a stage.
    pub fn plugin_inspect(&self, _source: &str) -> Result<PluginSummary, EngineError> {
        Err(EngineError::Unfinished)
    }
}
