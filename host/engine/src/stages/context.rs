//! What all stages of one run share.

use std::collections::BTreeMap;
use std::sync::Arc;

use seed_http::Client;
use seed_runtime::capabilities::Capabilities;

use crate::cache::Cache;
use crate::capabilities::{PluginReporter, RunBlobs, WrittenPaths, client};
use crate::events::Events;
use crate::pipeline::Pipeline;
use crate::plugins::ResolvedPlugin;
use crate::secrets::{self, SecretError};
use crate::session::Session;

/// One run.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) session: &'a Session,
    pub(crate) cache: &'a Cache,
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) events: Arc<Events>,
    pub(crate) blobs: RunBlobs,
    pub(crate) written: WrittenPaths,
    /// Facts of the source, as far as they are known.
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

    /// HTTP for a plugin: what its grants say, with the secrets that they name.
    pub(crate) fn client(&self, plugin: &ResolvedPlugin) -> Result<Client, SecretError> {
        let grants = &plugin.used.grants;
        let names = grants.secrets.iter().map(|name| name.get_ref().as_str());
        let secrets = secrets::secrets(self.session, self.pipeline, names)?;
        let (credentials, blobs) = (self.session.credentials(), self.blobs.clone());
        let time = self.session.network_time().cloned();
        Ok(client(grants, secrets, credentials, blobs, self.reporter(plugin), time))
    }

    /// The configuration of a plugin as it is handed over.
    pub(crate) fn config(plugin: &ResolvedPlugin) -> String {
        plugin.used.config.value.to_string()
    }
}
