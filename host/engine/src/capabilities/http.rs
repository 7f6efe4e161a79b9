//! HTTP for one plugin: exactly what its grants say.

use std::collections::BTreeMap;
use std::sync::Arc;

use seed_http::{Client, CredentialStore, HttpLimits, Options, Reach, Secret, TimeBudget};

use crate::capabilities::blobs::RunBlobs;
use crate::capabilities::reporter::PluginReporter;
use crate::pipeline::Grants;

/// A client for a plugin with these grants. `secrets` are the granted ones by name, `credential_store` has
/// the user's logins, of which it gets the granted ones. `time` is that for all requests of the command.
pub(crate) fn client(
    grants: &Grants,
    secrets: BTreeMap<String, Secret>,
    credential_store: Arc<dyn CredentialStore>,
    blobs: RunBlobs,
    reporter: Arc<PluginReporter>,
    time: Option<Arc<TimeBudget>>,
) -> Client {
    Client::new(Options {
        grants: seed_http::Grants {
            origins: grants.http.iter().map(|origin| origin.get_ref().clone()).collect(),
            credentials: grants.credentials.iter().map(|registry| registry.get_ref().clone()).collect(),
            secrets,
            reach: Reach::GrantedOrigins,
        },
        credential_store,
        blobs: Some(Arc::new(blobs)),
        limits: HttpLimits::default(),
        progress: Some(reporter),
        time,
    })
}
