//! The engine: all commands over one session.

use std::process::Command;
use std::sync::Arc;

use seed_report::Error;

use crate::commands;
use crate::commands::cache_pull::PullOptions;
use crate::commands::exec::ExecOptions;
use crate::commands::index::IndexOptions;
use crate::commands::init::InitOptions;
use crate::commands::inspect::InspectOptions;
use crate::commands::plan::PlanOptions;
use crate::commands::plugin_inspect::PluginInspectOptions;
use crate::commands::run::RunOptions;
use crate::commands::verify::VerifyOptions;
use crate::commands::why_depends::WhyOptions;
use crate::events::EventSink;
use crate::pipeline::Pipeline;
use crate::session::{EngineOptions, Session};
use crate::summary::inspect::InspectSummary;
use crate::summary::verify::VerifySummary;
use crate::summary::{PlanSummary, PluginSummary, PullSummary, RunSummary, WhySummary};

/// Runs commands. May be used from several threads, and by several processes with one cache.
#[derive(Debug)]
pub struct Engine(Session);

impl Engine {
    /// An engine with these options. It opens nothing: a command makes the caches where it needs them.
    pub fn new(options: EngineOptions) -> Self {
        Self(Session::new(options))
    }

    /// Builds, packs, signs and publishes.
    pub fn run(
        &self,
        pipeline: &Pipeline,
        options: &RunOptions,
        sink: Arc<dyn EventSink>,
    ) -> Result<RunSummary, Error> {
        commands::run::run(&self.0.for_pipeline(pipeline), pipeline, options, sink)
    }

    /// Composes an index over images that runs with [`RunOptions::record`] published, signs and publishes it.
    pub fn index(
        &self,
        pipeline: &Pipeline,
        options: &IndexOptions,
        sink: Arc<dyn EventSink>,
    ) -> Result<RunSummary, Error> {
        commands::index::index(&self.0.for_pipeline(pipeline), pipeline, options, sink)
    }

    /// Makes a container engine have the locked image. Gives the program that runs a command in it, without network.
    pub fn exec(
        &self,
        pipeline: &Pipeline,
        options: &ExecOptions,
        sink: Arc<dyn EventSink>,
    ) -> Result<Command, Error> {
        commands::exec::exec(&self.0.for_pipeline(pipeline), pipeline, options, sink)
    }

    /// Says what [`run`](Self::run) would do: builds with Nix, but packs, signs and publishes nothing, and leaves the
    /// lock alone.
    pub fn plan(
        &self,
        pipeline: &Pipeline,
        options: &PlanOptions,
        sink: Arc<dyn EventSink>,
    ) -> Result<PlanSummary, Error> {
        commands::plan::plan(&self.0.for_pipeline(pipeline), pipeline, options, sink)
    }

    /// Says by which references paths are in the image: builds with Nix as [`plan`](Self::plan) does, but asks no plugin
    /// for a plan and checks no rule.
    pub fn why(
        &self,
        pipeline: &Pipeline,
        options: &WhyOptions,
        sink: Arc<dyn EventSink>,
    ) -> Result<WhySummary, Error> {
        commands::why_depends::why(&self.0.for_pipeline(pipeline), pipeline, options, sink)
    }

    /// The text of a commented pipeline file for a flake.
    pub fn init(&self, options: &InitOptions) -> Result<String, Error> {
        commands::init::init(&self.0, options)
    }

    /// Describes a component without running a stage.
    pub fn plugin_inspect(&self, options: &PluginInspectOptions) -> Result<PluginSummary, Error> {
        commands::plugin_inspect::plugin_inspect(&self.0, options)
    }

    /// Says what an image holds, wherever it is. Needs no cache.
    pub fn inspect(&self, options: &InspectOptions) -> Result<InspectSummary, Error> {
        commands::inspect::inspect(&self.0, options)
    }

    /// Checks that an image is whole, and that each of the given keys has signed it. Needs no cache.
    pub fn verify(&self, options: &VerifyOptions) -> Result<VerifySummary, Error> {
        commands::verify::verify(&self.0, options)
    }

    /// Adds the store paths of a build seed to the store of this machine's Nix, those that it lacks.
    pub fn cache_pull(&self, options: &PullOptions, sink: Arc<dyn EventSink>) -> Result<PullSummary, Error> {
        commands::cache_pull::cache_pull(&self.0, options, sink)
    }
}
