//! HTTP for one plugin: exactly what its grants say.

use std::collections::BTreeMap;
use std::sync::Arc;

use seed_http::{Client, DockerConfig, Limits, Options, Reach, Secret};

use crate::capabilities::{PluginReporter, RunBlobs};
use crate::pipeline::Grants;

/// A client for a plugin with these grants. `secrets` are the granted ones by name.
pub(crate) fn client(
    grants: &Grants,
    secrets: BTreeMap<String, Secret>,
    blobs: RunBlobs,
    reporter: Arc<PluginReporter>,
) -> Client {
    Client::new(Options {
        grants: seed_http::Grants {
            origins: grants.http.iter().map(|origin| origin.get_ref().clone()).collect(),
            credentials: grants.credentials.iter().map(|registry| registry.get_ref().clone()).collect(),
            secrets,
            reach: Reach::GrantedOrigins,
        },
        credential_store: Arc::new(DockerConfig::locate(|name| std::env::var_os(name))),
        blobs: Some(Arc::new(blobs)),
        limits: Limits::default(),
        progress: Some(reporter),
    })
}
