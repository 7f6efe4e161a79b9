//! What all stages of one run share.

use std::collections::BTreeMap;
use std::sync::Arc;

use seed_oci::Packer;
use seed_runtime::capabilities::Capabilities;

use crate::capabilities::{PluginReporter, RunBlobs, WrittenPaths};
use crate::events::Events;
use crate::pipeline::Pipeline;
use crate::plugins::ResolvedPlugin;
use crate::stage_cache::StageCache;

/// One run.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) events: Arc<Events>,
    pub(crate) blobs: RunBlobs,
    pub(crate) written: WrittenPaths,
    pub(crate) packer: Arc<Packer>,
    pub(crate) memo: StageCache,
    /// Facts of the source.
    pub(crate) variables: BTreeMap<String, String>,
}

impl Context<'_> {
    /// Where messages and progress of a plugin go.
    pub(crate) fn reporter(&self, plugin: &ResolvedPlugin) -> Arc<PluginReporter> {
        Arc::new(PluginReporter { events: Arc::clone(&self.events), plugin: plugin.identity.name.clone() })
    }

    /// Messages and progress, and nothing else.
    pub(crate) fn no_capabilities(&self, plugin: &ResolvedPlugin) -> Capabilities {
        Capabilities::none(self.reporter(plugin))
    }

    /// The configuration of a plugin as it is handed over.
    pub(crate) fn config(plugin: &ResolvedPlugin) -> String {
        plugin.used.config.value.to_string()
    }
}
